//! What policies allow, with guests in threads and in processes.

use super::server::{Upstream, ok, redirect};
use super::{GUEST, get};
use crate::support::{Client, Server, TempDir, fuelbox_program, wat};
use fuelbox::{HttpAllowList, Isolation, Limits, Runner, RunnerConfig};
use std::time::Duration;

/// A gateway with the guest under each of these policies.
fn served(policies: &[(&str, String)], limits: Limits, isolated: bool) -> (TempDir, Server) {
    let dir = TempDir::new();
    for (name, policy) in policies {
        dir.write(&format!("{name}.wasm"), wat(GUEST));
        if !policy.is_empty() {
            dir.write(&format!("{name}.toml"), policy);
        }
    }
    let isolation =
        isolated.then(|| Isolation { has_faults: true, ..Isolation::with_program(fuelbox_program()) });
    // The servers of the tests have no public address.
    let named = policies.iter().flat_map(|(_, policy)| policy.split('"'));
    let policy_http = HttpAllowList::new(named.filter(|word| word.contains("://"))).unwrap();
    let runner =
        Runner::new(RunnerConfig { limits, isolation, policy_http, ..RunnerConfig::default() }).unwrap();
    let changes = runner.load_plugins(&dir.0).unwrap();
    assert!(changes.failed.is_empty(), "{changes:?}");
    (dir, Server::for_one_client(runner))
}

fn call(server: &Server, target: &str, url: &str) -> (u16, String) {
    let reply = server.send("POST", &format!("/execute/{target}"), get(url).as_bytes());
    (reply.status, reply.text())
}

fn allowing(patterns: &[String]) -> String {
    format!("http = {patterns:?}\n")
}

#[test]
fn each_plugin_has_its_own_list() {
    for isolated in [false, true] {
        let (one, two) = (Upstream::of(|_| ok("one")), Upstream::of(|_| ok("two")));
        let policies = [
            ("none", String::new()),
            ("one", allowing(&[one.pattern("/v1/*")])),
            ("both", allowing(&[one.pattern("/*"), two.pattern("/*")])),
        ];
        let (_dir, server) = served(&policies, Limits::default(), isolated);
        for (target, url, status, said) in [
            ("none?func=ask", one.url("/v1/"), 500, "HTTP requests are not allowed"),
            ("one?func=ask", one.url("/v1/x"), 200, "one"),
            ("one?func=ask", one.url("/x"), 500, "not allowed"),
            ("one?func=ask", two.url("/v1/x"), 500, "not allowed"),
            ("both?func=ask", two.url("/"), 200, "two"),
            ("both?func=post", one.url("/"), 200, "one"),
            ("both?func=ask", "http://169.254.169.254/".into(), 500, "not allowed"),
        ] {
            // Twice: the second time, the process has been there before.
            for _ in 0..2 {
                let (got, text) = call(&server, target, &url);
                assert!(got == status && text.contains(said), "{isolated} {target} {url}: {got} {text}");
            }
        }
        assert_eq!((one.requests().len(), two.requests().len()), (4, 2));
        let metrics = server.send("GET", "/metrics", b"").text();
        for sample in [
            r#"fuelbox_http_calls_total{plugin="one",outcome="ok"} 2"#,
            r#"fuelbox_http_calls_total{plugin="one",outcome="denied"} 4"#,
            r#"fuelbox_http_calls_total{plugin="both",outcome="ok"} 4"#,
            r#"fuelbox_http_calls_total{plugin="both",outcome="denied"} 2"#,
        ] {
            assert!(metrics.contains(sample), "{isolated} {sample}\n{metrics}");
        }
    }
}

#[test]
fn limits_hold_in_threads_and_in_processes() {
    for isolated in [false, true] {
        let many = Upstream::of(|_| ok("x"));
        let large = Upstream::of(|_| ok(&"a".repeat(100_001)));
        let fits = Upstream::of(|_| ok(&"a".repeat(100_000)));
        let slow = Upstream::with(|_, _| std::thread::sleep(Duration::from_secs(30)));
        let round = Upstream::of(|_| redirect(302, "/"));
        let all = [&many, &large, &fits, &slow, &round].map(|upstream| upstream.pattern("/*"));
        let limits = "[limits]\nhttp-calls = 3\ntimeout = \"700ms\"\nmax-input = 100000\n";
        let policy = format!("{}{limits}", allowing(&all));
        let (_dir, server) = served(&[("guest", policy)], Limits::default(), isolated);
        let (status, text) = call(&server, "guest?func=again", &many.url("/"));
        assert!(status == 500 && text.contains("--http-calls allows, which is 3"), "{text}");
        assert_eq!(many.requests().len(), 3);
        let (status, text) = call(&server, "guest?func=ask", &large.url("/"));
        assert!(status == 500 && text.contains("--max-input"), "{isolated}: {text}");
        let (status, text) = call(&server, "guest?func=ask", &fits.url("/"));
        assert!(status == 200 && text.len() == 100_000, "{isolated}: {status}");
        let (status, text) = call(&server, "guest?func=ask", &slow.url("/"));
        assert!(status == 504 && text.contains("deadline of 700ms"), "{isolated}: {status} {text}");
        let (status, text) = call(&server, "guest?func=ask", &round.url("/"));
        assert!(status == 500 && text.contains("--http-calls"), "{text}");
        assert_eq!(round.requests().len(), 3);
        // It serves as before.
        assert_eq!(call(&server, "guest?func=ask", &many.url("/")).0, 200);
    }
}

