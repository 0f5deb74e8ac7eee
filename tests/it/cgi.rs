//! Programs as HTTP functions: what they find in their environment, and what their output becomes.

use crate::support::{Client, Reply, Server, TempDir, wat};
use fuelbox::gateway::routes::cgi_response;
use fuelbox::{Limits, Runner, RunnerConfig};
use std::io::Write;

/// Writes its environment, each entry ended by NUL.
pub const ENV: &str = r#"(module
    (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_get" (func $get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
        (drop (call $sizes (i32.const 0) (i32.const 20)))
        (drop (call $get (i32.const 1000) (i32.const 4000)))
        (i32.store (i32.const 16) (i32.const 4000))
        (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 32)))))"#;

/// Writes its standard input.
pub const ECHO: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 2)
    (func (export "_start")
        (i32.store (i32.const 0) (i32.const 16))
        (i32.store (i32.const 4) (i32.const 100000))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 4)))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

fn server() -> (Server, TempDir) {
    let dir = TempDir::new();
    dir.write("env.wasm", wat(ENV));
    dir.write("echo.wasm", wat(ECHO));
    let runner =
        Runner::new(RunnerConfig { limits: Limits::default(), ..crate::support::runner_config() }).unwrap();
    runner.load_built_in().unwrap();
    assert!(runner.load_plugins(&dir.0).unwrap().failed.is_empty());
    (Server::with(runner), dir)
}

/// The environment of a guest that gets this request.
fn env_of(server: &Server, request: &str) -> Vec<String> {
    let mut client = Client::connect(server.address);
    client.0.write_all(request.as_bytes()).unwrap();
    let reply = client.reply(false).expect("an answer");
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.text().split_terminator('\0').map(str::to_string).collect()
}

#[track_caller]
fn has(env: &[String], entries: &[&str]) {
    for entry in entries {
        assert!(env.iter().any(|known| known == entry), "{entry} is not in {env:#?}");
    }
}

fn value<'a>(env: &'a [String], name: &str) -> Option<&'a str> {
    env.iter().find_map(|entry| entry.strip_prefix(name)?.strip_prefix('='))
}

#[test]
fn a_program_finds_the_request_in_its_environment() {
    let (server, _dir) = server();
    let request = "PUT /execute/env/a%20b/c%2fd/?x=%20y&func=z HTTP/1.1\r\nHost: box.lan:8080\r\nContent-Type: a/b\r\n\
                   Content-Length: 3\r\nX-Some-Thing: one\r\nx-some-thing: two\r\nCookie: a=b\r\nCookie: c=d\r\n\r\nabc";
    let env = env_of(&server, request);
    has(
        &env,
        &[
            "GATEWAY_INTERFACE=CGI/1.1",
            "SERVER_PROTOCOL=HTTP/1.1",
            "SERVER_NAME=box.lan",
            "SERVER_PORT=8080",
            "REQUEST_METHOD=PUT",
            "SCRIPT_NAME=/execute/env",
            "PATH_INFO=/a b/c/d/",
            "QUERY_STRING=x=%20y&func=z",
            "REMOTE_ADDR=127.0.0.1",
            "REMOTE_HOST=127.0.0.1",
            "CONTENT_LENGTH=3",
            "CONTENT_TYPE=a/b",
            "HTTP_HOST=box.lan:8080",
            "HTTP_X_SOME_THING=one, two",
            "HTTP_COOKIE=a=b; c=d",
            "X_RAW_PATH_INFO=/a%20b/c%2fd/",
            "X_FULL_URL=http://box.lan:8080/execute/env/a%20b/c%2fd/?x=%20y&func=z",
        ],
    );
    assert!(value(&env, "SERVER_SOFTWARE").unwrap().starts_with("fuelbox/"));
    let names: std::collections::HashSet<_> = env.iter().map(|e| e.split('=').next()).collect();
    assert_eq!(names.len(), env.len(), "a name came twice: {env:#?}");
}

#[test]
fn without_body_path_query_or_host_little_is_set() {
    let (server, _dir) = server();
    let env = env_of(&server, "GET /execute/env.wasm HTTP/1.0\r\n\r\n");
    has(
        &env,
        &[
            "REQUEST_METHOD=GET",
            "PATH_INFO=",
            "QUERY_STRING=",
            "SERVER_PROTOCOL=HTTP/1.0",
            "SERVER_NAME=localhost",
        ],
    );
    for name in ["CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_HOST", "AUTH_TYPE", "PATH_TRANSLATED"] {
        assert_eq!(value(&env, name), None, "{name}");
    }
    let env = env_of(&server, "GET /execute/env HTTP/1.1\r\nHost: a'$(b)\r\n\r\n");
    has(&env, &["SERVER_NAME=localhost", "SERVER_PORT=80", "HTTP_HOST=a'$(b)"]);
    let env = env_of(&server, "GET /execute/env HTTP/1.1\r\nHost: [::1]:99\r\n\r\n");
    has(&env, &["SERVER_NAME=[::1]", "SERVER_PORT=99"]);
}

