//! `/metrics`: what is counted and under which labels, in both formats, and that no client makes it grow.

use crate::guest::LONG;
use crate::support::{Client, Reply, Server, TempDir, deadline_ms, reload, wat};
use fuelbox::base::limits::DoorLimits;
use fuelbox::gateway::http::problem;
use fuelbox::gateway::{Gateway, GatewayConfig};
use fuelbox::{Limits, Runner, RunnerConfig};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

const OPEN: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A packed guest whose function `greet` has this body.
fn packed(body: &str) -> Vec<u8> {
    wat(&format!(
        r#"(module (memory (export "memory") 1)
             (func (export "allocate") (param i32) (result i32) (i32.const 1024))
             (func (export "greet") (param $p i32) (param $n i32) (result i64) {body}))"#
    ))
}

fn scrape_as(server: &Server, accept: &str) -> Reply {
    let mut client = Client::connect(server.address);
    let head = format!("GET /metrics HTTP/1.1\r\nHost: a\r\n{accept}\r\n");
    client.0.write_all(head.as_bytes()).unwrap();
    let reply = client.reply(false).expect("an answer");
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply
}

/// The samples, by name and labels as they stand there.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.map(|line| line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}")));
    let mut all = BTreeMap::new();
    for (name, value) in pairs {
        assert!(all.insert(name.to_string(), value.parse().unwrap()).is_none(), "{name} is there twice");
    }
    all
}

fn scrape(server: &Server) -> BTreeMap<String, f64> {
    samples(&scrape_as(server, "Accept: application/openmetrics-text\r\n").text())
}

