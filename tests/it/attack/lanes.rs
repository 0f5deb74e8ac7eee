//! Handlers that panic and lanes that break (item 8 of issue 3).

use super::{post, read_reply, scale, turn};
use crate::handler::HandlerService;
use crate::support::Reply;
use fuelbox::base::limits::DoorLimits;
use fuelbox::base::lock::lock;
use fuelbox::gateway::connection::door::Door;
use fuelbox::gateway::http::message::TEXT;
use fuelbox::gateway::workers::lane::Lane;
use fuelbox::gateway::workers::worker::Worker;
use fuelbox::gateway::{Gateway, GatewayConfig, Request, Response};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

/// Panics where the path says so, and else gives back the body.
fn handler(request: Request, _when_long: &dyn Fn()) -> Response {
    if request.target.ends_with("slow") {
        sleep(Duration::from_millis(20));
    }
    assert!(!request.target.contains("panic"), "as asked");
    Response::new(200, TEXT, request.body.clone())
}

fn ask(address: SocketAddr, target: &str, body: &str) -> Reply {
    post(&mut super::connect(address), target, body.as_bytes()).unwrap()
}

/// Asks for its own bodies until `until`; every answer must be right.
fn neighbour(address: SocketAddr, number: usize, until: Instant) -> usize {
    let mut stream = super::connect(address);
    let mut count = 0;
    while Instant::now() < until {
        let body = format!("{number}/{count}");
        let reply = post(&mut stream, "/execute/echo", body.as_bytes()).unwrap();
        assert_eq!((reply.status, reply.text()), (200, body));
        count += 1;
    }
    count
}

#[test]
fn a_handler_that_panics_is_a_500_and_nobody_elses_matter() {
    let _turn = turn();
    let config =
        GatewayConfig { listen: "127.0.0.1:0".parse().unwrap(), workers: 4, ..GatewayConfig::default() };
    let gateway =
        Gateway::start_service(&config, HandlerService::of(handler), Duration::from_secs(5)).unwrap();
    let address = gateway.address();
    let until = Instant::now() + scale(Duration::from_millis(300), Duration::from_secs(5));
    let neighbours: Vec<_> = (0..4).map(|number| spawn(move || neighbour(address, number, until))).collect();
    let mut stream = super::connect(address);
    let mut panics = 0;
    // However slow the machine is, some of both.
    while Instant::now() < until || panics < 3 {
        // The connection goes on, and so does the lane with what is behind in it.
        stream.write_all(&super::message("/execute/panic", b"x")).unwrap();
        stream.write_all(&super::message("/execute/echo", b"after")).unwrap();
        let reply = read_reply(&mut stream).unwrap();
        assert_eq!((reply.status, reply.problem().as_str()), (500, "internal"));
        assert_eq!(read_reply(&mut stream).unwrap().text(), "after");
        panics += 1;
        // Not so many that the test's output is nothing else.
        sleep(Duration::from_millis(50));
    }
    let served: usize = neighbours.into_iter().map(|thread| thread.join().unwrap()).sum();
    println!("attack note | 8 panics | {panics} panics, {served} answers beside them");
    assert!(served > 0);
    drop(stream);
    gateway.stop();
}

#[test]
fn a_panic_outside_of_the_handler_ends_one_connection() {
    let _turn = turn();
    let config =
        GatewayConfig { listen: "127.0.0.1:0".parse().unwrap(), workers: 2, ..GatewayConfig::default() };
    let service = HandlerService::of(handler);
    let gateway = Gateway::start_service(&config, service, Duration::from_secs(5)).unwrap();
    for number in 0..8 {
        let mut stream = super::connect(gateway.address());
        stream.write_all(&super::message("/healthz/fault", b"x")).unwrap();
        assert!(read_reply(&mut stream).is_err(), "closed without a response");
        assert_eq!(ask(gateway.address(), "/execute/echo", "after").text(), "after", "{number}");
    }
    // None of them is held any more; the last one that was answered may be.
    assert!(gateway.connections() <= 1, "{}", gateway.connections());
    gateway.stop();
}

/// A door whose workers begin with lanes of which the first `broken` are broken.
fn with_broken_lanes(workers: usize, broken: usize) -> (Arc<Door>, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let guests = workers - 1;
    let service = HandlerService::of(handler);
    let door = Arc::new(Door::new(listener, (DoorLimits::default(), vec![]), guests, service).unwrap());
    for number in 0..workers {
        let lane = Lane::open().unwrap();
        if number < broken {
            lane.break_it();
        }
        let worker = Worker::new(Arc::clone(&door), lane);
        spawn(move || worker.work());
    }
    (door, address)
}

