//! A hostile client: any number of connections from an address of its own, in one thread of low priority, so that it is
//! the gateway that an honest client waits for, and not the attacker's share of the processor.

use crate::support::socket_at;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::net::{RecvFlags, SendFlags, Shutdown, SocketFlags, connect, recv, send, shutdown, sockopt};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// Where it comes from.
pub const HOSTILE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// How much lower its priority is (nice(2)).
const NICE: i32 = 15;

/// Connections that it opens, and pieces that it reads, before it looks at the others.
const AT_A_TIME: usize = 256;

/// A batch of requests that is not answered for so long is sent once more.
const PATIENCE: Duration = Duration::from_millis(300);

/// What a slow reader takes, and how often.
const SLOW_BYTES: usize = 512;
const SLOW_PAUSE: Duration = Duration::from_millis(50);

/// What it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Health,
    NotModified,
    Greet,
    Megabyte,
    Spin,
    Head,
    Body,
    Rubbish,
}

/// How it takes the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    All,
    Slowly,
    Never,
}

/// A client.
#[derive(Debug, Clone, Copy)]
pub struct Hostile {
    pub kind: Kind,
    /// Connections that it holds.
    pub connections: usize,
    /// Requests that it sends at once.
    pub depth: usize,
    /// Whether it ends its side after them.
    pub half_closes: bool,
    pub reads: Reads,
    /// New connections a second, each in the place of the oldest. None: it keeps those it has and asks again, as fast as it can.
    pub reconnects: Option<u32>,
}

/// What it did.
#[derive(Debug, Default, Clone, Copy)]
pub struct Did {
    pub opened: usize,
    /// Those that failed at once.
    pub failed: usize,
    pub answers: usize,
    pub processor: Duration,
}

struct Conn {
    fd: OwnedFd,
    sent: usize,
    /// Answers to the present batch, and how much of the next one's first bytes has been seen.
    answers: usize,
    matched: usize,
    reads_at: Instant,
    progress: Instant,
}

/// A socket of the attacker, at one port after the other: the system would search for one that is free, and with thousands
/// of them in use that takes it milliseconds.
fn socket_at_next_port() -> Option<OwnedFd> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    (0..16).find_map(|_| {
        let port = 10_000 + NEXT.fetch_add(1, Ordering::Relaxed) % 50_000;
        socket_at(SocketAddrV4::new(HOSTILE, port), SocketFlags::NONBLOCK).ok()
    })
}

impl Hostile {
    /// The requests that it sends at once; `tag` is the list's present version.
    fn batch(&self, tag: &str) -> Vec<u8> {
        let one = match self.kind {
            Kind::Health => b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n".to_vec(),
            Kind::NotModified => {
                format!("GET /plugins HTTP/1.1\r\nHost: test\r\nIf-None-Match: {tag}\r\n\r\n").into()
            }
            Kind::Greet => super::message("/execute/greet", b"World"),
            Kind::Megabyte => super::message("/execute/megabyte", b""),
            Kind::Spin => super::message("/execute/infinite-loop", b"World"),
            Kind::Head => b"POST /execute/greet HTTP/1.1\r\nHost: te".to_vec(),
            Kind::Body => {
                let whole = super::message("/execute/greet", &[b'x'; 1_000_000]);
                whole[..20_000].to_vec()
            }
            Kind::Rubbish => b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03 no request\r\n\r\n".to_vec(),
        };
        one.repeat(self.depth)
    }

    /// Whether what it sends is ever whole.
    fn is_whole(&self) -> bool {
        !matches!(self.kind, Kind::Head | Kind::Body | Kind::Rubbish)
    }

    /// Attacks until then.
    pub fn attack(&self, target: SocketAddr, tag: &str, until: Instant) -> Did {
        // This thread only, as Linux has it.
        let _ = rustix::process::nice(NICE);
        let batch = self.batch(tag);
        let mut conns: Vec<Option<Conn>> = (0..self.connections).map(|_| None).collect();
        let mut did = Did::default();
        let begin = Instant::now();
        while Instant::now() < until {
            self.open(&mut conns, target, begin, &mut did);
            let now = Instant::now();
            let mut open: Vec<&mut Option<Conn>> = conns.iter_mut().filter(|conn| conn.is_some()).collect();
            let mut polled: Vec<PollFd<'_>> = open
                .iter()
                .filter_map(|conn| conn.as_ref())
                .map(|conn| PollFd::new(&conn.fd, self.wants(conn, &batch, now)))
                .collect();
            let wait = Timespec { tv_sec: 0, tv_nsec: 1_000_000 };
            let _ = poll(&mut polled, Some(&wait));
            let found: Vec<PollFlags> = polled.iter().map(PollFd::revents).collect();
            for (place, found) in open.iter_mut().zip(found) {
                let goes_on = place.as_mut().is_some_and(|conn| self.step(conn, found, &batch, &mut did));
                if !goes_on {
                    place.take().into_iter().for_each(reset);
                }
            }
        }
        conns.into_iter().flatten().for_each(reset);
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        did.processor = Duration::new(time.tv_sec as u64, time.tv_nsec as u32);
        did
    }

