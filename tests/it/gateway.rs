//! The gateway over a real socket: every row of the status table, and what goes with an answer.

use crate::cgi::ENV;
use crate::support::{Client, Server, TempDir, deadline_ms, reload, wat};
use fuelbox::{Limits, Runner, RunnerConfig};

/// A server with the built-in guests and a folder of inline ones.
fn server_with(limits: Limits, guests: &[(&str, &str)]) -> (Server, TempDir) {
    let dir = TempDir::new();
    for (name, source) in guests {
        dir.write(&format!("{name}.wasm"), wat(source));
    }
    let runner = Runner::new(RunnerConfig { limits, ..crate::support::runner_config() }).unwrap();
    runner.load_built_in().unwrap();
    let changes = runner.load_plugins(&dir.0).unwrap();
    assert!(changes.failed.is_empty(), "{changes:?}");
    (Server::with(runner), dir)
}

fn server() -> Server {
    Server::start(Limits::default())
}

/// A packed guest whose function `f` has this body.
fn packed(body: &str) -> String {
    format!(
        r#"(module (memory (export "memory") 1)
             (func (export "allocate") (param i32) (result i32) (i32.const 1024))
             (func (export "f") (param $p i32) (param $n i32) (result i64) {body}))"#
    )
}

#[test]
fn what_ran_is_200_with_its_measures() {
    let reply = server().send("POST", "/execute/greet", b"World");
    assert_eq!((reply.status, reply.text().as_str()), (200, "Hello, World"));
    assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(reply.header("fuel-used"), Some("71"));
    let timing = reply.header("server-timing").unwrap();
    let parts: Vec<f64> =
        timing.split(", ").map(|part| part.split_once(";dur=").unwrap().1.parse().unwrap()).collect();
    assert!(timing.starts_with("instantiate;") && parts.len() == 2 && parts.iter().all(|ms| *ms >= 0.0));
}

#[test]
fn bytes_that_are_no_text_are_told_as_bytes() {
    let server = server();
    let reply = server.send("POST", "/execute/greet?func=greet", b"\0\xff\r\n\r\n");
    assert_eq!((reply.status, reply.body.as_slice()), (200, &b"Hello, \0\xff\r\n\r\n"[..]));
    assert_eq!(reply.header("content-type"), Some("application/octet-stream"));
    // A text that is cut inside a character is no text either.
    let reply = server.send("POST", "/execute/greet", "é".as_bytes().split_last().unwrap().1);
    assert_eq!(reply.header("content-type"), Some("application/octet-stream"));
}

#[test]
fn gowasmrunners_examples() {
    let server = server();
    for (target, body, answer) in [
        ("/execute/add?func=add", "10 20", "30\n"),
        ("/execute/add.wasm?func=add", "[10, 20]", "30\n"),
        ("/execute/fibonacci?func=fibonacci", "20", "6765\n"),
        ("/execute/greet.wasm", "World", "Hello, World"),
        ("/execute/%67reet?a=b&func=%67reet&c", "World", "Hello, World"),
    ] {
        let reply = server.send("POST", target, body.as_bytes());
        assert_eq!((reply.status, reply.text().as_str()), (200, answer), "{target}");
    }
}

#[test]
fn a_command_gets_the_body_as_input_and_cgi_variables() {
    let (server, _dir) = server_with(Limits::default(), &[("env", ENV)]);
    assert_eq!(server.send("POST", "/execute/wordcount", b"a b\nc").text(), "1 3 5\n");
    let reply = server.send("POST", "/execute/env?func=ignored&x=1", b"abc");
    let env = reply.text();
    let entries: Vec<&str> = env.split('\0').collect();
    for entry in [
        "REQUEST_METHOD=POST",
        "SCRIPT_NAME=/execute/env",
        "QUERY_STRING=func=ignored&x=1",
        "CONTENT_LENGTH=3",
        "GATEWAY_INTERFACE=CGI/1.1",
        "REMOTE_ADDR=127.0.0.1",
    ] {
        assert!(entries.contains(&entry), "{entry} is not in {entries:?}");
    }
}

#[test]
fn what_is_not_there_is_404_and_says_what_is() {
    let server = server();
    let reply = server.send("POST", "/execute/nope", b"");
    assert_eq!((reply.status, reply.problem().as_str()), (404, "no-such-plugin"));
    assert!(reply.text().contains("greet") && reply.text().contains("nope"), "{}", reply.text());
    let reply = server.send("POST", "/execute/add?func=nope", b"");
    assert_eq!((reply.status, reply.problem().as_str()), (404, "no-such-function"));
    assert!(reply.text().contains("there is: add"), "{}", reply.text());
    for target in ["/index.html", "/nope", "/executed/greet", "/healthz/", "/plugins/greet"] {
        let reply = server.send("GET", target, b"");
        assert_eq!((reply.status, reply.problem().as_str()), (404, "no-such-route"), "{target}");
    }
    // A name is a name: no path, no folder.
    for name in ["..%2Fgreet", "%2e%2e", "greet%00", ".wasm", "greet.wasm.wasm"] {
        assert_eq!(server.send("POST", &format!("/execute/{name}"), b"").status, 404, "{name}");
    }
}

