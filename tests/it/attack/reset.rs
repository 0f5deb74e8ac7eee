//! Clients that vanish with a reset at each stage of a request (item 7 of issue 3).

use super::{Target, connect, message, scale, turn, under_attack};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

/// Closes with a reset: whatever is under way in both directions is gone.
fn reset(stream: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
}

/// Sends `bytes`, reads `read` bytes of what comes, waits, and resets; again and again.
fn keep_resetting(address: SocketAddr, bytes: &[u8], read: usize, wait: Duration, until: Instant) -> usize {
    let mut count = 0;
    while Instant::now() < until {
        let mut stream = connect(address);
        stream.write_all(bytes).unwrap();
        let _ = stream.read_exact(&mut vec![0; read]);
        sleep(wait);
        reset(stream);
        count += 1;
    }
    count
}

fn attack(name: &str, bytes: &[u8], read: usize, wait: Duration) {
    let _turn = turn();
    let target = Target::start(&["--timeout=100ms"]);
    let is_guest = name.contains("guest");
    under_attack(name, &target, is_guest, |address| {
        let until = Instant::now() + scale(Duration::from_millis(300), Duration::from_secs(5));
        let clients: Vec<_> = (0..8)
            .map(|_| {
                let bytes = bytes.to_vec();
                spawn(move || keep_resetting(address, &bytes, read, wait, until))
            })
            .collect();
        let count: usize = clients.into_iter().map(|client| client.join().unwrap()).sum();
        println!("attack note | {name} | {count} resets");
        assert!(count > 8);
    });
}

#[test]
fn after_connecting() {
    attack("7 reset after connect", b"", 0, Duration::ZERO);
}

#[test]
fn in_a_head() {
    attack("7 reset in the head", b"POST /execute/greet HTTP/1.1\r\nHos", 0, Duration::from_millis(1));
}

#[test]
fn in_a_body() {
    let whole = message("/execute/greet", &[b'x'; 100_000]);
    attack("7 reset in the body", &whole[..60_000], 0, Duration::from_millis(1));
}

#[test]
fn after_the_request() {
    attack("7 reset after the request", &message("/execute/greet", b"World"), 0, Duration::ZERO);
}

#[test]
fn while_the_guest_runs() {
    let spin = message("/execute/infinite-loop", b"World");
    attack("7 reset while the guest runs", &spin, 0, Duration::from_millis(30));
}

#[test]
fn in_the_response() {
    attack("7 reset in the response", &message("/execute/megabyte", b"").repeat(4), 10_000, Duration::ZERO);
}

#[test]
fn with_more_requests_behind() {
    attack("7 reset with a pipeline", &message("/execute/greet", b"World").repeat(50), 300, Duration::ZERO);
}
