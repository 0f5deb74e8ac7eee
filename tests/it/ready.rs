//! `/healthz` (alive) and `/readyz` (to be given work): what each says, and when they differ.

use crate::handler::HandlerService;
use crate::support::{Client, Serve, Server, TempDir};
use fuelbox::base::limits::DoorLimits;
use fuelbox::gateway::Response;
use fuelbox::gateway::connection::door::Door;
use fuelbox::gateway::connection::pending::Work;
use fuelbox::gateway::routes::counters::Counters;
use fuelbox::gateway::routes::service::Routes;
use fuelbox::gateway::scheduling::scheduler::WorkerState;
use fuelbox::gateway::workers::lane::Lane;
use fuelbox::gateway::workers::worker::Worker;
use fuelbox::{Limits, Runner};
use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

/// The status and, if it is a problem, what it says.
fn readiness(client: &mut Client) -> (u16, String) {
    let reply = client.send("GET", "/readyz", b"");
    if reply.status == 200 {
        assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
        return (200, reply.text());
    }
    assert_eq!(reply.problem(), "not-ready");
    let problem: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    (reply.status, problem["detail"].as_str().unwrap().split(':').next().unwrap().to_string())
}

#[test]
fn a_gateway_that_serves_is_alive_and_ready() {
    let server = Server::start(Limits::default());
    let mut client = Client::connect(server.address);
    assert_eq!(readiness(&mut client), (200, "ready\n".into()));
    for (path, length) in [("/healthz", "3"), ("/readyz", "6"), ("/metrics", "")] {
        let head = client.send("HEAD", path, b"");
        assert_eq!(head.status, 200, "{path}");
        assert!(head.header("content-length").unwrap().starts_with(length));
        let post = client.send("POST", path, b"");
        assert_eq!((post.status, post.header("allow")), (405, Some("GET, HEAD")), "{path}");
    }
    assert_eq!(client.send("GET", "/readyz?verbose", b"").status, 200);
    assert_eq!(client.send("GET", "/readyz/", b"").status, 404);
}

#[test]
fn without_plugins_it_is_alive_and_not_ready() {
    let server = Server::with(Runner::new(crate::support::runner_config()).unwrap());
    let mut client = Client::connect(server.address);
    assert_eq!(client.send("GET", "/healthz", b"").text(), "ok\n");
    assert_eq!(readiness(&mut client), (503, "plug-ins".into()));
    // A folder that cannot be read loads nothing; an empty one has been looked at.
    let dir = TempDir::new();
    server.runner.load_plugins(dir.0.join("none")).unwrap_err();
    assert_eq!(readiness(&mut client).0, 503);
    server.runner.load_plugins(&dir.0).unwrap();
    assert_eq!(readiness(&mut client), (200, "ready\n".into()));
}

#[test]
#[cfg(unix)]
fn while_it_stops_it_is_alive_and_not_ready() {
    let mut serve = Serve::start(&TempDir::new().0, &["--timeout=20s"]);
    // What is open when the signal comes is served to its end: here requests whose heads are not whole yet.
    let begin = |path: &str| {
        let mut client = Client::connect(serve.address);
        client.0.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n").as_bytes()).unwrap();
        client
    };
    let (mut ready, mut alive) = (begin("/readyz"), begin("/healthz"));
    // An answer on a later connection shows that the earlier ones have been taken.
    assert_eq!(Client::connect(serve.address).send("GET", "/readyz", b"").status, 200);
    let id = serve.child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    // Once nobody listens any more, the signal has been seen.
    while std::net::TcpStream::connect(serve.address).is_ok() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    ready.0.write_all(b"\r\n").unwrap();
    let reply = ready.reply(false).expect("an answer while stopping");
    assert_eq!((reply.status, reply.problem().as_str()), (503, "not-ready"));
    assert!(reply.text().contains("draining") && reply.header("connection") == Some("close"), "{reply:?}");
    alive.0.write_all(b"\r\n").unwrap();
    assert_eq!(alive.reply(false).expect("an answer while stopping").text(), "ok\n");
    assert!(serve.child.wait().unwrap().success());
}

#[test]
fn a_broken_lane_is_told_once_and_then_made_anew() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    runner.load_built_in().unwrap();
    let routes = Routes::new(Arc::new(runner), Counters::new(None), None);
    let door = Door::new(listener, (DoorLimits::default(), vec![]), 1, Box::new(routes)).unwrap();
    let door = Arc::new(door);
    for _ in 0..2 {
        let lane = Lane::open().unwrap();
        lane.break_it();
        let worker = Worker::new(Arc::clone(&door), lane);
        std::thread::spawn(move || worker.work());
    }
    let mut client = Client::connect(address);
    assert_eq!(readiness(&mut client), (503, "lanes".into()));
    // There are two workers, so the next answer may be told by the other one.
    let answers: Vec<_> = (0..3).map(|_| readiness(&mut client)).collect();
    assert_eq!(answers[2], (200, "ready\n".into()), "{answers:?}");
    door.stop();
}

#[test]
fn a_gateway_is_at_work_while_events_are_looked_for_and_taken_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let service = HandlerService::of(|_, _| Response::new(200, "text/plain", ""));
    let door = Arc::new(Door::new(listener, (DoorLimits::default(), vec![]), 1, service).unwrap());
    let brief = Duration::from_millis(20);
    assert!(!door.has_heartbeat(brief), "nobody looks for events");
    // Events that are looked for, but nobody who takes up what they tell.
    door.poll_events(Some(Duration::ZERO), false);
    assert!(!door.has_heartbeat(brief));
    let worker = {
        let door = Arc::clone(&door);
        std::thread::spawn(move || {
            let mut worker = WorkerState::default();
            while let Some(work) = door.next(&mut worker) {
                if let Work::Heartbeat(asked) = work {
                    let _ = asked.try_send(());
                }
            }
        })
    };
    assert!(door.has_heartbeat(Duration::from_secs(20)));
    door.stop();
    worker.join().unwrap();
}
