//! Header fields that programs send: what is the gateway's own word, what would reach beyond the answer, and cookies.

use crate::cgi::ECHO;
use crate::support::{Client, Reply, Server, TempDir, built, prebuilt, wat};
use fuelbox::Runner;
use std::io::Write;

/// The same program under four names.
fn server() -> (Server, TempDir) {
    let dir = TempDir::new();
    for name in ["echo", "echo2", "a b", "a;b"] {
        dir.write(&format!("{name}.wasm"), wat(ECHO));
    }
    dir.write("greet.wasm", std::fs::read(prebuilt("greet.wasm")).unwrap());
    dir.write("add.wasm", std::fs::read(prebuilt("add.wasm")).unwrap());
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    assert!(runner.load_plugins(&dir.0).unwrap().failed.is_empty());
    (Server::with(runner), dir)
}

/// The values of a field, in their order.
fn values<'a>(reply: &'a Reply, name: &str) -> Vec<&'a str> {
    let fields = reply.head.lines().filter_map(|line| line.split_once(':'));
    fields.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
}

const SANDBOX: &str = "sandbox allow-downloads allow-forms allow-popups allow-scripts";

#[test]
fn what_the_gateway_says_is_said_by_it_alone() {
    let (server, _dir) = server();
    for media in ["text/html", "text/plain", "application/json", "image/svg+xml"] {
        let output = format!(
            "Content-Type: {media}\nServer-Timing: instantiate;dur=0, run;dur=0\nserver-timing: forged\nFuel-Used: 1\n\
             X-Request-Id: forged\nX-Content-Type-Options: forged\nx-content-type-options: forged\nServer: forged\n\
             Date: forged\nX-Mine: kept\n\nbody"
        );
        let reply = server.send("POST", "/execute/echo", output.as_bytes());
        assert_eq!((reply.status, reply.text().as_str()), (200, "body"));
        assert!(!reply.head.contains("forged"), "{}", reply.head);
        assert_eq!(values(&reply, "x-content-type-options"), ["nosniff"], "{media}");
        assert_eq!(values(&reply, "x-mine"), ["kept"]);
        for name in ["server-timing", "fuel-used", "x-request-id", "server", "date"] {
            assert_eq!(values(&reply, name).len(), 1, "{media}: {name}: {}", reply.head);
        }
        assert_ne!(values(&reply, "fuel-used"), ["1"]);
        assert!(values(&reply, "server-timing")[0].starts_with("instantiate;dur=0."), "{}", reply.head);
    }
    // With what is no CGI document too.
    for (target, body) in
        [("/execute/greet", "World"), ("/execute/add?func=add", "1 2"), ("/execute/echo", "text")]
    {
        let reply = server.send("POST", target, body.as_bytes());
        assert_eq!(
            (reply.status, values(&reply, "x-content-type-options")),
            (200, vec!["nosniff"]),
            "{target}"
        );
    }
    // With every answer, be it a problem that tells what a guest said, or one of the gateway alone.
    for (method, target, body, status) in [
        ("POST", "/execute/echo", "Status: 1\n\n<p>", 500),
        ("POST", "/execute/add?func=<p>", "", 404),
        ("POST", "/execute/none", "", 404),
        ("GET", "/", "", 200),
        ("GET", "/plugins", "", 200),
        ("GET", "/healthz", "", 200),
        ("TRACE", "/plugins", "", 405),
        ("GET", "nonsense", "", 400),
    ] {
        let reply = server.send(method, target, body.as_bytes());
        assert_eq!(
            (reply.status, values(&reply, "x-content-type-options")),
            (status, vec!["nosniff"]),
            "{target}"
        );
    }
}

/// Of several policies each holds, but some clients look at the first alone.
#[test]
fn a_programs_own_content_security_policy_comes_after_the_gateways() {
    let (server, _dir) = server();
    let output = "Content-Security-Policy: default-src *\nContent-Type: text/html\ncontent-security-policy: img-src *\n\n<p>";
    let reply = server.send("POST", "/execute/echo", output.as_bytes());
    assert_eq!(values(&reply, "content-security-policy"), [SANDBOX, "default-src *", "img-src *"]);
    // The fields of a 304 replace those that a browser has with the page.
    for media in ["", "Content-Type: text/plain\n"] {
        let output = format!("Status: 304\n{media}Content-Security-Policy: img-src *\n\n");
        let reply = server.send("POST", "/execute/echo", output.as_bytes());
        assert_eq!(
            (reply.status, values(&reply, "content-security-policy")),
            (304, vec![SANDBOX, "img-src *"])
        );
    }
    let plain = server.send("POST", "/execute/echo", b"Content-Security-Policy: img-src *\n\ntext");
    assert_eq!(values(&plain, "content-security-policy"), ["img-src *"]);
}

