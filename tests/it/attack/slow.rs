//! Clients that take their time: they end at their deadline, hold no lane and cost little (item 3 of
//! issue 3).

use super::{Target, connect, message, scale, turn, under_attack};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The most that one slow connection may cost, in kB of the server's memory.
const KB_PER_CONNECTION: usize = 64;

/// The end of a slow client, as it sees it.
#[derive(Debug, Default)]
struct Ends {
    /// Answered with 408.
    told: usize,
    /// Closed without an answer: idle, or closed to make room.
    closed: usize,
    open: usize,
}

/// Looks at what the server did with each connection. Only in full size must it have done so by now.
fn ends(streams: &mut [TcpStream]) -> Ends {
    let until = Instant::now() + scale(Duration::from_secs(20), Duration::ZERO);
    let mut ends = Ends::default();
    for stream in streams {
        let left = until.saturating_duration_since(Instant::now());
        stream.set_read_timeout(Some(left.max(Duration::from_millis(1)))).unwrap();
        let mut received = Vec::new();
        match stream.read_to_end(&mut received).map_err(|error| error.kind()) {
            Err(ErrorKind::WouldBlock) => ends.open += 1,
            _ if received.starts_with(b"HTTP/1.1 408 ") => ends.told += 1,
            _ => ends.closed += 1,
        }
    }
    ends
}

/// Opens `count` connections, lets each send `first`, and then `drop` every `period` for `time`.
fn drip(address: SocketAddr, count: usize, first: &[u8], every: Duration, time: Duration) -> Ends {
    let mut streams: Vec<TcpStream> = (0..count).map(|_| connect(address)).collect();
    for stream in &mut streams {
        // Some may have been closed already to make room for the others.
        let _ = stream.write_all(first);
    }
    let begin = Instant::now();
    while begin.elapsed() < time {
        for stream in &mut streams {
            let _ = stream.write(b"a");
        }
        sleep(every);
    }
    ends(&mut streams)
}

#[test]
fn heads_that_come_byte_by_byte() {
    let _turn = turn();
    let timeout = scale("--head-timeout=300ms", "--head-timeout=10s");
    let target = Target::start(&[timeout, "--max-connections-per-client=256"]);
    under_attack("3 slow heads", &target, false, |address| {
        let count = scale(200, 1000);
        let every = scale(Duration::from_millis(50), Duration::from_secs(3));
        let first = b"POST /execute/greet HTTP/1.1\r\nHost: test\r\nX: ";
        let ends =
            drip(address, count, first, every, scale(Duration::from_millis(500), Duration::from_secs(13)));
        println!("{ends:?}");
        // Those beyond --max-connections were closed for others; all that were kept got an answer.
        assert_eq!(ends.open, 0, "{ends:?}");
        assert!(ends.told >= 200, "{ends:?}");
    });
}

#[test]
fn connections_that_say_nothing() {
    let _turn = turn();
    let flags = scale(["--idle-timeout=300ms"], ["--idle-timeout=10s"]);
    let target = Target::start(&flags);
    under_attack("3 idle connections", &target, false, |address| {
        let count = scale(300, 1000);
        let mut streams: Vec<TcpStream> = (0..count).map(|_| connect(address)).collect();
        sleep(scale(Duration::from_millis(600), Duration::from_secs(11)));
        let ends = ends(&mut streams);
        assert_eq!((ends.open, ends.told, ends.closed), (0, 0, count));
    });
}

#[test]
fn bodies_that_come_byte_by_byte() {
    let _turn = turn();
    let timeout = scale("--body-timeout=300ms", "--body-timeout=10s");
    let target = Target::start(&[timeout, "--max-connections-per-client=256"]);
    under_attack("3 slow bodies", &target, false, |address| {
        let first = b"POST /execute/greet HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n";
        let every = scale(Duration::from_millis(50), Duration::from_secs(1));
        let ends =
            drip(address, 200, first, every, scale(Duration::from_millis(500), Duration::from_secs(12)));
        assert_eq!((ends.open, ends.told), (0, 200), "{ends:?}");
    });
}

