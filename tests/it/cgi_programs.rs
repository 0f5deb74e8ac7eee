//! CGI programs as people write them, in five languages, behind the gateway: what they print becomes status,
//! headers and body of the answer (RFC 3875, section 6).

use crate::programs::large;
use crate::support::{Client, Reply, Server, TempDir, prebuilt};
use fuelbox::Runner;
use std::io::Write;

/// A server with a plug-in folder of the CGI programs, and the languages of those that do the same.
fn server() -> (Server, Vec<(&'static str, &'static str)>, TempDir) {
    let dir = TempDir::new();
    let mut echoes = vec![("C", "cgi-c"), ("Rust", "cgi-rust"), ("Zig", "cgi-zig")];
    for name in ["cgi-c", "cgi-rust", "cgi-zig", "wagi"] {
        let file = format!("{name}.wasm");
        std::fs::copy(prebuilt(&file), dir.0.join(&file)).unwrap();
    }
    if let Some(path) = large("cgi-go") {
        std::fs::copy(path, dir.0.join("cgi-go.wasm")).unwrap();
        echoes.push(("Go", "cgi-go"));
    }
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    let changes = runner.load_plugins(&dir.0).unwrap();
    assert!(changes.failed.is_empty(), "{changes:?}");
    (Server::with(runner), echoes, dir)
}

/// One request with these header lines more.
fn send(server: &Server, line: &str, headers: &[&str], body: &str) -> Reply {
    let mut client = Client::connect(server.address);
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let message =
        format!("{line} HTTP/1.1\r\nHost: test\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len());
    client.0.write_all(message.as_bytes()).unwrap();
    client.reply(false).expect("an answer")
}

#[test]
fn a_status_headers_and_the_request_go_through() {
    let (server, echoes, _dir) = server();
    for (language, name) in echoes {
        let line = format!("POST /execute/{name}/shelf/a%20b?x=1&y=%20");
        let headers = ["Content-Type: text/x-note", "X-Greeting: good day"];
        let reply = send(&server, &line, &headers, "line 1\r\n\r\nline 2");
        assert_eq!(reply.status, 201, "{name}: {reply:?}");
        assert!(reply.head.starts_with("HTTP/1.1 201 Created\r\n"), "{name}: {reply:?}");
        assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"), "{name}");
        assert_eq!(reply.header("x-written-in"), Some(language), "{name}");
        assert_eq!(reply.header("status"), None, "{name}");
        let expected = "POST /shelf/a b?x=1&y=%20\ntype: text/x-note\ngreeting: good day\n\
                        16 bytes:\nline 1\r\n\r\nline 2";
        assert_eq!(reply.text(), expected, "{name}");
    }
}

#[test]
fn without_a_status_it_is_200() {
    let (server, echoes, _dir) = server();
    for (language, name) in echoes {
        let reply = send(&server, &format!("GET /execute/{name}"), &[], "");
        assert_eq!(reply.status, 200, "{name}: {reply:?}");
        assert_eq!(reply.header("x-written-in"), Some(language), "{name}");
        assert_eq!(reply.text(), "GET ?\ntype: \ngreeting: \n0 bytes:\n", "{name}");
    }
}

#[test]
fn an_error_status_of_the_program_is_the_answers() {
    let (server, echoes, _dir) = server();
    for (_, name) in echoes {
        let reply = send(&server, &format!("DELETE /execute/{name}/x"), &[], "");
        assert_eq!(reply.status, 405, "{name}: {reply:?}");
        assert_eq!(reply.header("allow"), Some("GET, POST"), "{name}");
        assert_eq!(reply.header("content-type"), Some("text/plain"), "{name}");
        assert_eq!(reply.text(), "not DELETE\n", "{name}");
    }
}

/// As programs for Wagi do: a Content-Type, an empty line, the body; lines end with a newline alone.
#[test]
fn a_program_for_wagi_runs_unchanged() {
    let (server, _, _dir) = server();
    for (target, expected) in [
        ("/execute/wagi", "Hello, *World*\n"),
        ("/execute/wagi/Ada", "Hello, *Ada*\n"),
        ("/execute/wagi/Ada?Good+day", "Good+day, *Ada*\n"),
    ] {
        let reply = send(&server, &format!("GET {target}"), &[], "");
        assert_eq!(reply.status, 200, "{target}: {reply:?}");
        assert_eq!(reply.header("content-type"), Some("text/markdown"), "{target}");
        assert_eq!(reply.text(), expected, "{target}");
    }
}
