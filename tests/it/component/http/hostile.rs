//! A process that its guest has taken over, and that passes on what no process does.

use crate::http::{message, read_reply};
use crate::support::{Client, Server, TempDir, deadline_ms, fuelbox_program, prebuilt};
use fuelbox::{Isolation, Limits, Runner, RunnerConfig};
use std::io::{Read, Write};
use std::time::Duration;

/// Paths at which a process meets a fault (`src/isolation/child/faults.rs`): whether the response is begun, and what is
/// counted. Where it is not begun, the client gets that as a problem.
const FAULTS: &[(&str, bool, &str)] = &[
    ("piece-headless", false, "guest-died"),
    ("piece-half-head", false, "guest-died"),
    ("piece-empty", true, "guest-died"),
    ("piece-large", false, "guest-died"),
    ("piece-large-second", true, "guest-died"),
    ("piece-many", true, "guest-died"),
    ("piece-small", true, "guest-died"),
    ("piece-two", true, "guest-died"),
    ("piece-ready", true, "guest-died"),
    ("piece-behind", true, "guest-died"),
    ("piece-abort", true, "guest-died"),
    ("piece-spin", true, "deadline"),
    ("piece-length", false, "convention"),
    ("piece-short", true, "convention"),
    ("piece-full", true, "guest-died"),
    ("piece-many-trailers", true, "guest-died"),
    ("piece-large-trailers", true, "guest-died"),
    ("piece-long-trailer", true, "guest-died"),
    ("piece-status", false, "convention"),
];

/// Time for a process to end.
const END: Duration = Duration::from_millis(200);

fn server() -> (TempDir, Server) {
    let dir = TempDir::new();
    dir.write("s.wasm", std::fs::read(prebuilt("http-stream.wasm")).unwrap());
    let isolation = Isolation { has_faults: true, ..Isolation::with_program(fuelbox_program()) };
    let limits = Limits { output_bytes: 1 << 20, ..deadline_ms(1_000) };
    let config = RunnerConfig { limits, isolation: Some(isolation), ..RunnerConfig::default() };
    let runner = Runner::new(config).unwrap();
    assert!(runner.load_plugins(&dir.0).unwrap().failed.is_empty());
    (dir, Server::for_one_client(runner))
}

#[test]
fn each_fault_costs_one_response_and_nothing_else() {
    let (_dir, server) = server();
    let mut expected = std::collections::BTreeMap::<&str, u64>::new();
    for (fault, is_begun, outcome) in FAULTS {
        let mut client = Client::connect(server.address);
        client.0.write_all(&message("GET", &format!("/execute/s/fault-{fault}"), &[], b"")).unwrap();
        if *is_begun {
            let mut seen = Vec::new();
            let _ = client.0.read_to_end(&mut seen);
            let seen = String::from_utf8_lossy(&seen);
            assert!(seen.starts_with("HTTP/1.1 200 OK\r\n"), "{fault}: {seen}");
            assert!(!seen.ends_with("0\r\n\r\n"), "{fault}: {seen}");
        } else {
            let reply = read_reply(&mut client.0, false).unwrap();
            assert_eq!((reply.status, &*reply.problem()), (500, *outcome), "{fault}: {}", reply.text());
        }
        let count = expected.entry(outcome).or_default();
        *count += 1;
        // A process that has said enough ends.
        std::thread::sleep(END);
        assert_eq!(super::outcomes(&server, "s", outcome), *count, "{fault}");
        assert_eq!(server.send("GET", "/execute/s/say-x/sleep-20/say-y", b"").text(), "x\ny\n", "{fault}");
    }
}

/// A second head is a part of the body, and trailers are checked as those of guests are.
#[test]
fn nothing_splits_a_response() {
    let (_dir, server) = server();
    let target = "/execute/s/fault-piece-split";
    let mut client = Client::connect(server.address);
    for _ in 0..2 {
        std::thread::sleep(END);
        let reply = client.ask("GET", target, &[("TE", "trailers")], b"");
        assert_eq!(reply.text(), "aStatus: 200\r\n\r\na0\r\n\r\n");
        assert_eq!(reply.trailers, "x-good: 1\n");
    }
}