/// Slow bodies of which most is there: the budget bounds what they take together.
#[test]
fn bodies_that_stop_before_their_end() {
    let _turn = turn();
    let timeout = scale("--body-timeout=1s", "--body-timeout=10s");
    let target = Target::start(&[timeout, "--body-budget=4MiB"]);
    under_attack("3 held bodies", &target, false, |address| {
        let count = scale(20, 200);
        let before = target.vitals();
        let mut streams: Vec<TcpStream> = (0..count).map(|_| connect(address)).collect();
        for stream in &mut streams {
            let whole = message("/execute/greet", &[b'x'; 1_000_000]);
            // It may be closed for another that comes after it.
            let _ = stream.write_all(&whole[..whole.len() - 1]);
        }
        let during = target.vitals();
        // The budget, one body more than it for each worker, and what growing a buffer takes for a moment.
        let most = before.rss_kb + 4096 + 5 * 1024 + 8192;
        println!("held bodies: {} kB, {} kB at most", during.rss_kb, during.peak_kb);
        assert!(during.peak_kb < most, "{before:?} {during:?}");
        sleep(scale(Duration::from_millis(1300), Duration::from_secs(11)));
        assert_eq!(ends(&mut streams).open, 0);
    });
}

/// Clients that ask for a large answer and never read it.
#[test]
fn answers_that_nobody_reads() {
    let _turn = turn();
    let timeout = scale("--write-timeout=1s", "--write-timeout=10s");
    let target = Target::start(&[timeout]);
    under_attack("3 unread 1 MB answers", &target, false, |address| {
        let before = target.vitals();
        let count = scale(20, 200);
        // More than the system takes into a socket's buffer by itself.
        let requests = message("/execute/megabyte", b"").repeat(8);
        let mut streams: Vec<TcpStream> = (0..count).map(|_| connect(address)).collect();
        for stream in &mut streams {
            rustix::net::sockopt::set_socket_recv_buffer_size(&*stream, 4096).unwrap();
            stream.write_all(&requests).unwrap();
        }
        sleep(scale(Duration::from_millis(500), Duration::from_secs(2)));
        let during = target.vitals();
        println!("unread answers: {} -> {} kB, {} kB at most", before.rss_kb, during.rss_kb, during.peak_kb);
        // Half of the budget of 16 MiB, and what the workers have in hand.
        assert!(during.peak_kb < before.rss_kb + 8 * 1024 + 5 * 5 * 1024, "{before:?} {during:?}");
        sleep(scale(Duration::from_millis(1500), Duration::from_secs(11)));
        // The clients still hold their ends.
        let after = target.settle(|now| now.descriptors <= before.descriptors + 2);
        assert!(after.descriptors <= before.descriptors + 2, "{before:?} {after:?}");
        drop(streams);
    });
}

/// What connections cost while they wait, at each point where a client can make them.
#[test]
fn what_waiting_connections_cost() {
    let _turn = turn();
    let target = Target::start(&["--max-connections-per-client=256"]);
    target.warm_up();
    let head = b"POST /execute/greet HTTP/1.1\r\nHost: test\r\nX: ".to_vec();
    let long_head = [&head[..], &[b'a'; 15_000]].concat();
    let body = b"POST /execute/greet HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\nxx".to_vec();
    for (what, first) in [("idle", vec![]), ("head", head), ("15 kB of a head", long_head), ("body", body)] {
        let before = target.vitals();
        let mut streams: Vec<TcpStream> = (0..250).map(|_| connect(target.address())).collect();
        for stream in &mut streams {
            stream.write_all(&first).unwrap();
        }
        let there = target.settle(|now| now.descriptors == before.descriptors + 250);
        sleep(Duration::from_millis(100));
        let during = target.vitals();
        let each = during.rss_kb.saturating_sub(before.rss_kb) / 250;
        println!("attack cost | 250 x {what} | {} -> {} kB | {each} kB each", before.rss_kb, during.rss_kb);
        assert_eq!(there.descriptors, before.descriptors + 250);
        assert!(each < KB_PER_CONNECTION, "{what}: {each} kB each");
        assert_eq!(during.threads.max(before.threads), before.threads, "no thread for a connection");
        drop(streams);
        target.settle(|now| now.descriptors == before.descriptors);
    }
}
