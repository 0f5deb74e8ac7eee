//! What a guest can send, and what it cannot.

use super::server::{Upstream, ok};
use super::{run, text};
use fuelbox::Limits;

fn send(upstream: &Upstream, func: &str, more: &str) -> Result<String, String> {
    let input = format!(r#"{{"url": "{}"{more}}}"#, upstream.url("/x"));
    text(run(&[&upstream.pattern("/*")], &Limits::default(), func, &input))
}

fn echo() -> Upstream {
    Upstream::of(|request| ok(request.split_once("\r\n\r\n").map_or("", |(_, body)| body)))
}

#[test]
fn methods_headers_and_bodies_arrive() {
    let upstream = echo();
    for method in ["POST", "PUT", "PATCH", "DELETE", "PROPFIND", "GET"] {
        let more = format!(
            r#", "method": "{method}", "headers": {{"X-Mine": "äö", "Content-Length": "1", "User-Agent": "me"}}"#
        );
        let sent = send(&upstream, "post", &more).unwrap();
        assert!(sent.contains(&format!(r#""method": "{method}""#)), "{method}: {sent}");
        let head = upstream.requests().pop().unwrap();
        assert!(head.starts_with(&format!("{method} /x HTTP/1.1\r\n")), "{head}");
        let head = head.to_lowercase();
        assert!(head.contains("x-mine: äö\r\n") && head.contains("user-agent: me\r\n"), "{head}");
        // The host counts the body itself.
        assert!(head.contains(&format!("content-length: {}\r\n", sent.len())), "{head}");
        assert_eq!(head.matches("content-length:").count(), 1, "{head}");
        assert!(!head.contains("transfer-encoding"), "{head}");
    }
    assert_eq!(send(&upstream, "ask", r#", "method": null, "headers": null"#), Ok(String::new()));
    assert_eq!(send(&upstream, "ask", r#", "method": "POST""#), Ok(String::new()));
    assert!(upstream.requests().pop().unwrap().to_lowercase().contains("content-length: 0\r\n"));
}

#[test]
fn what_could_split_or_misdirect_a_request_is_refused() {
    let upstream = echo();
    for more in [
        r#", "method": "GET / HTTP/1.1\r\nX: y\r\n\r\nGET""#,
        r#", "method": "GET\u0000""#,
        r#", "method": "CONNECT""#,
        r#", "method": "TRACE""#,
        r#", "method": " ""#,
        r#", "headers": {"X": "a\r\nHost: evil"}"#,
        r#", "headers": {"X": "a\nb"}"#,
        r#", "headers": {"X": "a\u0000"}"#,
        r#", "headers": {"X\r\nHost": "evil"}"#,
        r#", "headers": {"X y": "a"}"#,
        r#", "headers": {"": "a"}"#,
        r#", "headers": {"Host": "evil.example"}"#,
        r#", "headers": {"host": "evil.example"}"#,
        r#", "headers": {"Transfer-Encoding": "chunked"}"#,
        r#", "headers": {"Connection": "keep-alive, X"}"#,
        r#", "headers": {"Upgrade": "h2c"}"#,
        r#", "headers": {"Expect": "100-continue"}"#,
        r#", "headers": {"Proxy-Authorization": "x"}"#,
        r#", "headers": {"X": 1}"#,
        r#", "headers": []"#,
        r#", "method": 7"#,
    ] {
        assert!(send(&upstream, "ask", more).is_err(), "{more}");
    }
    for input in ["", "{", "[]", "{}", r#"{"url": 1}"#, &" ".repeat(100_000), &"[".repeat(60_000)] {
        let ran = run(&[&upstream.pattern("/*")], &Limits::default(), "ask", input).result;
        assert!(matches!(&ran, Err(fuelbox::Stop::Trap(what)) if what.contains("http_request: ")), "{ran:?}");
    }
    assert!(upstream.requests().is_empty(), "{:?}", upstream.requests());
}

#[test]
fn a_compressed_body_is_handed_on_as_it_is() {
    // It would be large if anybody decompressed it.
    let body = b"\x1f\x8b\x08not really";
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", body.len());
    let upstream = Upstream::answering(&[head.as_bytes(), body].concat());
    let input = format!(r#"{{"url": "{}", "headers": {{"Accept-Encoding": "gzip"}}}}"#, upstream.url("/"));
    let ran = run(&[&upstream.pattern("/*")], &Limits::default(), "ask", &input).result;
    assert_eq!(ran.as_deref(), Ok(&body[..]));
}