#[test]
fn other_methods_are_405_with_allow() {
    let server = server();
    for (method, target, allow) in [
        ("GET", "/execute/greet", "POST"),
        ("PUT", "/execute/greet", "POST"),
        ("POST", "/plugins", "GET, HEAD"),
        ("DELETE", "/healthz", "GET, HEAD"),
        ("BREW", "/healthz", "GET, HEAD"),
    ] {
        let reply = server.send(method, target, b"");
        assert_eq!((reply.status, reply.header("allow")), (405, Some(allow)), "{method} {target}");
        assert_eq!(reply.problem(), "method-not-allowed");
    }
}

#[test]
fn a_request_that_names_nothing_is_400() {
    let server = server();
    for target in [
        "/execute",
        "/execute/",
        "/execute/?func=greet",
        "/execute/greet?func=",
        "/execute/greet?func=a&func=b",
        "/execute/greet?func=%ff",
        "/execute/%ff",
    ] {
        let reply = server.send("POST", target, b"World");
        assert_eq!((reply.status, reply.problem().as_str()), (400, "bad-request"), "{target}");
    }
}

#[test]
fn input_that_does_not_fit_is_400() {
    let server = server();
    for body in
        ["", "1", "1 2 3", "a b", "[1]", "[1, null]", "[1, 2", "1.5 2", "4294967296 1", "\u{fe}\u{ff}"]
    {
        let reply = server.send("POST", "/execute/add?func=add", body.as_bytes());
        assert_eq!((reply.status, reply.problem().as_str()), (400, "input-mismatch"), "{body:?}");
    }
    assert_eq!(server.send("POST", "/execute/add?func=add", b"\xff \xfe").status, 400);
}

#[test]
fn a_guest_that_fails_is_500_and_one_that_takes_too_long_504() {
    let limits = Limits { fuel: 3_000_000, output_bytes: 1000, ..deadline_ms(20_000) };
    let guests = [
        ("trap", packed("unreachable")),
        ("outside", packed("(i64.const 0xffffffff_ffffffff)")),
        ("large", packed("(i64.const 1001)")),
        (
            "grow",
            packed(
                "(if (i32.lt_s (memory.grow (i32.const 9999)) (i32.const 0)) (then unreachable)) (i64.const 0)",
            ),
        ),
        ("spin", packed("(loop $l (br $l)) (i64.const 0)")),
    ];
    let guests: Vec<(&str, &str)> = guests.iter().map(|(name, source)| (*name, source.as_str())).collect();
    let (server, _dir) = server_with(limits, &guests);
    for (name, status, problem, says) in [
        ("trap", 500, "trap", "unreachable"),
        ("outside", 500, "convention", "outside its memory"),
        ("large", 500, "output-full", "--max-output"),
        ("grow", 500, "memory-denied", "10000 pages (limit 320"),
        ("spin", 504, "out-of-fuel", "3000000"),
    ] {
        let reply = server.send("POST", &format!("/execute/{name}?func=f"), b"");
        assert_eq!((reply.status, reply.problem().as_str()), (status, problem), "{name}");
        assert!(reply.text().contains(says), "{}", reply.text());
        assert!(reply.header("fuel-used").is_some() && reply.header("server-timing").is_some());
    }
    let (server, _dir) = server_with(deadline_ms(30), &[]);
    let reply = server.send("POST", "/execute/infinite-loop", b"World");
    assert_eq!((reply.status, reply.problem().as_str()), (504, "deadline"));
    assert!(reply.text().contains("30ms"), "{}", reply.text());
}

#[test]
fn a_failing_command_is_500_with_its_code() {
    let exit = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1) (func (export "_start") (call $exit (i32.const 3))))"#;
    let (server, _dir) = server_with(Limits::default(), &[("exit", exit)]);
    let reply = server.send("POST", "/execute/exit", b"");
    assert_eq!((reply.status, reply.problem().as_str()), (500, "exit"));
    assert!(reply.text().contains("code 3"));
}

#[test]
fn lists_and_health() {
    let (server, dir) = server_with(Limits::default(), &[]);
    assert_eq!(server.send("GET", "/healthz", b"").text(), "ok\n");
    let head = server.send("HEAD", "/healthz", b"");
    assert_eq!((head.status, head.header("content-length")), (200, Some("3")));
    dir.write("bad.wasm", b"rubbish");
    reload(&server.runner);
    let reply = server.send("GET", "/plugins", b"");
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let json: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    let plugins = json["plugins"].as_array().unwrap();
    let add = plugins.iter().find(|plugin| plugin["name"] == "add").unwrap();
    assert_eq!(add["functions"][0]["signature"], "(i32, i32) -> i32");
    assert_eq!(add["functions"][0]["convention"], "numeric");
    assert_eq!(json["refused"][0]["file"], "bad.wasm");
    assert!(json["refused"][0]["reason"].as_str().unwrap().contains("asm"));
}

#[test]
fn one_connection_serves_many_requests() {
    let server = server();
    let mut client = Client::connect(server.address);
    for number in 0..50 {
        let name = number.to_string();
        assert_eq!(client.send("POST", "/execute/greet", name.as_bytes()).text(), format!("Hello, {name}"));
        assert_eq!(client.send("POST", "/execute/nope", b"x").status, 404);
    }
}
