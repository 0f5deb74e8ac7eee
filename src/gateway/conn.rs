//! One client connection: its buffers, what it waits for, and until when.
//!
//! A connection is worked on by one thread at a time, the one that has claimed it. Whoever sees an event
//! for a claimed connection marks it, and the owner looks again before letting go.

use super::desk::Desk;
use super::http1::{self, Chunked, Framing, NO_ROOM, Reject};
use super::problem::TOO_LARGE;
use super::ready::Ready;
use crate::heap;
use crate::limits::DoorLimits;
use mio::net::TcpStream;
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

/// Bytes that an input buffer starts with; most requests fit.
const INPUT_BYTES: usize = 4096;

/// Bytes of an input buffer while a body comes in: fewer reads.
const BODY_INPUT_BYTES: usize = 16 * 1024;

/// Room for output that is kept for the next response; most fit.
const OUTPUT_BYTES_KEPT: usize = 4096;

/// Copies that are made of a head while its request is answered, more or less.
const HEAD_COPIES: usize = 4;

/// Reads from a client that only waits for its end, before others have their turn.
const LINGER_READS: usize = 64;

/// What a connection waits for while nobody works on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// The first byte of a request.
    Idle,
    /// The rest of a head.
    Head,
    /// The rest of a body.
    Body,
    /// The client to take its response.
    Write,
    /// The client to see the end, so that a last response is not lost with a reset.
    Linger,
}

impl Phase {
    fn from_u8(value: u8) -> Phase {
        [Phase::Idle, Phase::Head, Phase::Body, Phase::Write][..]
            .get(value as usize)
            .copied()
            .unwrap_or(Phase::Linger)
    }

    /// How long it may wait.
    pub fn patience(self, limits: &DoorLimits) -> Duration {
        /// Long enough for a response in flight, short enough not to keep descriptors.
        const LINGER: Duration = Duration::from_secs(1);
        match self {
            Phase::Idle => limits.idle_timeout,
            Phase::Head => limits.head_timeout,
            Phase::Body => limits.body_timeout,
            Phase::Write => limits.write_timeout,
            Phase::Linger => LINGER,
        }
    }
}

/// A connection.
pub struct Conn {
    /// Its number in the poll.
    pub token: usize,
    /// The socket.
    pub stream: TcpStream,
    /// The client's address.
    pub client: IpAddr,
    claimed: AtomicBool,
    marked: AtomicBool,
    /// The client has ended its side, or all of it: a read will find the end.
    hung_up: AtomicBool,
    /// The request that it is at comes from who may change plug-ins.
    deploys: AtomicBool,
    phase: AtomicU8,
    /// When the present wait began and when it ends, in milliseconds of the door's clock.
    waiting_since_ms: AtomicU64,
    waits_until_ms: AtomicU64,
    /// Buffers and progress, for the thread that has claimed the connection.
    pub state: Mutex<State>,
}

impl Conn {
    /// A new connection, waiting since `now_ms` for its first request.
    pub fn new(token: usize, stream: TcpStream, client: IpAddr, now_ms: u64, limits: &DoorLimits) -> Conn {
        Conn {
            token,
            stream,
            client,
            claimed: AtomicBool::new(false),
            marked: AtomicBool::new(false),
            hung_up: AtomicBool::new(false),
            deploys: AtomicBool::new(false),
            phase: AtomicU8::new(Phase::Idle as u8),
            waiting_since_ms: AtomicU64::new(now_ms),
            waits_until_ms: AtomicU64::new(now_ms + limits.idle_timeout.as_millis() as u64),
            state: Mutex::new(State::default()),
        }
    }

    /// Makes the caller the one thread that works on it; false if another does.
    ///
    /// Marking and then claiming meets letting go and then looking for marks: one of the two must see the
    /// other, which only a total order of the four promises.
    pub fn claim(&self) -> bool {
        !self.claimed.swap(true, Ordering::SeqCst)
    }

    /// Notes an event for whoever has claimed it.
    pub fn mark(&self) {
        self.marked.store(true, Ordering::SeqCst);
    }

    /// Notes that the client has ended its side; to be followed by a mark.
    pub fn hang_up(&self) {
        self.hung_up.store(true, Ordering::Release);
    }

    /// Whether there is an end to be read behind what the client has sent. No further event will say so.
    pub fn is_hung_up(&self) -> bool {
        self.hung_up.load(Ordering::Acquire)
    }

    /// Notes whether the request that it is at comes from who may change plug-ins.
    pub fn set_deploys(&self, deploys: bool) {
        self.deploys.store(deploys, Ordering::Relaxed);
    }

