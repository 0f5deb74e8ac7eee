//! Guests and servers that want to get elsewhere.

use super::server::{Upstream, ok, redirect};
use super::{ask, get, run, text};
use fuelbox::{GuestEnv, Limits, Stop};
use std::io::Write;
use std::time::Duration;

#[test]
fn no_way_of_writing_a_url_gets_around_the_list() {
    let upstream = Upstream::of(|_| ok("inside"));
    let port = upstream.address.port();
    let list = [&*upstream.pattern("/v1/*"), &*format!("http://allowed.example:{port}/*")];
    for url in [
        format!("http://127.0.0.1:{port}/v1/../admin"),
        format!("http://127.0.0.1:{port}/v1/%2e%2e/admin"),
        format!("http://127.0.0.1:{port}/v1/.%2E/admin"),
        format!("http://127.0.0.1:{port}/v1/%252e%252e/admin"),
        format!("http://127.0.0.1:{port}/v1/..%2fadmin"),
        format!("http://127.0.0.1:{port}/v1/..%5cadmin"),
        format!("http://127.0.0.1:{port}/v1/..\\\\admin"),
        format!("http://127.0.0.1:{port}/v1/..;/admin"),
        format!("http://127.0.0.1:{port}//v1/x"),
        format!("http://127.0.0.1:{port}/V1/x"),
        format!("http://127.0.0.1:{port}"),
        format!("http://allowed.example@127.0.0.1:{port}/admin"),
        format!("http://allowed.example:{port}@127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}\\\\@allowed.example:{port}/"),
        format!("http://127.0.0.1:{port}#@allowed.example:{port}/"),
        format!("http://127.0.0.1:{port}?@allowed.example:{port}/"),
        format!("http://2130706433:{port}/v1/x"),
        format!("http://0x7f000001:{port}/v1/x"),
        format!("http://0x7f.1:{port}/v1/x"),
        format!("http://0177.0.0.1:{port}/v1/x"),
        format!("http://127.1:{port}/v1/x"),
        format!("http://127.0.0.1.:{port}/v1/x"),
        format!("http://[::ffff:127.0.0.1]:{port}/v1/x"),
        format!("http://[::1]:{port}/v1/x"),
        format!("http://localhost:{port}/v1/x"),
        format!("http://0.0.0.0:{port}/v1/x"),
        format!("http://127.0.0.2:{port}/v1/x"),
        format!("http://①②⑦.0.0.1:{port}/v1/x"),
        format!("https://127.0.0.1:{port}/v1/x"),
        format!("HTTP://127.0.0.1:{}/v1/x", port ^ 1),
        format!("ftp://127.0.0.1:{port}/v1/x"),
        "file:///etc/passwd".into(),
        format!(" http://127.0.0.1:{port}/v1/x"),
        format!("http://127.0.0.1:{port}/v1/x HTTP/1.1\\r\\nX: y"),
    ] {
        let refused = ask(&list, &url).expect_err(&url);
        assert!(refused.contains("not allowed") || refused.contains("no URL"), "{url}: {refused}");
    }
    assert!(upstream.requests().is_empty(), "{:?}", upstream.requests());
    assert_eq!(ask(&list, &format!("HTTP://127.0.0.1:{port}/v0/../%76%31/x#y")), Ok("inside".into()));
    assert!(upstream.requests()[0].starts_with("GET /v1/x HTTP/1.1\r\n"));
}

#[test]
fn a_name_that_leads_home_is_refused() {
    let upstream = Upstream::of(|_| ok("inside"));
    let port = upstream.address.port();
    // The host's own name usually has an address of its network, and these are in every /etc/hosts, or nowhere.
    let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    for name in ["ip6-localhost", "localhost.localdomain", own.trim()] {
        if name.is_empty() || name.bytes().any(|b| !b.is_ascii_alphanumeric() && b != b'-' && b != b'.') {
            continue;
        }
        let refused =
            ask(&[&format!("http://{name}:{port}/*")], &format!("http://{name}:{port}/")).expect_err(name);
        assert!(
            ["no public address", "not found", "no address", "too long"]
                .iter()
                .any(|why| refused.contains(why)),
            "{refused}"
        );
    }
    assert!(upstream.requests().is_empty());
    // Who says so gets there.
    assert_eq!(
        ask(&[&format!("http://localhost:{port}/*")], &format!("http://localhost:{port}/")),
        Ok("inside".into())
    );
}

