//! The budget of bytes is shared by client: every byte counts, and whoever holds most makes room.

use crate::clients::{ATTACK, Attack, EVIL, HONEST, greets, metric, pipeline, request, server};
use crate::support::{Client, connect_from};
use fuelbox::base::limits::{ALWAYS_BYTES, DoorLimits};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

#[test]
fn heads_count_against_the_budget_of_bytes() {
    let door = DoorLimits { body_bytes: 10_000, budget_bytes: 200_000, ..DoorLimits::default() };
    let server = server(door);
    let address = server.address;
    let head = [b"POST /execute/greet HTTP/1.1\r\nHost: t\r\nX: ".to_vec(), vec![b'a'; 10_000]].concat();
    let hold = |host, count: usize| -> Vec<TcpStream> {
        let clients = (0..count).map(|_| connect_from(host, address).unwrap());
        clients.inspect(|mut stream| stream.write_all(&head).unwrap()).collect()
    };
    let few = hold(EVIL, 5);
    let begin = Instant::now();
    while metric(address, "fuelbox_buffered_bytes") < 50_000 {
        assert!(begin.elapsed() < ATTACK, "heads are not counted");
    }
    let mut honest = connect_from(HONEST, address).unwrap();
    honest.write_all(b"POST /execute/greet HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nX: ").unwrap();
    let many = hold(EVIL, 60);
    for _ in 0..20 {
        // Beside the budget, each connection may hold a little.
        let held = metric(address, "fuelbox_buffered_bytes");
        assert!(held <= 200_000 + 67 * ALWAYS_BYTES, "{held}");
        sleep(Duration::from_millis(5));
    }
    let evicted = "fuelbox_connections_evicted_total{reason=\"budget\"}";
    assert!(metric(address, evicted) > 40, "{}", metric(address, evicted));
    honest.write_all(b"\r\n\r\nx").unwrap();
    honest.set_read_timeout(Some(ATTACK)).unwrap();
    let mut answer = [0; 12];
    honest.read_exact(&mut answer).expect("it was not closed to make room");
    assert_eq!(&answer, b"HTTP/1.1 200");
    drop((few, many));
}

#[test]
fn who_holds_most_bytes_makes_room_for_an_upload() {
    let door = DoorLimits { body_bytes: 200_000, budget_bytes: 1_000_000, ..DoorLimits::default() };
    let server = server(door);
    let address = server.address;
    let attack = Attack::start(4, move |_| {
        let held: Vec<_> = (0..8).filter_map(|_| connect_from(EVIL, address).ok()).collect();
        let unfinished = request("POST", "/execute/greet", &[b'x'; 200_000]);
        held.iter().for_each(|mut stream| drop(stream.write_all(&unfinished[..200_000])));
        sleep(Duration::from_millis(50));
    });
    let mut honest = Client::from(HONEST, address);
    let upload = request("POST", "/execute/greet", &[b'y'; 100_000]);
    for part in upload.chunks(10_000) {
        sleep(Duration::from_millis(100));
        honest.0.write_all(part).unwrap();
    }
    assert_eq!(honest.reply(false).expect("it was not closed to make room").status, 200);
    assert!(metric(address, "fuelbox_connections_evicted_total{reason=\"budget\"}") > 0);
    attack.end();
}

/// What its requests hold is with workers and in the queue, where nothing can be closed.
#[test]
fn who_holds_all_bytes_does_not_keep_small_requests_out() {
    // More than those who run and those at hand can hold.
    let door = DoorLimits { body_bytes: 500_000, budget_bytes: 4_000_000, ..DoorLimits::default() };
    let server = server(door);
    for target in ["/execute/greet", "/execute/infinite-loop"] {
        let attack = pipeline(server.address, &request("POST", target, &[b'x'; 500_000]));
        sleep(Duration::from_millis(200));
        for _ in 0..30 {
            greets(HONEST, server.address);
        }
        // And a larger one.
        let upload = Client::from(HONEST, server.address).send("POST", "/execute/greet", &[b'y'; 100_000]);
        assert_eq!(upload.status, 200, "{}", upload.text());
        attack.end();
    }
    let begin = Instant::now();
    while metric(server.address, "fuelbox_buffered_bytes") > 20_000 {
        assert!(begin.elapsed() < ATTACK, "{}", metric(server.address, "fuelbox_buffered_bytes"));
    }
}
