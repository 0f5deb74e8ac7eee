//! The console: one page with nothing from elsewhere, no way for markup to get in, and headers that hold it to that.

use crate::site::Site;
use crate::support::{Client, Reply, Server, TempDir, from_base64, prebuilt, reload};
use fuelbox::base::digest::Digest;
use fuelbox::{Limits, Runner};
use std::collections::BTreeSet;

/// What the page may have in bytes.
const PAGE_BYTES_MAX: usize = 56_000;

fn page() -> Reply {
    Server::start(Limits::default()).send("GET", "/", b"")
}

/// What is between `begin` and `end` in `text`, each time.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> Vec<&'a str> {
    text.match_indices(begin)
        .map(|(at, _)| {
            let rest = &text[at + begin.len()..];
            &rest[..rest.find(end).unwrap_or_else(|| panic!("no {end} after {begin}"))]
        })
        .collect()
}

fn script(page: &str) -> &str {
    let scripts = between(page, "<script type=\"module\">", "</script>");
    assert_eq!((scripts.len(), page.matches("<script").count()), (1, 1));
    scripts[0]
}

/// The tags of the page's markup, its script and style left out.
fn tags(page: &str) -> Vec<String> {
    let style = between(page, "<style>", "</style>")[0];
    let markup = page.replace(script(page), "").replace(style, "");
    between(&markup, "<", ">").into_iter().map(str::to_string).collect()
}

#[test]
fn the_page_is_small_and_comes_with_headers_that_hold_it_to_itself() {
    let page = page();
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.body.len() <= PAGE_BYTES_MAX, "{} bytes", page.body.len());
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cache-control", "no-cache"),
    ] {
        assert_eq!(page.header(name), Some(value), "{name}");
    }
    let text = page.text();
    let policy: BTreeSet<&str> =
        page.header("content-security-policy").unwrap().split(';').map(str::trim).collect();
    for (directive, inline) in
        [("script-src", script(&text)), ("style-src", between(&text, "<style>", "</style>")[0])]
    {
        let hash = policy.iter().find_map(|part| {
            part.strip_prefix(directive)?.strip_prefix(" 'sha256-")?.strip_suffix('\'').map(from_base64)
        });
        assert_eq!(hash.as_deref(), Some(&Digest::of(inline.as_bytes()).bytes()[..]), "{directive}");
    }
    let others: Vec<&str> = policy.into_iter().filter(|part| !part.contains("'sha256-")).collect();
    assert_eq!(
        others,
        [
            "base-uri 'none'",
            "connect-src 'self'",
            "default-src 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'"
        ]
    );
}

#[test]
fn a_client_that_has_the_page_or_the_list_is_not_sent_it_again() {
    let server = Server::start(Limits::default());
    for path in ["/", "/?again", "/plugins"] {
        let mut client = Client::connect(server.address);
        let first = client.send("GET", path, b"");
        let tag = format!("\"{}\"", Digest::of(&first.body));
        assert_eq!(first.header("etag"), Some(&*tag), "{path}");
        for (have, status) in
            [(&*tag, 304), (&format!("W/{tag}"), 304), ("\"x\"", 200), ("rubbish", 200), ("", 200)]
        {
            let again = client.ask("GET", path, &[("If-None-Match", have)], b"");
            assert_eq!((again.status, again.header("etag")), (status, Some(&*tag)), "{path} {have}");
            assert_eq!(again.body.is_empty(), status == 304, "{path} {have}");
            let policy = again.header("content-security-policy");
            assert_eq!(policy, first.header("content-security-policy"));
        }
        // The connection is good for more.
        assert_eq!(client.send("GET", "/healthz", b"").text(), "ok\n");
    }
}

#[test]
fn the_list_has_another_version_when_it_has_changed() {
    let dir = TempDir::new();
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let server = Server::with(runner);
    let tag = || server.send("GET", "/plugins", b"").header("etag").unwrap().to_string();
    let empty = tag();
    dir.write("bad.wasm", "rubbish");
    reload(&server.runner);
    let refused = tag();
    assert_ne!(empty, refused);
    std::fs::remove_file(dir.0.join("bad.wasm")).unwrap();
    reload(&server.runner);
    assert_eq!(tag(), empty);
}

#[test]
fn the_page_is_only_to_be_read() {
    let server = Server::start(Limits::default());
    let head = server.send("HEAD", "/", b"");
    let length: usize = head.header("content-length").unwrap().parse().unwrap();
    assert_eq!((head.status, length), (200, page().body.len()));
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let refused = server.send(method, "/", b"x");
        assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")), "{method}");
        assert_eq!(refused.header("content-security-policy"), None);
    }
}