#[test]
fn a_redirect_is_a_call_like_another() {
    let inner = Upstream::of(|_| ok("inner"));
    let to = inner.url("/secret");
    let upstream = Upstream::of(move |request| match request.split(' ').nth(1) {
        Some("/away") => redirect(302, &to),
        Some("/file") => redirect(302, "file:///etc/passwd"),
        Some("/meta") => redirect(301, "http://169.254.169.254/latest/meta-data/"),
        Some("/up") => redirect(307, "/v1/../admin"),
        Some("/loop") => redirect(302, "/loop"),
        Some("/near") => redirect(308, "there"),
        Some("/odd") => redirect(302, "http://127.0.0.1@evil.example/"),
        Some("/none") => "HTTP/1.1 302 X\r\nContent-Length: 4\r\n\r\nhere".into(),
        _ => ok("there"),
    });
    let of = |path: &str| {
        let paths = ["/away", "/file", "/meta", "/up", "/loop", "/near", "/there", "/odd", "/none", "/v1/*"];
        let list: Vec<String> = paths.iter().map(|path| upstream.pattern(path)).collect();
        ask(&list.iter().map(String::as_str).collect::<Vec<_>>(), &upstream.url(path))
    };
    for (path, why) in [
        ("/away", "not allowed"),
        ("/file", "no URL"),
        ("/meta", "not allowed"),
        ("/up", "not allowed"),
        ("/odd", "user information"),
        ("/loop", "redirects"),
    ] {
        let refused = of(path).expect_err(path);
        assert!(refused.contains(why), "{path}: {refused}");
    }
    assert!(inner.requests().is_empty());
    assert_eq!((of("/near"), of("/none")), (Ok("there".into()), Ok("here".into())));
    let both = [&*upstream.pattern("/*"), &*inner.pattern("/*")];
    assert_eq!(ask(&both, &upstream.url("/away")), Ok("inner".into()));
}

#[test]
fn credentials_stay_with_their_origin() {
    let inner = Upstream::of(|_| ok("inner"));
    let to = inner.url("/");
    let upstream = Upstream::of(move |_| redirect(307, &to));
    let input = format!(
        r#"{{"url": "{}", "headers": {{"Authorization": "Bearer secret", "Cookie": "secret", "X-Mine": "kept"}}}}"#,
        upstream.url("/")
    );
    let list = [&*upstream.pattern("/*"), &*inner.pattern("/*")];
    assert_eq!(text(run(&list, &Limits::default(), "ask", &input)), Ok("inner".into()));
    assert_eq!(upstream.requests()[0].matches("secret").count(), 2);
    let there = &inner.requests()[0];
    assert!(!there.contains("secret") && there.to_lowercase().contains("x-mine: kept"), "{there}");
}

#[test]
fn a_proxy_of_the_environment_is_not_used() {
    let dir = crate::support::TempDir::new();
    dir.write("guest.wasm", crate::support::wat(super::GUEST));
    let upstream = Upstream::of(|_| ok("direct"));
    let proxy = Upstream::of(|_| ok("by proxy"));
    for confine in ["on", "off"] {
        let (pattern, input) = (upstream.pattern("/*"), get(&upstream.url("/")));
        let args =
            ["call", "--confine", confine, "--allow-http", &pattern, "guest.wasm", "ask", "--data", &input];
        let mut command = crate::support::fuelbox_command(&dir.0, &args);
        for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy"] {
            command.env(name, format!("http://{}", proxy.address));
        }
        let ran = command.output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&ran.stdout),
            "direct",
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
    }
    assert!(proxy.requests().is_empty());
}

#[test]
fn what_is_no_http_is_no_response() {
    for response in [
        &b""[..],
        b"\0\0\0",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX\r\n\r\n",
    ] {
        let upstream = Upstream::answering(response);
        let refused = ask(&[&upstream.pattern("/*")], &upstream.url("/"));
        assert!(refused.is_err(), "{:?}: {refused:?}", String::from_utf8_lossy(response));
    }
    // A length that grows without an end.
    let upstream = Upstream::with(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream
            .write_all(b"X-More: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")
            .is_ok()
        {}
    });
    let refused = ask(&[&upstream.pattern("/*")], &upstream.url("/")).unwrap_err();
    assert!(refused.contains("HTTP request to"), "{refused}");
}

#[test]
fn a_call_can_be_cancelled() {
    let cancel = fuelbox::Cancel::default();
    let stop = cancel.clone();
    let upstream = Upstream::with(move |_, _| {
        stop.cancel();
        std::thread::sleep(Duration::from_secs(30));
    });
    let limits = Limits { deadline: None, ..Limits::default() };
    let env = GuestEnv { cancel: Some(cancel), ..GuestEnv::default() };
    let ran = super::run_with(&[&upstream.pattern("/*")], &limits, env, ("ask", &get(&upstream.url("/"))));
    assert_eq!(ran.result, Err(Stop::Cancelled));
    assert!(ran.usage.run < Duration::from_secs(20), "{:?}", ran.usage);
}
