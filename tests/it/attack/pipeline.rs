//! Requests that come before their turn: answered in order, each with its own answer, however many there
//! are and however the answers are read (item 5 of issue 3).

use super::{Target, connect, message, post, read_reply, scale, turn, under_attack};
use std::io::{BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

fn numbered(count: usize) -> Vec<u8> {
    (0..count).flat_map(|number| message("/execute/greet", number.to_string().as_bytes())).collect()
}

#[test]
fn thousands_of_requests_at_once_are_answered_in_order() {
    let _turn = turn();
    let target = Target::start(&[]);
    under_attack("5 pipelining", &target, false, |address| {
        let count = scale(2_000, 50_000);
        let stream = connect(address);
        let mut sender = stream.try_clone().unwrap();
        let sending = spawn(move || sender.write_all(&numbered(count)));
        let mut reader = BufReader::new(stream);
        for number in 0..count {
            assert_eq!(read_reply(&mut reader).unwrap().text(), format!("Hello, {number}"));
        }
        sending.join().unwrap().unwrap();
    });
}

#[test]
fn answers_that_are_not_read_hold_the_next_requests_back() {
    let _turn = turn();
    let target = Target::start(&["--write-timeout=20s"]);
    under_attack("5 unread answers", &target, false, |address| {
        // Far more than both sockets' buffers take, sent by a client that reads nothing meanwhile.
        let count = scale(20_000, 200_000);
        let stream = connect(address);
        let mut sender = stream.try_clone().unwrap();
        sender.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
        let sending = spawn(move || sender.write_all(&numbered(count)));
        sleep(scale(Duration::from_millis(300), Duration::from_secs(3)));
        let mut reader = BufReader::new(stream);
        for number in 0..count {
            assert_eq!(read_reply(&mut reader).unwrap().text(), format!("Hello, {number}"));
        }
        sending.join().unwrap().unwrap();
    });
}

#[test]
fn mixed_requests_keep_their_order() {
    let _turn = turn();
    let target = Target::start(&["--timeout=100ms"]);
    under_attack("5 mixed pipelines", &target, false, |address| {
        let large = vec![b'x'; 50_000];
        let mut messages = Vec::new();
        for _ in 0..5 {
            messages.extend(message("/execute/greet", b"one"));
            messages.extend(message("/execute/nope", b""));
            messages.extend(message("/execute/greet", &large));
            messages.extend(message("/execute/infinite-loop", b"World"));
            messages.extend(b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n");
            let chunked =
                "POST /execute/add?func=add HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
            messages.extend(chunked.bytes().chain(*b"3\r\n1 2\r\n0\r\n\r\n"));
        }
        let mut stream = connect(address);
        stream.write_all(&messages).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        for _ in 0..5 {
            assert_eq!(read_reply(&mut stream).unwrap().text(), "Hello, one");
            assert_eq!(read_reply(&mut stream).unwrap().status, 404);
            assert_eq!(read_reply(&mut stream).unwrap().body.len(), 50_007);
            assert_eq!(read_reply(&mut stream).unwrap().status, 504);
            assert_eq!(read_reply(&mut stream).unwrap().text(), "ok\n");
            assert_eq!(read_reply(&mut stream).unwrap().text(), "3\n");
        }
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    });
}

/// Each wait counts from its own beginning, not from that of a wait before.
#[test]
fn a_pipeline_that_lasts_longer_than_a_timeout_is_not_late() {
    let _turn = turn();
    let flags = ["--idle-timeout=300ms", "--head-timeout=300ms", "--body-timeout=300ms", "--timeout=100ms"];
    let target = Target::start(&flags);
    under_attack("5 long pipelines", &target, false, |address| {
        let begin = Instant::now();
        let mut stream = connect(address);
        let round =
            [message("/execute/infinite-loop", b"World"), message("/execute/greet", b"World")].concat();
        stream.write_all(&round.repeat(6)).unwrap();
        for number in 0..6 {
            assert_eq!(read_reply(&mut stream).expect("a 504").status, 504, "{number}");
            assert_eq!(read_reply(&mut stream).expect("a 200").text(), "Hello, World", "{number}");
        }
        assert!(begin.elapsed() > Duration::from_millis(590));
    });
}

/// Heads that fill what a lane's socket holds, from many connections at once.
#[test]
fn large_heads_do_not_break_lanes() {
    let _turn = turn();
    let target = Target::start(&["--max-head=256KiB", "--max-connections=128"]);
    let address = target.address();
    for size in [16_000, 60_000, 250_000] {
        let clients: Vec<_> = (0..16).map(|_| spawn(move || large_heads(address, size))).collect();
        clients.into_iter().for_each(|client| client.join().unwrap());
    }
}

fn large_heads(address: SocketAddr, size: usize) {
    let mut stream = connect(address);
    for round in 0..scale(5, 50) {
        let reply = post(&mut stream, &format!("/execute/greet?x={}", "a".repeat(size)), b"World");
        assert_eq!(reply.unwrap().text(), "Hello, World", "{size} bytes, round {round}");
    }
}

/// A content type goes through the lane as it came, so it must not confuse what is there.
#[test]
fn odd_content_types_do_not_break_lanes() {
    let _turn = turn();
    let target = Target::start(&[]);
    under_attack("odd headers", &target, false, |address| {
        let mut stream = connect(address);
        for value in ["", ":", "a:b: c", "\t", "a\tb", "\"", "x\\y", ";;;", &"a".repeat(15_000)] {
            for method in ["POST", "X-Y", "P!#$%&'*+-.^_`|~"] {
                let head =
                    format!("{method} /execute/greet HTTP/1.1\r\nHost: test\r\nContent-Type: {value}\r\n");
                let whole = head + "Content-Length: 5\r\n\r\nWorld";
                stream.write_all(whole.as_bytes()).unwrap();
                let status = read_reply(&mut stream).unwrap().status;
                assert_eq!(status, if method == "POST" { 200 } else { 405 }, "{method} {value:?}");
            }
        }
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

/// Requests of many clients share lanes; no byte of one may reach another, whatever their sizes are.
#[test]
fn large_and_small_bodies_never_mix() {
    let _turn = turn();
    let target = Target::start(&[]);
    under_attack("mixed sizes", &target, false, |address| {
        let rounds = scale(100, 2_000);
        let clients: Vec<_> =
            (0..16).map(|number| spawn(move || own_bodies(address, number, rounds))).collect();
        clients.into_iter().for_each(|client| client.join().unwrap());
    });
}

fn own_bodies(address: SocketAddr, number: usize, rounds: usize) {
    let mut stream = connect(address);
    for round in 0..rounds {
        let size = [5, 1_000, 1_025, 20_000, 90_000][(number + round) % 5];
        let body = format!("<{number}/{round}>").repeat(size).into_bytes();
        let reply = post(&mut stream, "/execute/greet", &body[..size]).unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(reply.body[7..] == body[..size], "client {number} got another's bytes in round {round}");
    }
}