    /// Opens what is due.
    fn open(&self, conns: &mut [Option<Conn>], target: SocketAddr, begin: Instant, did: &mut Did) {
        let due = match self.reconnects {
            Some(rate) => {
                let due = (begin.elapsed().as_secs_f64() * f64::from(rate)) as usize + 1;
                due.saturating_sub(did.opened).min(AT_A_TIME)
            }
            None => AT_A_TIME,
        };
        for _ in 0..due {
            let place = match self.reconnects {
                Some(_) => did.opened % conns.len(),
                None => match conns.iter().position(Option::is_none) {
                    Some(place) => place,
                    None => return,
                },
            };
            conns[place].take().into_iter().for_each(reset);
            did.opened += 1;
            match self.connect(target) {
                Some(conn) => conns[place] = Some(conn),
                None => did.failed += 1,
            }
        }
    }

    fn connect(&self, target: SocketAddr) -> Option<Conn> {
        let fd = socket_at_next_port()?;
        if self.reads != Reads::All {
            sockopt::set_socket_recv_buffer_size(&fd, 4096).ok()?;
        }
        match connect(&fd, &target) {
            Ok(()) | Err(rustix::io::Errno::INPROGRESS) => {}
            Err(_) => return None,
        }
        let now = Instant::now();
        Some(Conn { fd, sent: 0, answers: 0, matched: 0, reads_at: now, progress: now })
    }

    fn wants(&self, conn: &Conn, batch: &[u8], now: Instant) -> PollFlags {
        let mut wants = PollFlags::empty();
        wants.set(PollFlags::OUT, conn.sent < batch.len());
        wants.set(PollFlags::IN, self.reads != Reads::Never && now >= conn.reads_at);
        wants
    }

    /// Sends and reads what it can; false if the connection is at its end.
    fn step(&self, conn: &mut Conn, found: PollFlags, batch: &[u8], did: &mut Did) -> bool {
        if found.intersects(PollFlags::ERR | PollFlags::HUP) && !found.contains(PollFlags::IN) {
            return false;
        }
        if found.contains(PollFlags::OUT) && !self.send(conn, batch) {
            return false;
        }
        if found.contains(PollFlags::IN) && !self.read(conn, did) {
            return false;
        }
        let is_answered = conn.answers >= self.depth || conn.progress.elapsed() > PATIENCE;
        if conn.sent == batch.len() && is_answered && self.is_whole() && !self.half_closes {
            (conn.sent, conn.answers, conn.progress) = (0, 0, Instant::now());
        }
        true
    }

    fn send(&self, conn: &mut Conn, batch: &[u8]) -> bool {
        while conn.sent < batch.len() {
            match send(&conn.fd, &batch[conn.sent..], SendFlags::NOSIGNAL) {
                Ok(n) => conn.sent += n,
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
        }
        !self.half_closes || shutdown(&conn.fd, Shutdown::Write).is_ok()
    }

    fn read(&self, conn: &mut Conn, did: &mut Did) -> bool {
        let mut buffer = [0; 1 << 16];
        let is_slow = self.reads == Reads::Slowly;
        let room = if is_slow { SLOW_BYTES } else { buffer.len() };
        match recv(&conn.fd, &mut buffer[..room], RecvFlags::empty()) {
            Ok((0, _)) => return false,
            Ok((n, _)) => {
                let answers = count(&buffer[..n], &mut conn.matched);
                conn.answers += answers;
                did.answers += answers;
                conn.progress = Instant::now();
            }
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        }
        if is_slow {
            conn.reads_at = Instant::now() + SLOW_PAUSE;
        }
        true
    }
}

/// Answers that begin in `bytes`; one may have begun in those before.
fn count(bytes: &[u8], matched: &mut usize) -> usize {
    const FIRST: &[u8] = b"HTTP/1.1 ";
    let (mut answers, mut rest) = (0, bytes);
    while !rest.is_empty() {
        if *matched == 0 {
            let Some(at) = rest.iter().position(|byte| *byte == FIRST[0]) else { return answers };
            rest = &rest[at..];
        }
        *matched = if rest[0] == FIRST[*matched] { *matched + 1 } else { usize::from(rest[0] == FIRST[0]) };
        rest = &rest[1..];
        if *matched == FIRST.len() {
            (answers, *matched) = (answers + 1, 0);
        }
    }
    answers
}

/// Ends a connection at once: nothing of it is left in the system.
fn reset(conn: Conn) {
    let _ = sockopt::set_socket_linger(&conn.fd, Some(Duration::ZERO));
}

#[test]
fn answers_are_counted_however_they_arrive() {
    let bytes = b"HTTP/1.1 200 OK\r\n\r\nHTHTTP/1.1 304\r\n\r\nHTTP/1.0 HTTP/1.1 4";
    for piece in 1..bytes.len() {
        let mut matched = 0;
        assert_eq!(bytes.chunks(piece).map(|piece| count(piece, &mut matched)).sum::<usize>(), 3, "{piece}");
    }
}
