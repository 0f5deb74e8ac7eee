//! Names of requests: taken from a client if they can be, made otherwise, in every answer, and nobody else's to set.

use crate::cgi::ENV;
use crate::support::{Client, Reply, Server, TempDir, wat};
use fuelbox::base::limits::DoorLimits;
use fuelbox::gateway::{Gateway, GatewayConfig};
use fuelbox::{Limits, Runner};
use std::collections::HashSet;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

fn ask(client: &mut Client, head: &str) -> Reply {
    client.0.write_all(format!("{head}\r\n\r\n").as_bytes()).unwrap();
    client.reply(false).expect("an answer")
}

/// The one name in an answer.
#[track_caller]
fn id(reply: &Reply) -> String {
    let lines = reply.head.lines().filter(|line| line.to_ascii_lowercase().starts_with("x-request-id:"));
    let ids: Vec<&str> = lines.map(|line| line.split_once(':').unwrap().1.trim()).collect();
    assert_eq!(ids.len(), 1, "{}", reply.head);
    ids[0].to_string()
}

#[track_caller]
fn assert_made(id: &str) {
    assert_eq!(id.len(), 32, "{id}");
    assert!(id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)), "{id}");
}

#[test]
fn a_well_formed_one_is_taken_and_any_other_is_not() {
    let server = Server::start(Limits::default());
    let mut client = Client::connect(server.address);
    for good in ["a", "0", "-", ".", "A_b-C.9", &"x".repeat(63), &"x".repeat(64)] {
        let reply = ask(&mut client, &format!("GET /healthz HTTP/1.1\r\nHost: a\r\nx-request-ID: {good}"));
        assert_eq!((reply.status, id(&reply).as_str()), (200, good));
    }
    for bad in ["", &"x".repeat(65), "a b", "a,b", "a\"b", "a/b", "a;b", "a:b", "\u{7f}", "<script>", "a\tb"]
    {
        let request = format!("GET /healthz HTTP/1.1\r\nHost: a\r\nX-Request-Id: {bad}");
        let reply = ask(&mut Client::connect(server.address), &request);
        let made = id(&reply);
        assert_made(&made);
    }
    let twice = "GET /healthz HTTP/1.1\r\nHost: a\r\nX-Request-Id: one\r\nX-Request-Id: two";
    assert_made(&id(&ask(&mut client, twice)));
}

#[test]
fn no_two_requests_get_the_same_and_no_one_can_count_by_them() {
    let server = Server::start(Limits::default());
    let mut client = Client::connect(server.address);
    let ids: Vec<String> = (0..200).map(|_| id(&client.send("POST", "/execute/greet", b"x"))).collect();
    ids.iter().for_each(|id| assert_made(id));
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
    // Those of neighbours share no beginning, as those of a counter behind a prefix would.
    let starts: HashSet<&str> = ids.iter().map(|id| &id[..8]).collect();
    assert_eq!(starts.len(), ids.len());
    // And another process, which has other keys, makes others.
    let other = Server::start(Limits::default());
    assert!(!ids.contains(&id(&other.send("GET", "/healthz", b""))));
}

#[test]
fn the_doors_own_refusals_have_it_too() {
    let limits = DoorLimits {
        head_timeout: Duration::from_millis(50),
        body_timeout: Duration::from_millis(50),
        ..DoorLimits::default()
    };
    let config =
        GatewayConfig { listen: "127.0.0.1:0".parse().unwrap(), door: limits, ..GatewayConfig::default() };
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    let gateway = Gateway::start(&config, Arc::new(runner)).unwrap();
    let refused = |bytes: &str| {
        let mut client = Client::connect(gateway.address());
        client.0.write_all(bytes.as_bytes()).unwrap();
        let reply = client.reply(false).expect("an answer");
        (reply.status, id(&reply))
    };
    let begin = "POST /execute/greet HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n";
    let long = format!("GET /{} HTTP/1.1\r\n", "x".repeat(20_000));
    for (status, bytes) in [
        (400, "rubbish\r\n\r\n"),
        (400, "GET /healthz HTTP/1.1\r\nX-Request-Id: mine\r\n\r\n"),
        (408, "GET /healthz HTTP/1.1\r\nHost"),
        (414, &long),
        (505, "GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n"),
    ] {
        let (got, id) = refused(bytes);
        assert_eq!(got, status, "{bytes}");
        assert_made(&id);
    }
    // Once the head is understood, it is the client's own.
    for (status, rest) in [
        (408, "Content-Length: 5\r\n\r\nabc"),
        (413, "Content-Length: 99999999\r\n\r\n"),
        (413, "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n"),
        (400, "Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    ] {
        assert_eq!(refused(&format!("{begin}{rest}")), (status, "mine".into()), "{rest}");
    }
    gateway.stop();
}

#[test]
fn a_request_that_finds_no_place_has_it() {
    let limits = DoorLimits { queue: 1, queue_timeout: Duration::from_millis(20), ..DoorLimits::default() };
    let listen = "127.0.0.1:0".parse().unwrap();
    let config = GatewayConfig { listen, workers: 1, door: limits, ..GatewayConfig::default() };
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    runner.load_built_in().unwrap();
    let gateway = Gateway::start(&config, Arc::new(runner)).unwrap();
    let head =
        |id: &str| format!("POST /execute/infinite-loop HTTP/1.1\r\nHost: a\r\nX-Request-Id: {id}\r\n\r\n");
    let mut clients: Vec<Client> = (0..4).map(|_| Client::connect(gateway.address())).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.0.write_all(head(&format!("client-{number}")).as_bytes()).unwrap();
    }
    let mut busy = 0;
    for (number, mut client) in clients.into_iter().enumerate() {
        let reply = client.reply(false).expect("an answer");
        assert_eq!(id(&reply), format!("client-{number}"));
        busy += usize::from(reply.status == 503);
    }
    assert!(busy > 0, "with one guest at work and one in the queue, someone is turned away");
    gateway.stop();
}

#[test]
fn a_program_gets_it_and_cannot_set_it() {
    let print = r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 16) "X-Request-Id: forged\nx-request-id: again\nFuel-Used: 1\nStatus: 201\n\nbody")
        (func (export "_start")
            (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 71))
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;
    let dir = TempDir::new();
    dir.write("env.wasm", wat(ENV));
    dir.write("forge.wasm", wat(print));
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    assert!(runner.load_plugins(&dir.0).unwrap().failed.is_empty());
    let server = Server::with(runner);
    let mut client = Client::connect(server.address);

    let reply = ask(&mut client, "GET /execute/forge HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine");
    assert_eq!((reply.status, id(&reply).as_str(), reply.text().as_str()), (201, "mine", "body"));
    // Nor what it used.
    let fuel: Vec<_> = reply.head.lines().filter(|line| line.starts_with("Fuel-Used: ")).collect();
    assert!(fuel.len() == 1 && fuel != ["Fuel-Used: 1"], "{fuel:?}");

    for (sent, made) in
        [("X-Request-Id: mine", false), ("X-Request-Id: no good", true), ("X_Request_Id: x", true)]
    {
        let reply = ask(&mut client, &format!("GET /execute/env HTTP/1.1\r\nHost: a\r\n{sent}"));
        let id = id(&reply);
        let env = reply.text();
        let found: Vec<&str> =
            env.split('\0').filter_map(|entry| entry.strip_prefix("HTTP_X_REQUEST_ID=")).collect();
        assert_eq!(found, [id.as_str()], "{env}");
        assert_eq!(id == "mine", !made);
    }
}
