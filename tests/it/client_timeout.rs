//! `Fuelbox-Timeout`: how long a client waits. With FUELBOX_TEST_ISOLATION=process, guests run in processes.

use crate::support::{Client, Reply, Server, TempDir, reload, wat};
use fuelbox::base::limits::DoorLimits;
use fuelbox::gateway::{Gateway, GatewayConfig};
use fuelbox::{Limits, Runner, RunnerConfig};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

/// Far longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

const SPIN: &str = r#"(module (func (export "spin") (loop $again (br $again))))"#;

fn runner() -> Runner {
    let limits = Limits { deadline: Some(LONG), ..Limits::default() };
    let runner = Runner::new(RunnerConfig { limits, ..crate::support::runner_config() }).unwrap();
    runner.load_built_in().unwrap();
    runner
}

/// A folder of guests that spin: `spin`, and `short`, whose policy has a deadline of its own.
fn folder() -> TempDir {
    let dir = TempDir::new();
    dir.write("spin.wasm", wat(SPIN));
    dir.write("short.wasm", wat(SPIN));
    dir.write("short.toml", "limits.timeout = \"100ms\"\n");
    dir
}

fn server() -> (Server, TempDir) {
    let (runner, dir) = (runner(), folder());
    assert!(runner.load_plugins(&dir.0).unwrap().failed.is_empty());
    (Server::for_one_client(runner), dir)
}

fn ask(server: &Server, plugin: &str, fields: &[(&str, &str)]) -> Reply {
    Client::connect(server.address).ask("POST", &format!("/execute/{plugin}"), fields, b"")
}

/// What a reply says: status, problem and detail.
fn told(reply: &Reply) -> (u16, String, String) {
    let document: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    (reply.status, reply.problem(), document["detail"].as_str().unwrap().to_string())
}

#[test]
fn a_guest_is_stopped_when_its_client_waits_no_longer() {
    let (server, _dir) = server();
    let reply = ask(&server, "spin?func=spin", &[("Fuelbox-Timeout", "100")]);
    let (status, problem, detail) = told(&reply);
    assert_eq!((status, &*problem), (504, "deadline"), "{detail}");
    assert!(detail.contains("Fuelbox-Timeout"), "{detail}");
    // It ran. A process that is killed does not tell what it used.
    assert!(reply.header("fuel-used").is_some(), "{}", reply.head);
    assert_eq!(ask(&server, "greet", &[("Fuelbox-Timeout", "60000")]).status, 200);
}

#[test]
fn it_never_makes_a_deadline_later() {
    let (server, _dir) = server();
    for timeout in ["60000", "9999999999"] {
        let (status, problem, detail) =
            told(&ask(&server, "short?func=spin", &[("Fuelbox-Timeout", timeout)]));
        assert_eq!((status, &*problem), (504, "deadline"), "{timeout}: {detail}");
        assert!(detail.contains("deadline of 100ms"), "{timeout}: {detail}");
    }
}

#[test]
fn who_waits_for_nothing_has_nothing_run() {
    let (server, dir) = server();
    let reply = ask(&server, "greet", &[("Fuelbox-Timeout", "0")]);
    assert_eq!((reply.status, &*reply.problem()), (504, "deadline"));
    assert_eq!(reply.header("fuel-used"), None, "{}", reply.head);
    // A program as well.
    dir.write("program.wasm", wat(r#"(module (memory (export "memory") 1) (func (export "_start")))"#));
    reload(&server.runner);
    let reply = ask(&server, "program", &[("Fuelbox-Timeout", "0")]);
    assert_eq!((reply.status, reply.header("fuel-used")), (504, None));
    assert_eq!(ask(&server, "program", &[]).status, 200);
    let scrape = Client::connect(server.address).send("GET", "/metrics", b"").text();
    let runs = |plugin: &str| format!("fuelbox_run_seconds_count{{plugin=\"{plugin}\"}}");
    let count = |plugin: &str| scrape.lines().find_map(|line| line.strip_prefix(&*runs(plugin)));
    assert_eq!((count("greet"), count("program")), (Some(" 0"), Some(" 1")), "{scrape}");
}

#[test]
fn what_is_no_number_of_milliseconds_is_refused() {
    let (server, _dir) = server();
    for value in ["-1", "1s", "+1", "1.5", "0x1", "", "1, 2", "99999999999", "\u{661}"] {
        let reply = ask(&server, "greet", &[("Fuelbox-Timeout", value)]);
        assert_eq!((reply.status, &*reply.problem()), (400, "bad-request"), "{value:?}");
    }
    for twice in [["100", "100"], ["100", "200"], ["100", "x"]] {
        let fields = twice.map(|value| ("Fuelbox-Timeout", value));
        assert_eq!(ask(&server, "greet", &fields).status, 400, "{twice:?}");
    }
    for (value, status) in [("9999999999", 200), (" 60000 ", 200)] {
        assert_eq!(ask(&server, "greet", &[("Fuelbox-Timeout", value)]).status, status, "{value:?}");
    }
}

#[test]
fn a_request_in_the_queue_is_answered_when_its_time_is_over() {
    let (runner, dir) = (runner(), folder());
    assert!(runner.load_plugins(&dir.0).unwrap().failed.is_empty());
    let config = GatewayConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        workers: 1,
        door: DoorLimits { client_share: 100, queue_timeout: LONG, ..DoorLimits::default() },
        ..GatewayConfig::default()
    };
    let gateway = Gateway::start(&config, Arc::new(runner)).unwrap();
    let mut spinning = Client::connect(gateway.address());
    let head = "POST /execute/spin?func=spin HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\nFuelbox-Timeout: 3000\r\n\r\n";
    spinning.0.write_all(head.as_bytes()).unwrap();
    let mut other = Client::connect(gateway.address());
    let is_busy = |text: &str| text.contains("fuelbox_workers_busy 1\n");
    while !is_busy(&other.send("GET", "/metrics", b"").text()) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let reply = other.ask("POST", "/execute/greet", &[("Fuelbox-Timeout", "100")], b"");
    // The worker is still taken, so it did not run.
    let busy = is_busy(&other.send("GET", "/metrics", b"").text());
    assert!(busy, "{}: {}", reply.status, reply.text());
    assert_eq!((reply.status, &*reply.problem()), (503, "busy"));
    assert_eq!(reply.header("fuel-used"), None, "{}", reply.head);
    assert_eq!(spinning.reply(false).unwrap().status, 504);
    gateway.stop();
}
