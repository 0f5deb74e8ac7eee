//! Plug-ins whose policy gives them less than all places: they wait for each other, and nobody else for them.

use crate::site::{DEPLOY, Site};
use crate::support::{Client, Server, TempDir, prebuilt, wat};
use fuelbox::base::limits::DoorLimits;
use fuelbox::{Limits, Runner, RunnerConfig};
use std::io::Write;
use std::time::Duration;

/// A gateway of 4 places with a plug-in that spins and may have one, and greet.
fn server(timeout: Duration) -> (TempDir, Server) {
    let dir = TempDir::new();
    std::fs::copy(prebuilt("infinite-loop.wasm"), dir.0.join("spin.wasm")).unwrap();
    std::fs::copy(prebuilt("greet.wasm"), dir.0.join("greet.wasm")).unwrap();
    dir.write("one.wasm", wat(r#"(module (func (export "f") (result i32) (i32.const 1)))"#));
    dir.write("spin.toml", "workers = 1");
    dir.write("one.toml", "workers = 1");
    let limits = Limits { deadline: Some(timeout), ..Limits::default() };
    let runner = Runner::new(RunnerConfig { limits, ..crate::support::runner_config() }).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    (dir, Server::with(runner))
}

fn begin_spinning(server: &Server) -> Client {
    let mut client = Client::connect(server.address);
    client
        .0
        .write_all(b"POST /execute/spin?func=spin HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n")
        .unwrap();
    client
}

#[test]
fn one_at_a_time_each_ends_by_its_own_deadline() {
    let (_dir, server) = server(Duration::from_millis(300));
    let mut clients: Vec<Client> = (0..3).map(|_| begin_spinning(&server)).collect();
    // Others have the other places meanwhile.
    assert_eq!(Client::connect(server.address).send("POST", "/execute/greet", b"x").text(), "Hello, x");
    // One after the other; side by side each would have been answered in the order of chance.
    let kinds: Vec<_> = clients.iter_mut().map(|client| client.reply(false).unwrap().problem()).collect();
    assert_eq!(kinds, ["deadline"; 3]);
}

#[test]
fn a_flood_for_one_leaves_places_and_queue_to_others() {
    // Nothing of the flood may end meanwhile.
    let (_dir, server) = server(Duration::from_secs(5));
    let clients: Vec<Client> = (0..60).map(|_| begin_spinning(&server)).collect();
    for _ in 0..100 {
        let reply = Client::connect(server.address).send("POST", "/execute/greet", b"x");
        assert_eq!(reply.text(), "Hello, x");
    }
    // Half of the queue of 64 is taken; one more of the same is refused at once.
    let refused = Client::connect(server.address).send("POST", "/execute/spin?func=spin", b"");
    assert_eq!((refused.status, refused.problem()), (503, "busy".into()));
    assert_eq!(refused.header("retry-after"), Some("1"));
    drop(clients);
}

#[test]
fn places_are_given_back_whatever_the_answer_is() {
    let (_dir, server) = server(Duration::from_millis(300));
    let mut client = Client::connect(server.address);
    for _ in 0..20 {
        assert_eq!(client.send("POST", "/execute/one?func=f", b"").text(), "1\n");
        assert_eq!(client.send("POST", "/execute/one?func=none", b"").status, 404);
        assert_eq!(client.send("GET", "/execute/one?func=f", b"").status, 405);
        assert_eq!(client.send("POST", "/execute/one.wasm?func=f", b"x y z").status, 400);
    }
    // Pipelined, they still come one at a time and in order.
    let one = b"POST /execute/one?func=f HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n";
    client.0.write_all(&one.repeat(50)).unwrap();
    for _ in 0..50 {
        assert_eq!(client.reply(false).unwrap().text(), "1\n");
    }
}

#[test]
fn strangers_do_not_use_up_the_share_of_a_plug_in_that_asks_for_a_token() {
    let limits = Limits { deadline: Some(Duration::from_secs(20)), ..Limits::default() };
    let door = DoorLimits { queue: 4, queue_timeout: Duration::from_secs(20), ..DoorLimits::default() };
    let site = Site::with(RunnerConfig { limits, ..crate::support::runner_config() }, door);
    let spin = std::fs::read(prebuilt("infinite-loop.wasm")).unwrap();
    site.send("PUT", "/plugins/spin/policy", b"access = \"token\"\nworkers = 1\nlimits.timeout = \"2s\"");
    assert_eq!(site.send("PUT", "/plugins/spin", &spin).status, 201);
    let head = |field: &str| {
        format!("POST /execute/spin?func=spin HTTP/1.1\r\nHost: t\r\n{field}Content-Length: 0\r\n\r\n")
    };
    let bearer = format!("Authorization: Bearer {DEPLOY}\r\n");
    let mut begun = site.client();
    begun.0.write_all(head(&bearer).as_bytes()).unwrap();
    while !site.client().send("GET", "/metrics", b"").text().contains("fuelbox_workers_busy 1") {}
    let mut strangers: Vec<Client> = (0..4).map(|_| site.client_from(9)).collect();
    for stranger in &mut strangers {
        stranger.0.write_all(head("").as_bytes()).unwrap();
    }
    // Waiting behind it, they would have the half of the queue that this plug-in's requests may have.
    std::thread::sleep(Duration::from_millis(100));
    let mut second = site.client();
    second.0.write_all(head(&bearer).as_bytes()).unwrap();
    for stranger in &mut strangers {
        assert_eq!(stranger.reply(false).unwrap().status, 401);
    }
    assert_eq!((begun.reply(false).unwrap().status, second.reply(false).unwrap().status), (504, 504));
}