#[test]
fn no_content_type_that_a_browser_could_take_for_a_page_goes_without_the_sandbox() {
    let (server, _dir) = server();
    for (media, is_shown_as_it_is) in [
        ("text/plain", true),
        ("text/plain; charset=latin1", true),
        ("application/json", true),
        ("application/octet-stream", true),
        ("text/html", false),
        ("Text/HTML ; charset=utf-8", false),
        ("image/svg+xml", false),
        ("application/xhtml+xml", false),
        ("x", false),
        ("", false),
        // Browsers take the last of a list (Fetch, "extract a MIME type").
        ("text/plain, text/html", false),
        ("text/plain;a, text/html", false),
        ("application/json;a=b,text/html;c=d", false),
        ("text/plain,", false),
    ] {
        let reply = server.send("POST", "/execute/echo", format!("Content-Type: {media}\n\n<p>").as_bytes());
        assert_eq!(reply.status, 200, "{media}");
        assert_eq!(values(&reply, "content-security-policy").is_empty(), is_shown_as_it_is, "{media}");
        assert_eq!(values(&reply, "x-content-type-options"), ["nosniff"], "{media}");
    }
    // Its parts have header fields of their own, cookies among them.
    for media in [
        "multipart/x-mixed-replace; boundary=a",
        "Multipart/X-Mixed-Replace",
        "a/b, multipart/x-mixed-replace;boundary=a",
    ] {
        let reply = server.send("POST", "/execute/echo", format!("Content-Type: {media}\n\n--a").as_bytes());
        assert_eq!((reply.status, reply.problem().as_str()), (500, "convention"), "{media}");
    }
}

#[test]
fn fields_that_reach_beyond_the_answer_are_left_out() {
    let (server, _dir) = server();
    let out = "Clear-Site-Data|Strict-Transport-Security|Service-Worker-Allowed|Public-Key-Pins|\
               public-key-pins-report-only|Expect-CT|Alt-Svc|NEL|Report-To|Accept-CH|Critical-CH|Set-Login|Set-Cookie2|\
               Secure-Session-Registration|Sec-Session-Registration|Use-As-Dictionary|X-Accel-Redirect|x-accel-expires|\
               X-Sendfile|X-SENDFILE-TYPE|X-Lighttpd-Send-File|X-Reproxy-URL|X-Envoy-Retry-On|Surrogate-Control|\
               surrogate-key|CDN-Cache-Control|Edge-Control";
    let kept = "Access-Control-Allow-Origin|Access-Control-Allow-Credentials|Refresh|Link|Reporting-Endpoints|X-Frame-Options|\
                Content-Security-Policy-Report-Only|Cache-Control|ETag|Vary|WWW-Authenticate|X-Acceleration|X-Send";
    let lines: String =
        out.split('|').chain(kept.split('|')).map(|name| format!("{name}: value\n")).collect();
    let reply =
        server.send("POST", "/execute/echo", format!("Content-Type: text/html\n{lines}\n<p>").as_bytes());
    assert_eq!((reply.status, reply.text().as_str()), (200, "<p>"));
    for name in out.split('|') {
        assert!(values(&reply, name).is_empty(), "{name}: {}", reply.head);
    }
    for name in kept.split('|') {
        assert_eq!(values(&reply, name), ["value"], "{name}");
    }
}