#[test]
fn credentials_the_proxy_and_what_concerns_the_connection_stay_outside() {
    let (server, _dir) = server();
    let request = "POST /execute/env HTTP/1.1\r\nHost: h\r\nproxy: http://evil\r\nAuthorization: Bearer s3cret\r\n\
                   Proxy-Authorization: Basic s3cret\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: 5\r\nTE: trailers\r\nTrailer: x\r\n\
                   Upgrade: h2c\r\nExpect: 100-continue\r\nX_Forged_Name: s3cret\r\nX-Forged: fine\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let mut client = Client::connect(server.address);
    client.0.write_all(request.as_bytes()).unwrap();
    let mut reply = client.reply(false).unwrap();
    if reply.status == 100 {
        reply = client.reply(false).unwrap();
    }
    let text = reply.text();
    let env: Vec<String> = text.split_terminator('\0').map(str::to_string).collect();
    assert!(!text.contains("s3cret") && !text.contains("evil"), "{text}");
    // The request's name (`request_id.rs`) is the gateway's own here.
    let http: Vec<_> =
        env.iter().filter(|entry| entry.starts_with("HTTP_") && !entry.contains("_ID=")).collect();
    assert_eq!(http, ["HTTP_HOST=h", "HTTP_X_FORGED=fine"]);
}