    /// Whether it does.
    pub fn deploys(&self) -> bool {
        self.deploys.load(Ordering::Relaxed)
    }

    /// Forgets the events so far; to be called before looking at the socket.
    pub fn unmark(&self) {
        self.marked.store(false, Ordering::SeqCst);
    }

    /// Lets go. False if an event came meanwhile: then the caller has it still and must look again.
    pub fn let_go(&self) -> bool {
        self.claimed.store(false, Ordering::SeqCst);
        !(self.marked.load(Ordering::SeqCst) && self.claim())
    }

    /// Begins or goes on with a wait in `phase`. The time counts from the first call with that phase,
    /// unless `anew`: a slow client gains nothing by sending a byte now and then.
    pub fn wait(&self, phase: Phase, anew: bool, now_ms: u64, limits: &DoorLimits) {
        let before = self.phase.swap(phase as u8, Ordering::Relaxed);
        if anew || before != phase as u8 {
            self.waiting_since_ms.store(now_ms, Ordering::Relaxed);
            let until = now_ms + phase.patience(limits).as_millis() as u64;
            self.waits_until_ms.store(until, Ordering::Relaxed);
        }
    }

    /// What it waits for.
    pub fn phase(&self) -> Phase {
        Phase::from_u8(self.phase.load(Ordering::Relaxed))
    }

    /// Whether its wait is over at `now_ms`.
    pub fn is_late(&self, now_ms: u64) -> bool {
        now_ms >= self.waits_until_ms.load(Ordering::Relaxed)
    }

    /// Since when it waits; none while a thread works on it.
    pub fn waiting_since(&self) -> Option<u64> {
        let waits = !self.claimed.load(Ordering::Acquire);
        waits.then(|| self.waiting_since_ms.load(Ordering::Relaxed))
    }
}

/// A body that is being received.
#[derive(Debug)]
struct Receiving {
    request: Ready,
    framing: Receive,
    /// Bytes that the body may have.
    most: usize,
}

#[derive(Debug)]
enum Receive {
    Length(usize),
    Chunked(Chunked),
}

/// Buffers and progress of a connection.
#[derive(Debug, Default)]
pub struct State {
    /// Received bytes, of which the first `filled` count.
    input: Vec<u8>,
    filled: usize,
    receiving: Option<Receiving>,
    /// What must be sent and is not yet.
    pub output: Vec<u8>,
    sent: usize,
    /// Whether the connection ends when `output` is sent.
    pub ends: bool,
    /// Whether it ends because of what the client sent.
    pub rejected: bool,
    /// Bytes counted against the door's budget.
    pub budgeted: usize,
}

/// What came of looking for a request.
#[derive(Debug)]
pub enum Step {
    /// A whole request.
    Request(Ready),
    /// More bytes are needed.
    More,
    /// The client waits for `100 Continue` before it sends the body.
    Continue,
}

impl State {
    /// Looks for a request in what has been received.
    ///
    /// # Errors
    /// [`Reject`]: the connection must end after the answer.
    pub fn step(&mut self, limits: &DoorLimits, desk: Option<&Desk>) -> Result<Step, Reject> {
        if self.receiving.is_none() {
            let Some(head) = http1::head(&self.input[..self.filled], limits.head_bytes)? else {
                return Ok(Step::More);
            };
            let role = desk.and_then(|desk| desk.role(&head));
            let most = desk.map_or(limits.body_bytes, |desk| desk.body_bytes(&head, role, limits.body_bytes));
            let too_large = matches!(head.framing, Framing::Length(n) if n > most as u64);
            let framing = match head.framing {
                Framing::Length(length) => Receive::Length(length as usize),
                Framing::Chunked => Receive::Chunked(Chunked::default()),
            };
            // Some copies are made of a head.
            heap::check(HEAD_COPIES * head.len).map_err(|_| NO_ROOM)?;
            let mut request = Ready::new(&head, &self.input[..head.len], role);
            if let (true, false, Receive::Length(length)) = (most > limits.body_bytes, too_large, &framing) {
                // Grown bit by bit, a large body would come to take up to twice its size.
                heap::reserve(&mut request.body, *length).map_err(|_| NO_ROOM)?;
            }
            // With no body to wait for, the answer itself is what the client gets.
            let waits = head.expects_continue && head.framing != Framing::Length(0);
            let used = head.len;
            self.receiving = Some(Receiving { request, framing, most });
            self.consume(used);
            if too_large {
                return Err(Reject { kind: TOO_LARGE, detail: http1::BODY_TOO_LARGE });
            }
            if waits && self.filled == 0 {
                return Ok(Step::Continue);
            }
        }
        if self.take_body()? {
            return Ok(self.receiving.take().map_or(Step::More, |whole| Step::Request(whole.request)));
        }
        Ok(Step::More)
    }