#[test]
fn a_broken_lane_costs_one_answer_and_is_back_within_a_second() {
    let _turn = turn();
    let (door, address) = with_broken_lanes(2, 2);
    let mut lost = 0;
    for number in 0..20 {
        let begin = Instant::now();
        let reply = ask(address, "/execute/echo", "World");
        assert!(begin.elapsed() < Duration::from_millis(scale(2000, 1000)), "{:?}", begin.elapsed());
        match reply.status {
            200 => assert_eq!(reply.text(), "World"),
            _ => {
                assert_eq!((reply.status, reply.problem().as_str()), (502, "lane-broken"), "{number}");
                lost += 1;
            }
        }
    }
    assert!((1..=2).contains(&lost), "{lost} answers lost with 2 lanes");
    door.stop();
}

#[test]
fn neighbours_of_broken_lanes_are_served() {
    let _turn = turn();
    let (door, address) = with_broken_lanes(5, 4);
    let lost = Arc::new(Mutex::new(Vec::new()));
    let clients: Vec<_> = (0..8)
        .map(|client| {
            let lost = Arc::clone(&lost);
            spawn(move || {
                for number in 0..scale(50, 1000) {
                    let body = format!("{client}/{number}");
                    let reply =
                        ask(address, if number % 5 == 0 { "/execute/slow" } else { "/execute/echo" }, &body);
                    match reply.status {
                        200 => assert_eq!(reply.text(), body),
                        502 => lock(&lost).push(body),
                        other => panic!("{other}"),
                    }
                }
            })
        })
        .collect();
    clients.into_iter().for_each(|client| client.join().unwrap());
    println!("attack note | 8 broken lanes | 4 of 5 broken, {} answers lost", lock(&lost).len());
    assert!(lock(&lost).len() <= 4, "{:?}", lock(&lost));
    door.stop();
}

#[test]
fn a_lane_passes_bodies_and_tells_that_it_is_broken() {
    let request = |body: &[u8]| Request {
        method: "POST".into(),
        target: "/execute/echo".into(),
        body: body.to_vec(),
        ..Request::default()
    };
    let mut lane = Lane::open().unwrap();
    // At the size up to which a body goes with its head, and at that of the pieces of larger ones.
    for size in [0, 1, 1023, 1024, 1025, 16_383, 16_384, 16_385, 1_000_000] {
        let body: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        let mut passed = request(&body);
        lane.send(&passed);
        lane.take(&mut passed).unwrap();
        assert!(passed.body == body, "{size}");
    }
    // What is given up does not come.
    let [first, second, mut third] = [&b"first"[..], b"second", b"third"].map(request);
    [&first, &second, &third].into_iter().for_each(|request| lane.send(request));
    lane.abandon(2);
    lane.take(&mut third).unwrap();
    // Another one than was sent is none.
    lane.send(&first);
    assert!(lane.take(&mut request(b"another")).is_err());
    // Broken before, and in the middle.
    let mut lane = Lane::open().unwrap();
    let (mut second, mut large) = (request(b"second"), request(&[b'x'; 100_000]));
    lane.send(&second);
    lane.break_it();
    let begin = Instant::now();
    assert!(lane.take(&mut second).is_err());
    lane.send(&large);
    assert!(lane.take(&mut large).is_err());
    assert!(begin.elapsed() < Duration::from_secs(4));
}

/// Threads of this process with this name. A thread that is given none has that of the thread that made it.
fn threads_named(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|found| found.trim_end() == name).count()
}

#[test]
fn a_lane_that_is_dropped_with_requests_in_it_keeps_no_thread() {
    let _turn = turn();
    let drop_lanes = || {
        let request = Request { method: "GET".into(), target: "/".into(), ..Request::default() };
        for _ in 0..12 {
            let mut lane = Lane::open().unwrap();
            for _ in 0..4 {
                lane.send(&request);
            }
            // The first is taken, so that the others are with tiny_http.
            lane.take(&mut request.clone()).unwrap();
        }
        threads_named("lane-drop")
    };
    let dropping = std::thread::Builder::new().name("lane-drop".into()).spawn(drop_lanes).unwrap();
    assert!(dropping.join().unwrap() > 1, "tiny_http's threads have that name");
    // tiny_http's spare threads end after 5 s.
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(30) && threads_named("lane-drop") > 0 {
        sleep(Duration::from_millis(100));
    }
    assert_eq!(threads_named("lane-drop"), 0);
}
