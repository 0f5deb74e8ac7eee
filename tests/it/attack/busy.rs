//! Every place taken by a guest that spins (item 6 of issue 3): who waits, who is refused, who is not
//! concerned.

use super::{Target, connect, message, post, read_reply, scale, turn, under_attack};
use crate::support::Reply;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

/// A spinning guest on a connection of its own.
fn spin(address: SocketAddr) -> TcpStream {
    let mut stream = connect(address);
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(&message("/execute/infinite-loop", b"World")).unwrap();
    stream
}

fn get(address: SocketAddr, target: &str) -> (Reply, Duration) {
    let begin = Instant::now();
    let mut stream = connect(address);
    let head = format!("GET {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    (read_reply(&mut stream).unwrap(), begin.elapsed())
}

/// What a client may wait where the machine may be busy with other tests.
fn soon(full_size: Duration) -> Duration {
    scale(full_size + Duration::from_secs(2), full_size)
}

#[test]
fn with_every_place_taken_requests_wait_and_then_are_refused() {
    let _turn = turn();
    let target = Target::start(&["--timeout=3s", "--queue=8", "--queue-timeout=1s", "--client-share=100"]);
    let address = target.address();
    target.warm_up();
    let mut spinning: Vec<_> = (0..4).map(|_| spin(address)).collect();
    sleep(Duration::from_millis(200));
    // The queue takes eight, which wait their time; the rest is refused at once.
    let begin = Instant::now();
    let asking: Vec<_> = (0..20)
        .map(|_| {
            spawn(move || {
                let reply = post(&mut connect(address), "/execute/greet", b"World").unwrap();
                (reply, begin.elapsed())
            })
        })
        .collect();
    for number in 0..20 {
        for path in ["/healthz", "/plugins"] {
            let (reply, took) = get(address, path);
            assert_eq!(reply.status, 200);
            assert!(took < soon(Duration::from_millis(50)), "{path} {number} took {took:?}");
        }
    }
    let answers: Vec<_> = asking.into_iter().map(|thread| thread.join().unwrap()).collect();
    for (reply, _) in &answers {
        assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")), "{reply:?}");
        assert_eq!(reply.problem(), "busy");
    }
    let waited = answers.iter().filter(|(_, took)| *took > Duration::from_millis(900)).count();
    assert_eq!(waited, 8, "{:?}", answers.iter().map(|(_, took)| took).collect::<Vec<_>>());
    assert!(answers.iter().all(|(_, took)| *took < soon(Duration::from_millis(1200))));
    // What spins ends at its deadline, and then all is as before.
    for stream in &mut spinning {
        assert_eq!(read_reply(stream).unwrap().status, 504);
    }
    assert_eq!(post(&mut connect(address), "/execute/greet", b"World").unwrap().text(), "Hello, World");
}

#[test]
fn a_place_that_becomes_free_goes_to_who_waited_longest() {
    let _turn = turn();
    let target = Target::start(&["--timeout=500ms", "--queue-timeout=5s", "--client-share=100"]);
    let address = target.address();
    target.warm_up();
    let spinning: Vec<_> = (0..4).map(|_| spin(address)).collect();
    sleep(Duration::from_millis(100));
    let begin = Instant::now();
    let mut waiting: Vec<_> = (0..20).map(|_| connect(address)).collect();
    for (number, stream) in waiting.iter_mut().enumerate() {
        stream.write_all(&message("/execute/greet", number.to_string().as_bytes())).unwrap();
    }
    for (number, stream) in waiting.iter_mut().enumerate() {
        assert_eq!(read_reply(stream).unwrap().text(), format!("Hello, {number}"));
    }
    assert!(begin.elapsed() > Duration::from_millis(300), "they had to wait");
    drop(spinning);
}

#[test]
fn two_hundred_connections_each_with_a_spinning_guest() {
    let _turn = turn();
    let timeout = scale("--timeout=200ms", "--timeout=5s");
    // They come from one address, and are more than one client usually may have.
    let target = Target::start(&[timeout, "--max-connections-per-client=256"]);
    under_attack("6 spinning guests", &target, true, |address| {
        let until = Instant::now() + scale(Duration::from_secs(1), Duration::from_secs(20));
        let clients: Vec<_> =
            (0..scale(40, 200)).map(|_| spawn(move || keep_spinning(address, until))).collect();
        let mut slowest = Duration::ZERO;
        while Instant::now() < until {
            for path in ["/healthz", "/plugins"] {
                let (reply, took) = get(address, path);
                assert_eq!(reply.status, 200, "{reply:?}");
                slowest = slowest.max(took);
            }
            sleep(Duration::from_millis(20));
        }
        println!("attack note | /healthz and /plugins while all guests spin | {slowest:?} at most");
        assert!(slowest < soon(Duration::from_millis(100)), "{slowest:?}");
        let stopped: usize = clients.into_iter().map(|client| client.join().unwrap()).sum();
        assert!(stopped >= 4, "{stopped} guests ran");
    });
}

/// Runs spinning guests until then; gives the number of those that ran.
fn keep_spinning(address: SocketAddr, until: Instant) -> usize {
    let mut stopped = 0;
    while Instant::now() < until {
        let mut stream = spin(address);
        match read_reply(&mut stream).unwrap().status {
            504 => stopped += 1,
            503 => sleep(Duration::from_millis(100)),
            other => panic!("{other}"),
        }
    }
    stopped
}

/// Bodies of requests that wait for a place count against the budget like all others.
#[test]
fn large_bodies_in_the_queue_stay_in_the_budget() {
    let _turn = turn();
    let timeout = scale("--timeout=500ms", "--timeout=5s");
    let target = Target::start(&[timeout, "--body-budget=4MiB"]);
    under_attack("6 large bodies in the queue", &target, true, |address| {
        let before = target.vitals();
        let spinning: Vec<_> = (0..4).map(|_| spin(address)).collect();
        sleep(Duration::from_millis(100));
        let senders: Vec<_> = (0..scale(30, 60))
            .map(|_| {
                spawn(move || {
                    let mut stream = connect(address);
                    let whole = message("/execute/infinite-loop", &vec![b'x'; 1024 * 1024]);
                    let _ = stream.write_all(&whole);
                    read_reply(&mut stream).map_or(0, |reply| reply.status)
                })
            })
            .collect();
        let mut statuses: Vec<u16> = senders.into_iter().map(|sender| sender.join().unwrap()).collect();
        statuses.sort();
        statuses.dedup();
        let during = target.vitals();
        println!(
            "large bodies in the queue: {} -> {} kB at most; {statuses:?}",
            before.rss_kb, during.peak_kb
        );
        assert!(during.peak_kb < before.rss_kb + 4096 + 20 * 1024, "{before:?} {during:?}");
        drop(spinning);
    });
}
