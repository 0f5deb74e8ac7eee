//! What the gateway says of failures: a line in the log, and the last of them at `/failures`.

use crate::site::{CALL, Site};
use crate::support::{Client, Server, TempDir, fuelbox_program, runner_config, wat};
use fuelbox::Runner;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A program that writes to stderr and fails, and a function that traps.
const PANICS: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1) (data (i32.const 0) "\08\00\00\00\15\00\00\00first\nI panicked \1b[1m!\n")
    (func (export "_start") (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 100))) unreachable))"#;

const DIVIDES: &str =
    r#"(module (func (export "divide") (param i32) (result i32) (i32.div_u (i32.const 6) (local.get 0))))"#;

fn failures(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn the_last_failures_are_kept_and_what_guests_say_needs_a_token() {
    let site = Site::new();
    site.plugins.write("panics.wasm", wat(PANICS));
    site.plugins.write("divides.wasm", wat(DIVIDES));
    crate::support::reload(&site.runner);
    let none = failures(&site.send("GET", "/failures", b"").body);
    assert_eq!(none, serde_json::json!({ "failures": [], "complete": true }));
    let id = |reply: crate::support::Reply| {
        assert_eq!(reply.status, 500, "{}", reply.text());
        reply.header("x-request-id").unwrap().to_string()
    };
    let first = id(site.client().send("POST", "/execute/panics", b""));
    let second = id(site.client().send("POST", "/execute/divides?func=divide", b"0"));
    // No failures: a result, and what clients got wrong.
    site.client().send("POST", "/execute/divides?func=divide", b"1");
    site.client().send("POST", "/execute/divides?func=divide", b"x");
    site.client().send("POST", "/execute/divides?func=none", b"1");

    let reply = site.send("GET", "/failures", b"");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let all = failures(&reply.body);
    assert_eq!(all["failures"].as_array().unwrap().len(), 2);
    let (newest, oldest) = (&all["failures"][0], &all["failures"][1]);
    assert_eq!((&newest["plugin"], &newest["function"]), (&"divides".into(), &"divide".into()));
    assert_eq!((&newest["request_id"], &newest["problem"]), (&second.into(), &"trap".into()));
    assert_eq!(newest["detail"], "guest trapped: integer divide by zero");
    assert_eq!(
        (&oldest["plugin"], &oldest["function"], &oldest["request_id"]),
        (&"panics".into(), &Value::Null, &first.into())
    );
    assert_eq!(oldest["output"], serde_json::json!(["first", "I panicked \u{1b}[1m"]));
    assert!(!reply.text().contains('\u{1b}'), "nothing that a terminal obeys");

    // Without a token that may deploy, nothing that a guest said.
    let call = format!("Bearer {CALL}");
    for fields in
        [&[][..], &[("Authorization", call.as_str())], &[("Authorization", "Bearer wrong-wrong-wrong")]]
    {
        let reply = site.client().ask("GET", "/failures", fields, b"");
        let some = failures(&reply.body);
        assert_eq!((reply.status, &some["complete"]), (200, &false.into()));
        for failure in some["failures"].as_array().unwrap() {
            assert_eq!((&failure["detail"], &failure["output"]), (&Value::Null, &Value::Null));
            assert_eq!(failure["title"], "Guest trapped");
        }
    }
    assert_eq!(site.client().send("POST", "/failures", b"").header("allow"), Some("GET, HEAD"));
}

#[test]
fn they_are_bounded_and_a_plug_in_that_always_fails_leaves_those_of_others() {
    let site = Site::new();
    site.plugins.write("panics.wasm", wat(PANICS));
    site.plugins.write("divides.wasm", wat(DIVIDES));
    crate::support::reload(&site.runner);
    let mut client = site.client();
    client.send("POST", "/execute/divides?func=divide", b"0");
    for _ in 0..30 {
        client.send("POST", "/execute/panics", b"");
    }
    let all = failures(&site.send("GET", "/failures", b"").body);
    let names: Vec<&Value> = all["failures"].as_array().unwrap().iter().map(|f| &f["plugin"]).collect();
    assert_eq!((names.len(), names[19]), (20, &"divides".into()));
}

#[test]
fn a_plug_in_whose_file_is_refused_is_said_to_be() {
    let plugins = TempDir::new();
    plugins.write("bad.wasm", b"\0asm\x01\0\0\0\x05");
    let runner = Runner::new(runner_config()).unwrap();
    runner.load_plugins(&plugins.0).unwrap();
    let server = Server::with(runner);
    for name in ["bad", "bad.wasm"] {
        let reply = server.send("POST", &format!("/execute/{name}"), b"");
        let problem: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(problem["type"], "urn:fuelbox:problem:no-such-plugin");
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.starts_with(&format!("the plug-in `{name}` does not load: bad.wasm: invalid module")),
            "{detail}"
        );
        assert!(!detail.contains(plugins.0.to_str().unwrap()), "{detail}");
    }
    let detail = server.send("POST", "/execute/worse", b"").text();
    assert!(detail.contains("no plug-in `worse`; there is: none"), "{detail}");
}