    /// Moves received bytes into the body; says whether it is complete.
    fn take_body(&mut self) -> Result<bool, Reject> {
        let Some(Receiving { request, framing, most }) = &mut self.receiving else { return Ok(false) };
        let available = &self.input[..self.filled];
        let (used, complete) = match framing {
            Receive::Length(length) => {
                let n = available.len().min(*length - request.body.len());
                heap::extend(&mut request.body, &available[..n]).map_err(|_| NO_ROOM)?;
                (n, request.body.len() == *length)
            }
            Receive::Chunked(chunked) => chunked.feed(available, &mut request.body, *most)?,
        };
        self.consume(used);
        Ok(complete)
    }

    fn consume(&mut self, used: usize) {
        self.input.copy_within(used..self.filled, 0);
        self.filled -= used;
    }

    /// Reads once. `Ok(0)` is the end; `WouldBlock` that nothing is there.
    pub fn read(&mut self, stream: &TcpStream) -> io::Result<usize> {
        let mut stream = stream;
        let least = if self.receiving.is_some() { BODY_INPUT_BYTES } else { INPUT_BYTES };
        if self.filled == self.input.len() || self.input.len() < least {
            // A head's buffer doubles up to the head's limit, which `step` enforces; a body's is emptied
            // by every step, so it does not grow.
            let size = (self.filled * 2).max(least);
            let more = size - self.input.len();
            heap::reserve(&mut self.input, more)?;
            self.input.resize(size, 0);
        }
        let n = stream.read(&mut self.input[self.filled..])?;
        self.filled += n;
        Ok(n)
    }

    /// Reads and drops a good deal. `Ok(true)` if there may be more, `Ok(false)` at the end.
    pub fn read_away(&mut self, stream: &TcpStream) -> io::Result<bool> {
        for _ in 0..LINGER_READS {
            let read = self.read(stream);
            self.discard_input();
            match read {
                Ok(0) => return Ok(false),
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
        Ok(true)
    }

    /// Whether bytes have been received that are not looked at yet.
    pub fn has_input(&self) -> bool {
        self.filled > 0
    }

    /// Whether the last read left room, which it does only if it took everything there was.
    pub fn drained(&self) -> bool {
        self.filled < self.input.len()
    }

    /// Sends what it can. True when everything is sent.
    pub fn flush(&mut self, mut stream: &TcpStream) -> io::Result<bool> {
        while self.sent < self.output.len() {
            match stream.write(&self.output[self.sent..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => self.sent += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.output.clear();
        // The connection may now wait for its turn, uncounted; many must not keep a large response's room.
        self.output.shrink_to(OUTPUT_BYTES_KEPT);
        self.sent = 0;
        Ok(true)
    }

    /// Drops the part of the output that is sent, and room that is not needed while waiting.
    pub fn trim(&mut self) {
        self.output.drain(..self.sent);
        self.sent = 0;
        self.output.shrink_to_fit();
        if self.filled == 0 && self.receiving.is_none() {
            self.input = Vec::new();
        }
    }

    /// Bytes that are held for this connection beyond its input buffer.
    pub fn held(&self) -> usize {
        let body = self.receiving.as_ref().map_or(0, |receiving| receiving.request.body.capacity());
        body + self.output.capacity()
    }

    /// Whether the request that comes in is from who may change plug-ins.
    pub fn deploys(&self) -> bool {
        self.receiving.as_ref().is_some_and(|receiving| receiving.request.deploys())
    }

    /// What the connection waits for, when it can do nothing more by itself.
    pub fn phase(&self) -> Phase {
        if !self.output.is_empty() {
            Phase::Write
        } else if self.ends {
            Phase::Linger
        } else if self.receiving.is_some() {
            Phase::Body
        } else if self.filled > 0 {
            Phase::Head
        } else {
            Phase::Idle
        }
    }

    /// Forgets what has been received; for a connection that only waits for its end.
    pub fn discard_input(&mut self) {
        self.filled = 0;
        self.receiving = None;
    }

    /// Takes the request in progress, for what is said of it when it comes to nothing.
    pub fn take_in_progress(&mut self) -> Ready {
        let known = self.receiving.take().map(|whole| whole.request);
        known.unwrap_or_else(|| Ready::unknown(&self.input[..self.filled]))
    }
}
