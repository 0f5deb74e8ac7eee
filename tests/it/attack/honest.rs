//! Honest clients at an address of their own: a new connection for each request, and one that is kept.

use super::{message, read_reply};
use crate::support::{Reply, socket_at};
use rustix::net::{SocketFlags, connect};
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

/// Where they come from.
pub const HONEST: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

/// Between two requests of a client.
const PERIOD: Duration = Duration::from_millis(10);

/// How long one waits for an answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// What honest clients saw.
#[derive(Debug, Default)]
pub struct Saw {
    pub ok: usize,
    /// Answers that put them off: 503.
    pub busy: usize,
    /// Kept connections that were closed.
    pub evicted: usize,
    /// All else that was not right.
    pub wrong: Vec<String>,
    pub latencies: Vec<Duration>,
}

impl Saw {
    /// The latency that this part of the requests had, or less.
    pub fn percentile(&self, part: f64) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort();
        let at = ((sorted.len() as f64 * part) as usize).min(sorted.len().saturating_sub(1));
        sorted.get(at).copied().unwrap_or_default()
    }

    fn note(&mut self, begin: Instant, answer: io::Result<Reply>, expected: &str) {
        self.latencies.push(begin.elapsed());
        match answer {
            Ok(reply) if reply.status == 200 && reply.body == expected.as_bytes() => self.ok += 1,
            Ok(reply) if reply.status == 503 => self.busy += 1,
            Ok(reply) => self.wrong.push(format!("{} {}", reply.status, reply.text())),
            Err(error) => self.wrong.push(format!("{:?} {error}", error.kind())),
        }
    }
}

/// A new connection of an honest client.
pub fn connect_to(target: SocketAddr) -> io::Result<TcpStream> {
    let socket = socket_at(SocketAddrV4::new(HONEST, 0), SocketFlags::empty())?;
    rustix::net::sockopt::set_socket_timeout(&socket, rustix::net::sockopt::Timeout::Send, Some(PATIENCE))?;
    rustix::net::sockopt::set_socket_timeout(&socket, rustix::net::sockopt::Timeout::Recv, Some(PATIENCE))?;
    connect(&socket, &target)?;
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// GET.
pub fn get(stream: &mut TcpStream, path: &str) -> io::Result<Reply> {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n").as_bytes())?;
    read_reply(stream)
}

/// A request to `/healthz` or to a guest, in turns, and the body of its answer.
fn ask(stream: &mut TcpStream, number: usize) -> io::Result<Reply> {
    if number.is_multiple_of(2) {
        return get(stream, "/healthz");
    }
    stream.write_all(&message("/execute/greet", b"World"))?;
    read_reply(stream)
}

fn expected(number: usize) -> &'static str {
    if number.is_multiple_of(2) { "ok\n" } else { "Hello, World" }
}

/// Two clients at work.
pub struct Honest {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Saw>>,
}

impl Honest {
    pub fn start(target: SocketAddr) -> Honest {
        let stop = Arc::new(AtomicBool::new(false));
        let clients: [fn(SocketAddr, &AtomicBool) -> Saw; 2] = [with_new_connections, with_one_connection];
        let threads = clients.map(|client| {
            let stop = Arc::clone(&stop);
            spawn(move || client(target, &stop))
        });
        Honest { stop, threads: threads.into() }
    }

    pub fn end(self) -> Saw {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = Saw::default();
        for thread in self.threads {
            let saw = thread.join().unwrap();
            all.ok += saw.ok;
            all.busy += saw.busy;
            all.evicted += saw.evicted;
            all.wrong.extend(saw.wrong);
            all.latencies.extend(saw.latencies);
        }
        all
    }
}

fn with_new_connections(target: SocketAddr, stop: &AtomicBool) -> Saw {
    let mut saw = Saw::default();
    for number in 0.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let begin = Instant::now();
        let answer = connect_to(target).and_then(|mut stream| ask(&mut stream, number));
        saw.note(begin, answer, expected(number));
        sleep(PERIOD.saturating_sub(begin.elapsed()));
    }
    saw
}

fn with_one_connection(target: SocketAddr, stop: &AtomicBool) -> Saw {
    let mut saw = Saw::default();
    let mut kept = connect_to(target);
    for number in 0.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let begin = Instant::now();
        let answer = match &mut kept {
            Ok(stream) => ask(stream, number),
            Err(error) => Err(io::Error::new(error.kind(), "no connection")),
        };
        if answer.is_err() {
            saw.evicted += 1;
            kept = connect_to(target);
        }
        saw.note(begin, answer, expected(number));
        sleep(PERIOD.saturating_sub(begin.elapsed()));
    }
    saw
}