fn requests(plugin: &str, outcome: &str) -> String {
    format!(r#"fuelbox_requests_total{{plugin="{plugin}",outcome="{outcome}"}}"#)
}

#[test]
fn what_ran_is_counted_under_its_plugin_and_what_came_of_it() {
    let server = Server::start(Limits { fuel: 1_000_000, ..Limits::default() });
    let mut client = Client::connect(server.address);
    let begin = scrape(&server);
    let counts = |name: &&String| name.contains("plugin=\"greet\"") && !name.contains("_info");
    assert_eq!(begin.keys().find(counts), None, "nothing is made before it is used");
    for (path, times) in [
        ("/execute/greet", 3),
        ("/execute/greet.wasm", 1),
        ("/execute/greet?func=nope", 2),
        ("/execute/add?func=add", 1),
        ("/execute/infinite-loop", 1),
        ("/execute/memory-hog?func=hog", 1),
        ("/healthz", 1),
    ] {
        for _ in 0..times {
            client.send(if path == "/healthz" { "GET" } else { "POST" }, path, b"World");
        }
    }
    let now = scrape(&server);
    for (name, value) in [
        (requests("greet", "ok"), 4.0),
        (requests("greet", "no-such-function"), 2.0),
        (requests("add", "input-mismatch"), 1.0),
        (requests("infinite-loop", "out-of-fuel"), 1.0),
        (r#"fuelbox_run_seconds_count{plugin="greet"}"#.into(), 4.0),
        (r#"fuelbox_instantiate_seconds_count{plugin="greet"}"#.into(), 4.0),
        (r#"fuelbox_run_seconds_bucket{le="+Inf",plugin="greet"}"#.into(), 4.0),
        (r#"fuelbox_run_seconds_bucket{le="10.0",plugin="greet"}"#.into(), 4.0),
        (r#"fuelbox_fuel_used_total{plugin="greet"}"#.into(), 4.0 * 71.0),
        (r#"fuelbox_fuel_used_total{plugin="infinite-loop"}"#.into(), 1_000_000.0),
        (r#"fuelbox_memory_peak_pages{plugin="greet"}"#.into(), 1.0),
        (r#"fuelbox_growths_denied_total{plugin="greet"}"#.into(), 0.0),
        ("fuelbox_workers_busy".into(), 0.0),
        ("fuelbox_workers_limit".into(), 4.0),
        ("fuelbox_queue_length".into(), 0.0),
        ("fuelbox_plugins_loaded".into(), server.runner.plugins().all().len() as f64),
        ("fuelbox_connections_open".into(), 2.0),
        ("fuelbox_connections_limit".into(), 256.0),
    ] {
        assert_eq!(now.get(&name), Some(&value), "{name} in {now:#?}");
    }
    assert_eq!(now[&requests("", "ok")], begin.get(&requests("", "ok")).unwrap_or(&0.0) + 2.0);
    // A call that found no function ran nothing.
    let run = |plugin: &str| format!(r#"fuelbox_run_seconds_count{{plugin="{plugin}"}}"#);
    assert_eq!(now.get(&run("add")), Some(&0.0));
    assert!(now["fuelbox_connections_accepted_total"] >= 3.0 && now["process_start_time_seconds"] > 1.7e9);
    assert!(now.keys().any(|name| name.starts_with("fuelbox_build_info{version=")));
}

#[test]
fn denied_growths_and_peaks_are_counted() {
    let dir = TempDir::new();
    dir.write("grow.wasm", packed("(drop (memory.grow (i32.const 2))) (drop (memory.grow (i32.const 9999))) (drop (memory.grow (i32.const 9999))) (i64.const 0)"));
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    assert!(runner.load_plugins(&dir.0).unwrap().failed.is_empty());
    let server = Server::with(runner);
    assert_eq!(server.send("POST", "/execute/grow", b"").status, 200);
    let now = scrape(&server);
    assert_eq!(now[r#"fuelbox_growths_denied_total{plugin="grow"}"#], 2.0);
    assert_eq!(now[r#"fuelbox_memory_peak_pages{plugin="grow"}"#], 3.0);
}

#[test]
fn no_client_makes_a_series() {
    let server = Server::start(Limits::default());
    server.send("POST", "/execute/greet", b"");
    let warm_up = |client: &mut Client| {
        for (method, path) in [
            ("POST", "/execute/nope"),
            ("NOPE", "/execute/greet"),
            ("POST", "/execute/greet?func=nope"),
            ("GET", "/nope"),
            ("NOPE", "/healthz"),
            ("GET", "/metrics"),
        ] {
            client.send(method, path, b"");
        }
    };
    let mut client = Client::connect(server.address);
    warm_up(&mut client);
    let before = scrape(&server);
    for number in 0..2_500 {
        let quote = if number % 2 == 0 { "%22" } else { "%0a" };
        client.send("POST", &format!("/execute/n{number}{quote}"), b"");
        client.send("POST", &format!("/execute/greet?func=f{number}{quote}"), b"");
        client.send(&format!("M{number}"), "/execute/greet", b"");
        client.send("GET", &format!("/n{number}/metrics"), b"");
    }
    let after = scrape(&server);
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    assert_eq!(after[&requests("", "no-such-plugin")] - before[&requests("", "no-such-plugin")], 2_500.0);
    let made = |name: &String| after[name] - before[name];
    assert_eq!(made(&requests("greet", "no-such-function")), 2_500.0);
    assert_eq!(made(&requests("greet", "method-not-allowed")), 2_500.0);
}

#[test]
fn what_is_removed_goes_and_what_is_replaced_goes_on() {
    let dir = TempDir::new();
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    for name in ["kept", "gone"] {
        dir.write(&format!("{name}.wasm"), packed("(i64.const 0)"));
    }
    runner.load_plugins(&dir.0).unwrap();
    let server = Server::with(runner);
    for name in ["kept", "gone"] {
        assert_eq!(server.send("POST", &format!("/execute/{name}"), b"").status, 200);
    }
    assert_eq!(scrape(&server)[&requests("gone", "ok")], 1.0);
    dir.write("kept.wasm", packed("(nop) (i64.const 0)"));
    dir.write("bad.wasm", "rubbish");
    std::fs::remove_file(dir.0.join("gone.wasm")).unwrap();
    reload(&server.runner);
    assert_eq!(server.send("POST", "/execute/kept", b"").status, 200);
    assert_eq!(server.send("POST", "/execute/gone", b"").status, 404);
    let now = scrape(&server);
    assert!(!now.keys().any(|name| name.contains("\"gone\"")), "{now:#?}");
    assert_eq!(now[&requests("kept", "ok")], 2.0);
    for (name, value) in [
        ("fuelbox_plugins_loaded", 1.0),
        ("fuelbox_plugins_refused", 1.0),
        ("fuelbox_plugin_loads_total", 3.0),
        ("fuelbox_plugin_removals_total", 1.0),
        ("fuelbox_plugin_load_failures_total", 1.0),
        ("fuelbox_folder_failures_total", 0.0),
    ] {
        assert_eq!(now[name], value, "{name}");
    }
    std::fs::remove_dir_all(&dir.0).unwrap();
    server.runner.reload().unwrap_err();
    assert_eq!(scrape(&server)["fuelbox_folder_failures_total"], 1.0);
}

#[test]
fn a_file_name_drives_no_terminal_that_shows_metrics_or_the_list() {
    let dir = TempDir::new();
    dir.write("a\x1b[2J\u{202e}b.wasm", packed("(i64.const 0)"));
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    assert!(runner.load_plugins(&dir.0).unwrap().failed.is_empty());
    let server = Server::with(runner);
    assert_eq!(server.send("POST", "/execute/a%1B%5B2J%E2%80%AEb", b"").status, 200);
    let metrics = server.send("GET", "/metrics", b"").text();
    assert!(metrics.contains(&requests(r"a\\u{1b}[2J\\u{202e}b", "ok")), "{metrics}");
    let list = server.send("GET", "/plugins", b"").text();
    assert!(list.contains(r#""name":"a\u001b[2J\u202eb""#), "{list}");
    for text in [metrics, list] {
        assert!(!text.contains(['\x1b', '\u{202e}']), "{text}");
    }
}

#[test]
fn a_file_name_cannot_break_out_of_its_label() {
    let dir = TempDir::new();
    let forged = "a\"} 9\nfuelbox_forged_total{x=\"\\";
    dir.write(&format!("{forged}.wasm"), packed("(i64.const 0)"));
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    assert!(runner.load_plugins(&dir.0).unwrap().failed.is_empty());
    let server = Server::with(runner);
    let path = "/execute/a%22%7D%209%0Afuelbox_forged_total%7Bx%3D%22%5C";
    assert_eq!(server.send("POST", path, b"").status, 200);
    for accept in ["", "Accept: application/openmetrics-text\r\n"] {
        let text = scrape_as(&server, accept).text();
        assert!(!text.lines().any(|line| line.starts_with("fuelbox_forged")), "{text}");
        let name = requests(r#"a\"} 9\nfuelbox_forged_total{x=\"\\\\"#, "ok");
        assert!(text.contains(&format!("{name} 1\n")), "{text}");
    }
}

#[test]
fn the_format_is_the_one_that_is_asked_for() {
    let server = Server::start(Limits::default());
    server.send("POST", "/execute/greet", b"");
    let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    for (accept, kind) in [
        ("", CLASSIC),
        ("*/*", CLASSIC),
        ("text/html", CLASSIC),
        ("text/plain", CLASSIC),
        ("application/openmetrics-text;q=0", CLASSIC),
        ("application/openmetrics-text;q=0.1, text/plain", CLASSIC),
        ("application/openmetrics-text;q=nan, text/plain", CLASSIC),
        ("application/openmetrics-text", OPEN),
        ("Application/OpenMetrics-Text; version=1.0.0", OPEN),
        ("text/plain;q=0.5\r\nAccept: application/openmetrics-text", OPEN),
        (prometheus, OPEN),
    ] {
        let accept = if accept.is_empty() { String::new() } else { format!("Accept: {accept}\r\n") };
        let reply = scrape_as(&server, &accept);
        assert_eq!(reply.header("content-type"), Some(kind), "{accept}");
        let text = reply.text();
        assert_eq!(text.ends_with("# EOF\n"), kind == OPEN, "{text}");
        assert_eq!(text.contains("\n# UNIT "), kind == OPEN);
        let typed = if kind == OPEN { "fuelbox_requests" } else { "fuelbox_requests_total" };
        assert!(text.contains(&format!("# TYPE {typed} counter\n")), "{text}");
        assert!(text.contains(&format!("# HELP {typed} Requests by plug-in")), "{text}");
    }
    assert_eq!(server.send("HEAD", "/metrics", b"").header("content-type"), Some(CLASSIC));
    assert_eq!(server.send("POST", "/metrics", b"").header("allow"), Some("GET, HEAD"));
}

#[test]
fn every_problem_has_a_place_where_it_is_counted() {
    let source = include_str!("../../src/gateway/http/problem.rs");
    let declared = source.matches(": Kind = kind(").count();
    let slugs: std::collections::HashSet<_> = problem::ALL.iter().map(|kind| kind.slug).collect();
    assert_eq!((slugs.len(), problem::ALL.len()), (declared, declared));
    assert!(!slugs.contains("ok"));
}

/// A gateway with the built-in guests, one of which runs at a time.
fn gateway(door: DoorLimits, limits: Limits) -> Gateway {
    let config = GatewayConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        workers: 1,
        door,
        ..GatewayConfig::default()
    };
    let runner = Runner::new(RunnerConfig { limits, ..crate::support::runner_config() }).unwrap();
    runner.load_built_in().unwrap();
    Gateway::start(&config, Arc::new(runner)).unwrap()
}

/// Asks until `name` is what it should be, which takes what it takes.
fn until(client: &mut Client, name: &str, is: impl Fn(f64) -> bool) {
    let begin = Instant::now();
    loop {
        let text = client.send("GET", "/metrics", b"").text();
        if is(samples(&text)[name]) {
            return;
        }
        assert!(begin.elapsed() < LONG, "{name} in {text}");
    }
}

#[test]
fn guests_at_work_and_the_queue_before_them_are_told_as_they_are() {
    let door = DoorLimits { queue_timeout: LONG, ..DoorLimits::default() };
    let gateway = gateway(door, deadline_ms(500));
    let mut client = Client::connect(gateway.address());
    let mut spinning: Vec<Client> = (0..3).map(|_| Client::connect(gateway.address())).collect();
    for spinning in &mut spinning {
        spinning.0.write_all(b"POST /execute/infinite-loop HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    }
    until(&mut client, "fuelbox_queue_length", |length| length == 2.0);
    until(&mut client, "fuelbox_workers_busy", |running| running == 1.0);
    for mut spinning in spinning {
        assert_eq!(spinning.reply(false).unwrap().status, 504);
    }
    until(&mut client, "fuelbox_workers_busy", |running| running == 0.0);
    gateway.stop();
}

#[test]
fn connections_that_make_room_are_counted() {
    let door = DoorLimits { connections: 2, connections_per_client: Some(2), ..DoorLimits::default() };
    let two = gateway(door, Limits::default());
    let _idle = [Client::connect(two.address()), Client::connect(two.address())];
    let text = Client::connect(two.address()).send("GET", "/metrics", b"").text();
    let now = samples(&text);
    let evicted = now[r#"fuelbox_connections_evicted_total{reason="room"}"#];
    assert_eq!(evicted, 1.0, "{text}");
    assert_eq!(now[r#"fuelbox_connections_evicted_total{reason="budget"}"#], 0.0);
    assert_eq!(now["fuelbox_connections_accepted_total"], 3.0);
    assert_eq!(now["fuelbox_connections_open"], 2.0);
    two.stop();

    let door = DoorLimits { body_bytes: 40_000, budget_bytes: 100_000, ..DoorLimits::default() };
    let small = gateway(door, Limits { input_bytes: 40_000, ..Limits::default() });
    let stuck = || {
        let mut client = Client::connect(small.address());
        let head = "POST /execute/greet HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n";
        client.0.write_all(&[head.as_bytes(), &[b'x'; 36_000]].concat()).unwrap();
        client
    };
    let one = stuck();
    let mut client = Client::connect(small.address());
    until(&mut client, "fuelbox_buffered_bytes", |bytes| bytes >= 36_000.0);
    let more = [stuck(), stuck(), stuck()];
    until(&mut client, r#"fuelbox_connections_evicted_total{reason="budget"}"#, |count| count >= 1.0);
    // A stop would wait for their bodies.
    drop((one, more));
    small.stop();
}

#[test]
fn requests_that_find_no_place_count_under_the_plugin_they_were_for() {
    let gateway = gateway(DoorLimits { queue: 0, ..DoorLimits::default() }, deadline_ms(300));
    let mut clients: Vec<Client> = (0..3).map(|_| Client::connect(gateway.address())).collect();
    for client in &mut clients {
        client.0.write_all(b"POST /execute/infinite-loop HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    }
    let statuses: Vec<u16> = clients.iter_mut().map(|client| client.reply(false).unwrap().status).collect();
    let busy = statuses.iter().filter(|status| **status == 503).count();
    assert!(busy > 0, "{statuses:?}");
    let text = Client::connect(gateway.address()).send("GET", "/metrics", b"").text();
    assert_eq!(samples(&text)[&requests("infinite-loop", "busy")], busy as f64, "{text}");
    gateway.stop();
}

#[test]
fn two_plugins_never_have_one_label() {
    let dir = TempDir::new();
    for name in ["\u{1b}[31m", "\\u{1b}[31m", "a\rb", "a\\rb"] {
        std::fs::copy(crate::support::prebuilt("greet.wasm"), dir.0.join(format!("{name}.wasm"))).unwrap();
    }
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let server = Server::with(runner);
    for name in ["%1b%5b31m", "%5cu%7b1b%7d%5b31m", "a%0db", "a%5crb"] {
        assert_eq!(server.send("POST", &format!("/execute/{name}"), b"x").status, 200, "{name}");
    }
    // It sees to it that no series comes twice.
    let found = scrape(&server);
    assert_eq!(found.keys().filter(|name| name.starts_with("fuelbox_fuel_used_total")).count(), 4);
}

#[test]
fn the_process_and_the_digests_of_plugins_are_told() {
    let dir = TempDir::new();
    std::fs::copy(crate::support::prebuilt("add.wasm"), dir.0.join("add.wasm")).unwrap();
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let server = Server::with(runner);
    let digest = fuelbox::base::digest::Digest::of(&std::fs::read(dir.0.join("add.wasm")).unwrap());
    let known = format!("fuelbox_plugin_info{{plugin=\"add\",sha256=\"{digest}\"}}");
    let first = scrape(&server);
    assert_eq!(first.get(&known), Some(&1.0), "{first:?}");
    assert!(first["process_cpu_seconds_total"] > 0.0);
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    assert_eq!(first[&format!("fuelbox_host_info{{nodename=\"{host}\"}}")], 1.0);
    let again = scrape(&server)["fuelbox_uptime_seconds"];
    assert!(first["fuelbox_uptime_seconds"] > 0.0 && again > first["fuelbox_uptime_seconds"], "{again}");
    if std::path::Path::new("/proc/self/statm").exists() {
        assert!(first["process_resident_memory_bytes"] > 1e6);
        assert!((3.0..=first["process_max_fds"]).contains(&first["process_open_fds"]));
    }
    dir.write("add.wasm", crate::support::wat("(module (func (export \"f\")))"));
    crate::support::reload(&server.runner);
    assert!(!scrape(&server).contains_key(&known));
}
