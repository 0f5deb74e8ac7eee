//! What a policy gives to plug-ins made for Extism: configuration, and hosts that they may ask for.

use crate::support::{Server, TempDir, prebuilt, wat};
use fuelbox::Runner;

/// Asks for a URL, which never succeeds here.
const ASKS: &str = r#"(module
    (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
    (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
    (import "extism:host/env" "http_request" (func $http (param i64 i64) (result i64)))
    (memory (export "memory") 1)
    (data (i32.const 0) "{\"url\":\"http://good.example/x\"}")
    (func (export "ask") (result i32) (local $at i64) (local $i i32)
        (local.set $at (call $alloc (i64.const 31)))
        (loop $next
            (call $store (i64.add (local.get $at) (i64.extend_i32_u (local.get $i))) (i32.load8_u (local.get $i)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $i) (i32.const 31))))
        (drop (call $http (local.get $at) (i64.const 0)))
        (i32.const 0)))"#;

fn served(dir: &TempDir) -> Server {
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    let changes = runner.load_plugins(&dir.0).unwrap();
    assert!(changes.failed.is_empty(), "{changes:?}");
    Server::with(runner)
}

#[test]
fn configuration_comes_from_the_policy() {
    let dir = TempDir::new();
    for name in ["bare", "set"] {
        std::fs::copy(prebuilt("extism-c.wasm"), dir.0.join(format!("{name}.wasm"))).unwrap();
    }
    dir.write(
        "set.toml",
        "convention = \"extism\"\nfunctions = [\"count_vowels\"]\n\n[config]\nvowels = \"lo\"\n",
    );
    let server = served(&dir);
    let count = |target: &str| {
        let reply = server.send("POST", target, b"Hello, World!");
        assert_eq!(reply.status, 200, "{}", reply.text());
        serde_json::from_slice::<serde_json::Value>(&reply.body).unwrap()["count"].as_u64().unwrap()
    };
    assert_eq!(count("/execute/bare?func=count_vowels"), 3);
    // The only function needs no name.
    assert_eq!(count("/execute/set"), 5);
}

#[test]
fn a_host_is_refused_unless_the_policy_names_it() {
    let dir = TempDir::new();
    for name in ["none", "other", "named"] {
        dir.write(&format!("{name}.wasm"), wat(ASKS));
    }
    dir.write("other.toml", "hosts = [\"evil.example\"]");
    dir.write("named.toml", "hosts = [\"good.example\"]");
    let server = served(&dir);
    for (name, expected) in [
        ("none", "HTTP request refused: the plug-in's policy allows no hosts"),
        ("other", "HTTP request refused"),
        ("named", "not supported in this build"),
    ] {
        let reply = server.send("POST", &format!("/execute/{name}?func=ask"), b"");
        assert_eq!(reply.status, 500);
        assert!(reply.text().contains(expected), "{name}: {}", reply.text());
    }
}