#[test]
fn cookies_stay_below_their_programs_path() {
    let (server, _dir) = server();
    for (cookie, becomes) in [
        ("a=b", "a=b; Path=/execute/echo"),
        ("a=b; Path=/", "a=b; Path=/execute/echo"),
        ("a=b;path=/;PATH=/execute/echo2", "a=b; Path=/execute/echo"),
        ("a=b; Path=/execute/echo", "a=b; Path=/execute/echo"),
        ("a=b; Path=/execute/echo/", "a=b; Path=/execute/echo/"),
        ("a=b; Path=/; Path = /execute/echo/x ", "a=b; Path=/execute/echo/x"),
        ("a=b; Path=/execute/echo/x; Path=/", "a=b; Path=/execute/echo"),
        ("a=b; Path=/execute/echo2", "a=b; Path=/execute/echo"),
        ("a=b; Path=/execute/ech", "a=b; Path=/execute/echo"),
        ("a=b; Path=", "a=b; Path=/execute/echo"),
        ("a=b; Path", "a=b; Path=/execute/echo"),
        ("a=b; Path=\"/\"", "a=b; Path=/execute/echo"),
        ("a=b; Domain=example.org; domain=a", "a=b; Path=/execute/echo"),
        (
            "a=b; Secure; HttpOnly; SameSite=Strict; Max-Age=5",
            "a=b; Secure; HttpOnly; SameSite=Strict; Max-Age=5; Path=/execute/echo",
        ),
        (
            "a=b; Expires=Wed, 21 Oct 2015 07:28:00 GMT",
            "a=b; Expires=Wed, 21 Oct 2015 07:28:00 GMT; Path=/execute/echo",
        ),
        ("a=b; Partitioned; Priority=High; What=ever;;", "a=b; Partitioned; Path=/execute/echo"),
        (" a = b ", "a = b; Path=/execute/echo"),
        ("a", "a; Path=/execute/echo"),
    ] {
        let reply = server.send("POST", "/execute/echo/x?y", format!("Set-Cookie: {cookie}\n\n").as_bytes());
        assert_eq!(values(&reply, "set-cookie"), [becomes], "{cookie}");
    }
    for nothing in ["", ";Path=/", " ; a=b"] {
        let reply =
            server.send("POST", "/execute/echo", format!("Set-Cookie: {nothing}\nX-A: b\n\n").as_bytes());
        assert_eq!(
            (reply.status, values(&reply, "set-cookie").len(), values(&reply, "x-a").len()),
            (200, 0, 1)
        );
    }
    // As the client wrote it: a browser compares what it has in its address.
    for (target, path) in [
        ("/execute/a%20b/x", Some("/execute/a%20b")),
        ("/execute/%65cho", Some("/execute/%65cho")),
        ("/execute/echo.wasm?x", Some("/execute/echo.wasm")),
        // `Path=/execute/a;b` would be the path of another plug-in.
        ("/execute/a;b", None),
        ("/execute/a%3bb", Some("/execute/a%3bb")),
    ] {
        let reply = server.send("POST", target, b"Set-Cookie: a=b; Path=/\n\n");
        let expected: Vec<String> = path.into_iter().map(|path| format!("a=b; Path={path}")).collect();
        assert_eq!(
            (reply.status, values(&reply, "set-cookie")),
            (200, expected.iter().map(|v| &**v).collect()),
            "{target}"
        );
    }
}

/// Cookies as a browser keeps them: their path, and name and value.
#[derive(Default)]
struct Jar(Vec<(String, String)>);

impl Jar {
    /// RFC 6265, section 5.2; none of these programs' cookies goes without a path.
    fn keep(&mut self, reply: &Reply) {
        for cookie in values(reply, "set-cookie") {
            let mut parts = cookie.split("; ");
            let pair = parts.next().unwrap();
            let path = parts.filter_map(|part| part.strip_prefix("Path=")).last().unwrap_or("/");
            self.0.push((path.into(), pair.into()));
        }
    }

    /// Section 5.1.4.
    fn for_path(&self, path: &str) -> String {
        let fits = |cookie: &str| {
            path.strip_prefix(cookie)
                .is_some_and(|rest| rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/'))
        };
        let pairs = self.0.iter().filter(|(cookie, _)| fits(cookie)).map(|(_, pair)| &**pair);
        pairs.collect::<Vec<_>>().join("; ")
    }
}

#[test]
fn a_browser_full_of_programs_cookies_still_sees_the_console() {
    let (server, _dir) = server();
    let mut jar = Jar::default();
    for name in ["echo", "echo2"] {
        for number in 0..5 {
            let cookies = format!("Set-Cookie: {name}-{number}={}; Path=/\n", "x".repeat(4000));
            let reply = server.send("POST", &format!("/execute/{name}"), format!("{cookies}\nx").as_bytes());
            assert_eq!(reply.status, 200);
            jar.keep(&reply);
        }
    }
    assert!(jar.0.iter().map(|(_, pair)| pair.len()).sum::<usize>() > 40_000);
    let mut client = Client::connect(server.address);
    for path in built(&["/", "/plugins", "/openapi.json", "/healthz", "/metrics", "/execute/greet"]) {
        let cookies = jar.for_path(path);
        assert_eq!(cookies, "", "{path}");
        let method = if path.starts_with("/execute") { "POST" } else { "GET" };
        let fields: &[(&str, &str)] = if cookies.is_empty() { &[] } else { &[("Cookie", &cookies)] };
        assert_eq!(client.ask(method, path, fields, b"x").status, 200, "{path}");
    }
    // A program sees its own alone; with too many of them it is out of reach, and nobody else is.
    assert!(
        jar.for_path("/execute/echo").len() > 20_000 && !jar.for_path("/execute/echo").contains("echo2-")
    );
    let too_many =
        format!("GET /execute/echo HTTP/1.1\r\nHost: a\r\nCookie: {}\r\n\r\n", jar.for_path("/execute/echo"));
    let mut other = Client::connect(server.address);
    other.0.write_all(too_many.as_bytes()).unwrap();
    assert_eq!(other.reply(false).unwrap().status, 431);
}