#[test]
fn a_call_does_not_keep_others_waiting() {
    for isolated in [false, true] {
        let slow = Upstream::with(|_, _| std::thread::sleep(Duration::from_secs(30)));
        let limits = Limits { deadline: Some(Duration::from_secs(3)), ..Limits::default() };
        let (_dir, server) = served(&[("guest", allowing(&[slow.pattern("/*")]))], limits, isolated);
        let (address, body) = (server.address, get(&slow.url("/")));
        std::thread::scope(|scope| {
            let waits = scope.spawn(move || {
                Client::connect(address).send("POST", "/execute/guest?func=ask", body.as_bytes()).status
            });
            while slow.requests().is_empty() {
                std::thread::sleep(Duration::from_millis(5));
            }
            assert_eq!(server.send("GET", "/healthz", b"").status, 200);
            assert_eq!(call(&server, "guest?func=before", "").0, 200);
            assert!(!waits.is_finished());
            assert_eq!(waits.join().unwrap(), 504);
        });
    }
}

#[test]
fn a_process_that_its_guest_took_over_gains_nothing() {
    // `child/faults.rs` has what such a process does: it makes calls as if there were no list, no count and no size.
    let (one, other) = (Upstream::of(|_| ok("one")), Upstream::of(|_| ok("other")));
    let (allowed, denied) = (one.url("/"), other.url("/"));
    let dir = TempDir::new();
    let names = ["denied", "many", "body", "large", "garbage", "two"];
    let functions: String = names
        .iter()
        .map(|name| format!(r#"(func (export "fault-calls-{name}") (result i32) (i32.const 0))"#))
        .collect();
    // It is a plug-in for Extism, and so gets bytes.
    let module =
        format!(r#"(module (import "extism:host/env" "input_length" (func (result i64))) {functions})"#);
    dir.write("guest.wasm", wat(&module));
    dir.write("guest.toml", format!("{}[limits]\nhttp-calls = 2\n", allowing(&[one.pattern("/*")])));
    dir.write("bare.wasm", wat(&module));
    let isolation = Some(Isolation { has_faults: true, ..Isolation::with_program(fuelbox_program()) });
    let limits = Limits { output_bytes: 10_000, ..Limits::default() };
    let policy_http = HttpAllowList::new([one.pattern("/*")]).unwrap();
    let runner =
        Runner::new(RunnerConfig { limits, isolation, policy_http, ..RunnerConfig::default() }).unwrap();
    assert!(runner.load_plugins(&dir.0).unwrap().failed.is_empty());
    let server = Server::for_one_client(runner);
    for plugin in ["guest", "bare"] {
        for name in names {
            let url = if name == "denied" { &denied } else { &allowed };
            let target = format!("/execute/{plugin}?func=fault-calls-{name}");
            let reply = server.send("POST", &target, url.as_bytes());
            println!("{plugin} {name}: {} {}", reply.status, reply.text().trim());
            assert_eq!(reply.status, 500, "{plugin} {name}");
        }
    }
    assert!(other.requests().is_empty());
    // Two of `many`, and one of `two`, whose second frame is one too many.
    assert_eq!(one.requests().len(), 3, "{:?}", one.requests());
}

#[test]
fn a_wrong_policy_is_an_error_at_its_place() {
    let dir = TempDir::new();
    dir.write("guest.wasm", wat(GUEST));
    let runner = Runner::new(RunnerConfig::default()).unwrap();
    for (policy, said) in [
        ("access = \"open\"\nhttp = [\"https://a.example/*\", \"a.example\"]", "line: 2, column: 32"),
        ("http = \"https://a.example/*\"", "expected a list of strings"),
        ("http = [\"https://a.example\"]", "allows all paths"),
        ("hosts = [\"a.example\"]", "unknown field `hosts`"),
        ("http = [\"http://127.0.0.1/*\"]", "names an address or this machine"),
        ("http = [\"https://a.example/*\", \"http://localhost/*\"]", "line: 1, column: 32"),
        ("limits.http-calls = 17", "more than the server's --http-calls, which is 16"),
    ] {
        dir.write("guest.toml", policy);
        let changes = runner.load_plugins(&dir.0).unwrap();
        let error = format!("{:?}", changes.failed);
        assert!(error.contains(said), "{policy}: {error}");
    }
}

#[test]
fn policies_allow_no_more_than_the_server_does() {
    let dir = TempDir::new();
    dir.write("guest.wasm", wat(GUEST));
    let policy_http =
        HttpAllowList::new(["https://api.example.com/v1/*", "http://127.0.0.1:8080/*"]).unwrap();
    let runner = Runner::new(RunnerConfig { policy_http, ..RunnerConfig::default() }).unwrap();
    for (pattern, is_allowed) in [
        ("https://api.example.com/v1/users", true),
        ("http://127.0.0.1:8080/x*", true),
        ("https://api.example.com/*", false),
        ("https://other.example/*", false),
        ("http://127.0.0.1/*", false),
    ] {
        dir.write("guest.toml", format!("http = [{pattern:?}]"));
        let failed = runner.load_plugins(&dir.0).unwrap().failed;
        assert_eq!(failed.is_empty(), is_allowed, "{pattern}: {failed:?}");
        if !is_allowed {
            assert!(failed[0].to_string().contains("is not within --policy-http"), "{failed:?}");
        }
    }
}