/// The page shows faults in another colour than mistakes of clients.
#[test]
fn mistakes_of_clients_are_those_of_the_status_codes() {
    let page = page().text();
    let set = between(script(&page), "const OF_CLIENTS = new Set([", "]);")[0];
    let known: BTreeSet<&str> = set.split('\'').skip(1).step_by(2).collect();
    let all = fuelbox::gateway::http::problem::ALL;
    let of_clients: BTreeSet<&str> =
        all.iter().filter(|kind| kind.status < 500).map(|kind| kind.slug).collect();
    assert_eq!(known, of_clients);
}

/// A browser sends a header across origins only after asking by `OPTIONS`, and only if the answer allows it.
#[test]
fn pages_of_others_are_never_allowed_to_send_a_token() {
    let site = Site::new();
    std::fs::copy(prebuilt("cgi-rust.wasm"), site.plugins.0.join("locked.wasm")).unwrap();
    site.plugins.write("locked.toml", "access = \"token\"\n");
    assert!(reload(&site.runner).failed.is_empty());
    let asks = [
        ("Origin", "http://elsewhere.example"),
        ("Access-Control-Request-Method", "PUT"),
        ("Access-Control-Request-Headers", "authorization"),
    ];
    for (target, status) in [
        ("/", 405),
        ("/plugins", 405),
        ("/plugins/greet", 401),
        ("/plugins/greet/policy", 401),
        ("/execute/greet", 405),
        ("/execute/locked", 401),
    ] {
        let answer = site.client().ask("OPTIONS", target, &asks, b"");
        assert_eq!(answer.status, status, "{target}");
        assert!(!answer.head.to_ascii_lowercase().contains("access-control-"), "{}", answer.head);
    }
}

#[test]
fn nothing_comes_from_elsewhere() {
    let page = page().text();
    // Names of namespaces are looked up nowhere.
    let text = page.replace("'http://www.w3.org/2000/svg'", "");
    for from in ["http:", "https:", "data:", "ws:", "src=", "<link", "<img", "<iframe"] {
        assert!(!text.contains(from), "{from}");
    }
    let style = between(&page, "<style>", "</style>")[0];
    assert!(!style.contains("url(") && !style.contains("@import"), "{style}");
    let markup = tags(&page).join("\n");
    let hrefs = between(&markup, "href=\"", "\"");
    assert!(hrefs.contains(&"/metrics"), "{hrefs:?}");
    for href in hrefs {
        let is_here = href.starts_with('#') || (href.starts_with('/') && !href.starts_with("//"));
        assert!(is_here, "{href}");
    }
}

#[test]
fn no_text_becomes_markup_or_code() {
    let page = page().text();
    let script = script(&page);
    for sink in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "setHTML",
        "document.write",
        "DOMParser",
        "createContextualFragment",
        "srcdoc",
        "eval(",
        "Function(",
        "import(",
        "javascript:",
        "localStorage",
        "sessionStorage",
        "indexedDB",
        "document.cookie",
        "<!--",
    ] {
        assert!(!script.contains(sink), "{sink}");
    }
    for line in script.lines().filter(|line| line.contains("setTimeout")) {
        assert!(line.contains("setTimeout(poll, "), "{line}");
    }
    let tags = tags(&page);
    assert!(tags.len() > 50, "{tags:?}");
    for tag in tags {
        for attribute in tag.split_whitespace().skip(1).filter_map(|part| part.split_once('=')) {
            let name = attribute.0.to_ascii_lowercase();
            assert!(name != "style" && !name.starts_with("on"), "{tag}");
        }
    }
}

#[test]
fn every_field_has_a_label_and_every_reference_leads_somewhere() {
    let page = page().text();
    let tags = tags(&page);
    let value = |tag: &str, name: &str| -> Option<String> {
        between(tag, &format!(" {name}=\""), "\"").first().map(|value| value.to_string())
    };
    let ids: Vec<String> = tags.iter().filter_map(|tag| value(tag, "id")).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id comes twice: {ids:?}");
    let labelled: BTreeSet<String> = tags.iter().filter_map(|tag| value(tag, "for")).collect();
    for tag in &tags {
        let element = tag.split(char::is_whitespace).next().unwrap();
        if ["input", "select", "textarea"].contains(&element) {
            assert!(labelled.contains(&value(tag, "id").unwrap()), "{tag}");
        }
        for name in ["for", "aria-labelledby", "aria-describedby"] {
            let named = value(tag, name);
            assert!(named.is_none_or(|id| ids.contains(&id)), "{tag}");
        }
        if let Some(fragment) = value(tag, "href").and_then(|href| href.strip_prefix('#').map(String::from)) {
            assert!(ids.contains(&fragment), "{tag}");
        }
    }
    for id in between(script(&page), "$('", "')") {
        assert!(ids.iter().any(|known| known == id), "the script asks for #{id}");
    }
}