struct Logged {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStderr>>,
    address: std::net::SocketAddr,
}

impl Logged {
    fn start(dir: &TempDir, flags: &[&str]) -> Logged {
        let mut child = Command::new(fuelbox_program())
            .args(["serve", "--listen", "127.0.0.1:0", "--plugins", "."])
            .args(crate::support::isolation_flags())
            .args(flags)
            .current_dir(&dir.0)
            .env_remove("RUST_LOG")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let is_address = |line: std::io::Result<String>| {
            let line = line.unwrap();
            let (_, address) = line.split_once("on http://")?;
            Some(address.split(['"', ' ']).next().unwrap().parse().unwrap())
        };
        let address = lines.find_map(is_address).unwrap();
        Logged { child, lines, address }
    }

    /// The next line with this text.
    fn next(&mut self, with: &str) -> String {
        self.lines.find(|line| line.as_ref().unwrap().contains(with)).unwrap().unwrap()
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn each_is_a_warning_in_the_log_with_what_the_guest_said_last() {
    let dir = TempDir::new();
    dir.write("panics.wasm", wat(PANICS));
    dir.write("divides.wasm", wat(DIVIDES));
    let mut server = Logged::start(&dir, &[]);
    let mut client = Client::connect(server.address);
    let reply = client.send("POST", "/execute/panics", b"");
    let id = reply.header("x-request-id").unwrap().to_string();
    assert!(server.next("first").contains(" INFO "));
    let line = server.next(" WARN ");
    let expected = format!(
        "panics {id}: 500 trap: guest trapped: wasm `unreachable` instruction executed (it said last: I panicked \\u{{1b}}[1m)"
    );
    assert!(line.ends_with(&expected), "{line}");
    let reply = client.send("POST", "/execute/divides?func=divide", b"0");
    let id = reply.header("x-request-id").unwrap().to_string();
    let line = server.next(" WARN ");
    assert!(
        line.ends_with(&format!("divides {id}: divide: 500 trap: guest trapped: integer divide by zero")),
        "{line}"
    );
    drop(server);
    let mut server = Logged::start(&dir, &["--log-format", "json"]);
    let reply = Client::connect(server.address).send("POST", "/execute/divides?func=divide", b"0");
    let line: Value = serde_json::from_str(&server.next("\"warn\"")).unwrap();
    assert_eq!(line["request_id"], reply.header("x-request-id").unwrap());
    assert_eq!(
        (&line["plugin"], &line["function"], &line["problem"]),
        (&"divides".into(), &"divide".into(), &"trap".into())
    );
    assert_eq!(line["message"], "guest trapped: integer divide by zero");
}

#[test]
fn a_plug_in_cannot_fill_the_log_with_its_failures() {
    let dir = TempDir::new();
    dir.write("divides.wasm", wat(DIVIDES));
    let mut server = Logged::start(&dir, &[]);
    let mut client = Client::connect(server.address);
    for _ in 0..1_500 {
        client.send("POST", "/execute/divides?func=divide", b"0");
    }
    assert!(server.next("lines of its output dropped").contains("plug-in divides"));
}

/// Two calls deep, in threads and in processes.
const DEEP: &str = r#"(module
    (func $divide (param i32) (result i32) (i32.div_u (i32.const 6) (local.get 0)))
    (func $inner (param i32) (result i32) (call $divide (local.get 0)))
    (func (export "outer") (param i32) (result i32) (call 1 (local.get 0)))
    (func $f (export "deep") (param i32) (result i32) (call $f (i32.add (local.get 0) (i32.const 1)))))"#;

#[test]
fn with_the_key_trace_of_a_policy_the_calls_are_told() {
    let dir = TempDir::new();
    dir.write("deep.wasm", wat(DEEP));
    dir.write("deep.toml", "trace = true\nwarm = 4\n");
    dir.write("plain.wasm", wat(DEEP));
    let mut server = Logged::start(&dir, &["--log-format", "json"]);
    let mut client = Client::connect(server.address);
    for _ in 0..3 {
        assert_eq!(client.send("POST", "/execute/deep?func=outer", b"3").text(), "2\n");
        client.send("POST", "/execute/deep?func=outer", b"0");
        let line: Value = serde_json::from_str(&server.next("\"warn\"")).unwrap();
        assert_eq!(line["message"], "guest trapped: integer divide by zero");
        let calls = line["calls"].as_str().unwrap();
        let names: Vec<&str> = calls.split(", ").map(|call| call.split(" at ").next().unwrap()).collect();
        assert_eq!(names, ["0: divide", "1: inner", "2: outer"], "{calls}");
        assert!(calls.contains("0: divide at 0x"), "{calls}");
    }
    client.send("POST", "/execute/plain?func=outer", b"0");
    let line: Value = serde_json::from_str(&server.next("\"warn\"")).unwrap();
    assert_eq!(line["calls"], Value::Null);
    // A chain that is too long to show.
    client.send("POST", "/execute/deep?func=deep", b"0");
    let line: Value = serde_json::from_str(&server.next("\"warn\"")).unwrap();
    assert!(line["calls"].as_str().unwrap().len() < 2_000, "{line}");
}

#[test]
fn only_who_may_deploy_sees_the_calls() {
    let site = Site::new();
    site.plugins.write("deep.wasm", wat(DEEP));
    site.plugins.write("deep.toml", "trace = true");
    crate::support::reload(&site.runner);
    site.client().send("POST", "/execute/deep?func=deep", b"0");
    let all = failures(&site.send("GET", "/failures", b"").body);
    let trace = all["failures"][0]["trace"].as_array().unwrap();
    assert!((20..50).contains(&trace.len()), "{trace:?}");
    assert!(trace[0].as_str().unwrap().starts_with("0: f at 0x"), "{trace:?}");
    assert!(trace.iter().any(|line| line.as_str().unwrap().contains("calls are not shown")), "{trace:?}");
    let some = failures(&site.client().ask("GET", "/failures", &[], b"").body);
    assert_eq!(some["failures"][0]["trace"], Value::Null);
}

#[test]
fn what_cannot_be_traced_is_an_error_of_its_plug_in() {
    let dir = TempDir::new();
    dir.write("greet.wasm", std::fs::read(crate::support::prebuilt("text-c.wasm")).unwrap());
    dir.write("greet.toml", "trace = true");
    let runner = Runner::new(runner_config()).unwrap();
    let changes = runner.load_plugins(&dir.0).unwrap();
    assert_eq!(changes.failed.len(), 1);
    if cfg!(feature = "component") {
        assert!(
            changes.failed[0].to_string().contains("components cannot be traced"),
            "{}",
            changes.failed[0]
        );
    }
}