#[test]
fn every_method_reaches_a_program_and_only_post_a_function() {
    let (server, _dir) = server();
    for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"] {
        let env = env_of(&server, &format!("{method} /execute/env HTTP/1.1\r\nHost: h\r\n\r\n"));
        has(&env, &[&format!("REQUEST_METHOD={method}")]);
    }
    let head = server.send("HEAD", "/execute/env", b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_ne!(head.header("content-length"), Some("0"), "as GET would have it");
    let reply = server.send("GET", "/execute/greet", b"");
    assert_eq!(
        (reply.status, reply.problem().as_str(), reply.header("allow")),
        (405, "method-not-allowed", Some("POST"))
    );
    let reply = server.send("POST", "/execute/greet/more", b"x");
    assert_eq!((reply.status, reply.problem().as_str()), (404, "no-such-route"));
    let reply = server.send("GET", "/execute/nope/more", b"");
    assert_eq!((reply.status, reply.problem().as_str()), (404, "no-such-plugin"));
    let reply = server.send("GET", "/execute/env/a%00b", b"");
    assert_eq!((reply.status, reply.problem().as_str()), (400, "bad-request"));
    let env = env_of(&server, "GET /execute/env/%ff%0d%0a HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(value(&env, "PATH_INFO").unwrap().ends_with("\r\n"), "bytes as they are");
}

#[test]
fn a_header_block_sets_status_and_headers() {
    let (server, _dir) = server();
    let answer = |output: &[u8]| server.send("POST", "/execute/echo", output);
    let reply = answer(b"Status: 201 Made\r\nContent-Type: text/html\r\nX-Two:  a: b \nSet-Cookie: a=1\nSet-Cookie: b=2\n\n<p>\n\n\xff");
    assert_eq!((reply.status, reply.body.as_slice()), (201, &b"<p>\n\n\xff"[..]));
    assert_eq!((reply.header("content-type"), reply.header("x-two")), (Some("text/html"), Some("a: b")));
    assert_eq!(reply.head.matches("Set-Cookie: ").count(), 2, "{}", reply.head);
    assert!(reply.header("fuel-used").is_some());
    let reply = answer(b"Location: https://elsewhere/\n\n");
    assert_eq!((reply.status, reply.header("location")), (302, Some("https://elsewhere/")));
    let reply = answer(b"Location: /here\nStatus: 307\n\nmoved");
    assert_eq!((reply.status, reply.text().as_str()), (307, "moved"));
    let reply = answer(b"Content-Type: text/plain\nContent-Length: 3\nServer: me\nDate: now\n\nabc");
    assert_eq!((reply.status, reply.text().as_str()), (200, "abc"));
    for name in ["\nserver:", "\ndate:", "\ncontent-length:", "\ncontent-type:"] {
        assert_eq!(reply.head.to_ascii_lowercase().matches(name).count(), 1, "{}", reply.head);
    }
    for code in [204, 304] {
        let mut client = Client::connect(server.address);
        let reply = client.send("POST", "/execute/echo", format!("Status: {code}\n\nbody").as_bytes());
        assert_eq!((reply.status, reply.body.len()), (code, 0));
        assert_eq!(client.send("POST", "/execute/echo", b"next").text(), "next", "the connection goes on");
    }
}

#[test]
fn what_is_no_header_block_is_the_body() {
    let (server, _dir) = server();
    let long = [&b"Content-Type: a/b\n"[..], &b"X-A: b\n".repeat(101), b"\nbody"].concat();
    let large = [&b"Content-Type: a/b\nX-A: "[..], &[b'a'; 16_384], b"\n\nbody"].concat();
    for output in [
        &b""[..],
        b"\n",
        b"\n\nbody",
        b"plain text",
        b"Content-Type: text/html",
        b"Content-Type: text/html\n",
        b"Status: ok\nall is fine\n\n",
        b"Total: 5\n\nthe rest",
        b"a b: c\n\n",
        b": nothing\n\n",
        b"\xff: x\n\n",
        b"{\"a\": 1}\n\n",
        b"Content-Type : text/html\n\nx",
        b" Content-Type: text/html\n\nx",
        &long,
        &large,
    ] {
        let reply = server.send("POST", "/execute/echo", output);
        assert_eq!(reply.status, 200);
        assert!(reply.body == output, "{:?} became {:?}", String::from_utf8_lossy(output), reply.text());
    }
    // One line and one byte less are a block.
    let long = [&b"Content-Type: a/b\n"[..], &b"X-A: b\n".repeat(99), b"\nbody"].concat();
    assert_eq!(server.send("POST", "/execute/echo", &long).text(), "body");
    let padding = 16_384 - b"Content-Type: a/b\nX-A: \n\n".len();
    let large = [&b"Content-Type: a/b\nX-A: "[..], &vec![b'a'; padding], b"\n\nbody"].concat();
    assert_eq!(server.send("POST", "/execute/echo", &large).text(), "body");
}

#[test]
fn headers_that_a_response_must_not_have_are_500_and_nothing_of_them_is_sent() {
    let (server, _dir) = server();
    for output in [
        &b"Content-Type: a/b\nConnection: close\n\nx"[..],
        b"Content-Type: a/b\nTransfer-Encoding: chunked\n\nx",
        b"Transfer-Encoding: chunked\n\n0\r\n\r\n",
        b"Content-Type: a/b\nKEEP-ALIVE: 5\n\nx",
        b"Content-Type: a/b\nUpgrade: h2c\n\nx",
        b"Content-Type: a/b\nTrailer: x\n\nx",
        b"Content-Type: a/b\nProxy-Connection: x\n\nx",
        b"Content-Type: a/b\rX-Split: injected\n\nx",
        b"Content-Type: a/b\nX-A: b\0injected\n\nx",
        b"Content-Type: a/b\nX-A: b\x1b[2Jinjected\n\nx",
        b"Content-Type: a/b\nX-A: \xc3\xa9injected\n\nx",
        b"Content-Type: a/b\nContent-Type: injected\n\nx",
        b"Status: 200\nStatus: 201\n\ninjected",
        b"Location: /a\nLocation: injected\n\n",
        b"Status: ok\n\ninjected",
        b"Status: 100\n\ninjected",
        b"Status: 199\n\ninjected",
        b"Status: 600\n\ninjected",
        b"Status: 0200\n\ninjected",
        b"Status: +20\n\ninjected",
        b"Status:\n\ninjected",
        b"Content-Type: a/b\nContent-Length: 2\n\nx",
        b"Content-Type: a/b\nContent-Length: 0\n\nx",
        b"Content-Type: a/b\nContent-Length: +1\n\nx",
        b"Content-Type: a/b\nContent-Length: 99999999999999999999\n\nx",
    ] {
        let mut client = Client::connect(server.address);
        let reply: Reply = client.send("POST", "/execute/echo", output);
        let shown = String::from_utf8_lossy(output);
        assert_eq!((reply.status, reply.problem().as_str()), (500, "convention"), "{shown}");
        assert!(!reply.head.contains("injected") && !reply.head.contains("a/b"), "{shown}: {}", reply.head);
        assert_eq!(client.send("GET", "/healthz", b"").status, 200, "{shown}");
    }
}

#[test]
fn any_bytes_become_a_response_or_an_error() {
    // Blocks cut and joined at every place, with the bytes that matter put in between.
    let pieces: [&[u8]; 12] = [
        b"Content-Type",
        b": ",
        b"text/html",
        b"\r\n",
        b"\n",
        b"\r",
        b"Status: 200",
        b"\0",
        b"\xff",
        b"X-A: b",
        b" ",
        b"",
    ];
    let mut state = 1_u64;
    for _ in 0..20_000 {
        let mut output = Vec::new();
        for _ in 0..8 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            output.extend_from_slice(pieces[(state >> 33) as usize % pieces.len()]);
        }
        let Ok(response) = cgi_response::response(output.clone(), false, None) else { continue };
        assert!(output.ends_with(&response.body) || matches!(response.status, 204 | 304));
        for (name, value) in &response.headers {
            assert!(
                !name.contains(|c: char| c.is_control() || c == ' ') && !value.contains(['\r', '\n', '\0'])
            );
        }
        assert!(!response.content_type.contains(['\r', '\n', '\0']));
    }
}
