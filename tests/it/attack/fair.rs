//! Fairness (item 9 of issue 3): of many connections, each always with one request outstanding, none is
//! left behind.

use super::{Target, message, scale, turn};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Replies for each connection that are enough to compare, and how many times as long they may take.
const ENOUGH: usize = 30;
const PATIENCE: u32 = 20;

/// A connection of the measuring client; one thread serves all of them, so that the client is fair itself.
struct Caller {
    stream: TcpStream,
    received: Vec<u8>,
    replies: usize,
    last: Instant,
    longest: Duration,
}

impl Caller {
    fn ask(&mut self) {
        self.stream.write_all(&message("/execute/greet", b"World")).unwrap();
    }

    /// Reads what is there; with a whole answer, asks again.
    fn go_on(&mut self) {
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => panic!("a connection was closed after {} replies", self.replies),
                Ok(n) => self.received.extend_from_slice(&buffer[..n]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("{error}"),
            }
            let is_other = self.received.len() >= 12 && !self.received.starts_with(b"HTTP/1.1 200");
            assert!(!is_other, "{}", String::from_utf8_lossy(&self.received));
            if self.received.ends_with(b"\r\n\r\nHello, World") {
                assert!(self.received.starts_with(b"HTTP/1.1 200 "));
                self.received.clear();
                self.replies += 1;
                self.longest = self.longest.max(self.last.elapsed());
                self.last = Instant::now();
                self.ask();
            }
        }
    }
}

fn measure(address: SocketAddr, count: usize, time: Duration) -> Vec<Caller> {
    let mut poll = Poll::new().unwrap();
    let mut callers = Vec::new();
    for number in 0..count {
        let stream = std::net::TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_nonblocking(true).unwrap();
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(number), Interest::READABLE).unwrap();
        let received = Vec::new();
        callers.push(Caller { stream, received, replies: 0, last: Instant::now(), longest: Duration::ZERO });
    }
    callers.iter_mut().for_each(Caller::ask);
    let mut events = Events::with_capacity(1024);
    // Connections are taken a few at a time; shares are compared once all of them are in.
    let begin = Instant::now();
    while callers.iter().any(|caller| caller.replies == 0) {
        assert!(begin.elapsed() < PATIENCE * time.max(Duration::from_secs(3)), "some are never answered");
        poll.poll(&mut events, Some(Duration::from_millis(100))).unwrap();
        for event in &events {
            callers[event.token().0].go_on();
        }
    }
    for caller in &mut callers {
        (caller.replies, caller.last, caller.longest) = (0, Instant::now(), Duration::ZERO);
    }
    let begin = Instant::now();
    // Where the machine is busy with other things, a few replies each would say nothing of shares.
    let is_enough = |callers: &[Caller]| callers.iter().map(|c| c.replies).sum::<usize>() >= ENOUGH * count;
    while begin.elapsed() < time || (!is_enough(&callers) && begin.elapsed() < PATIENCE * time) {
        poll.poll(&mut events, Some(Duration::from_millis(100))).unwrap();
        for event in &events {
            callers[event.token().0].go_on();
        }
    }
    callers
}

#[test]
fn every_connection_gets_its_share() {
    let _turn = turn();
    // Requests of connections that were closed a moment ago may still be in the queue.
    let target =
        Target::start(&["--max-connections=300", "--max-connections-per-client=300", "--queue=1000"]);
    target.warm_up();
    let time = scale(Duration::from_secs(1), Duration::from_secs(5));
    for count in [16, 64, 256] {
        let begin = Instant::now();
        let callers = measure(target.address(), count, time);
        let mut replies: Vec<usize> = callers.iter().map(|caller| caller.replies).collect();
        replies.sort();
        let (slowest, median, fastest) = (replies[0], replies[count / 2], replies[count - 1]);
        let longest = callers.iter().map(|caller| caller.longest).max().unwrap();
        let rate = replies.iter().sum::<usize>() as f64 / begin.elapsed().as_secs_f64();
        println!(
            "attack fair | {count} connections | {rate:.0} requests/s | slowest {slowest}, median {median}, \
             fastest {fastest} | slowest/median {:.2} | longest wait {longest:?}",
            slowest as f64 / median as f64
        );
        let least = scale(0.5, 0.8);
        assert!(slowest > 0 && slowest as f64 >= least * median as f64, "{replies:?}");
    }
}
