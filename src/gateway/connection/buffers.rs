//! A connection's socket and its input and output buffers. Only the thread that has claimed the connection uses them.

use super::phase::Phase;
use crate::base::heap;
use crate::base::limits::DoorLimits;
use crate::gateway::http::chunked::Chunked;
use crate::gateway::http::client::{Client, Network};
use crate::gateway::http::forwarded;
use crate::gateway::http::head::{self, Framing as RequestFraming};
use crate::gateway::http::message::Request;
use crate::gateway::http::problem::TOO_LARGE;
use crate::gateway::http::reject::{NO_ROOM, Reject};
use crate::gateway::http::route::Route;
use crate::gateway::http::service::Service;
use crate::gateway::http::stream::Framing;
use mio::net::TcpStream;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::time::Instant;

/// Bytes that an input buffer starts with; most requests fit.
const INPUT_BYTES: usize = 4096;

/// Bytes of an input buffer while a body comes in: fewer reads.
const BODY_INPUT_BYTES: usize = 16 * 1024;

/// Capacity of the output buffer that is kept for the next response; most fit.
const OUTPUT_BYTES_KEPT: usize = 4096;

/// About how many copies of a head exist while its request is served.
const HEAD_COPIES: usize = 4;

/// Reads from a connection that is ending, before others have their turn.
const LINGER_READS: usize = 4;

/// What decides how requests are read.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// Size limits.
    pub limits: &'a DoorLimits,
    /// Who serves them.
    pub service: &'a dyn Service,
    /// Proxies whose `Forwarded` headers are believed.
    pub proxies: &'a [Network],
}

/// A body that is being received.
#[derive(Debug)]
struct Receiving {
    request: Request,
    framing: Receive,
    /// Bytes that the body may have.
    most: usize,
}

#[derive(Debug)]
enum Receive {
    Length(usize),
    Chunked(Chunked),
}

/// A response that was begun.
#[derive(Debug)]
pub struct Streaming {
    /// Its status.
    pub status: u16,
    /// How its body ends.
    pub framing: Framing,
    /// Bytes of its body so far.
    pub bytes: u64,
}

/// Buffers and parsing state of a connection.
#[derive(Debug, Default)]
pub struct Buffers {
    /// The socket; none once it is closed.
    stream: Option<TcpStream>,
    /// Received bytes; only the first `filled` are valid.
    input: Vec<u8>,
    filled: usize,
    receiving: Option<Receiving>,
    /// Whether the socket may hold bytes that no further event will announce (events are edge-triggered).
    pub has_unread: bool,
    /// Bytes still to be sent, from `sent` on.
    pub output: Vec<u8>,
    sent: usize,
    /// A response that was begun, while its end is not there.
    pub streaming: Option<Streaming>,
    /// Whether the connection ends when `output` is sent.
    pub ends: bool,
    /// Whether it ends because of what the client sent.
    pub rejected: bool,
}

/// The result of parsing the input.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is handed on at once, and a box would be an allocation for each request"
)]
pub enum Step {
    /// A whole request.
    Request(Request),
    /// More bytes are needed.
    More,
    /// The client waits for `100 Continue` before it sends the body.
    Continue,
}

impl Buffers {
    /// Nothing yet, on `stream`.
    pub fn new(stream: TcpStream) -> Buffers {
        Buffers { stream: Some(stream), ..Buffers::default() }
    }

    /// Parses what has been received: a request of `peer`, or of the client behind that proxy.
    ///
    /// # Errors
    /// [`Reject`]: the connection must end after the response.
    pub fn step(&mut self, reading: Reading<'_>, peer: Client) -> Result<Step, Reject> {
        if self.receiving.is_none() {
            let Reading { limits, service, proxies } = reading;
            let Some(head) = head::parse(&self.input[..self.filled], limits.head_bytes)? else {
                return Ok(Step::More);
            };
            let role = service.role(&head);
            let most = service.body_limit(&head, role, limits.body_bytes);
            let too_large = matches!(head.framing, RequestFraming::Length(n) if n > most as u64);
            let framing = match head.framing {
                RequestFraming::Length(length) => Receive::Length(length as usize),
                RequestFraming::Chunked => Receive::Chunked(Chunked::default()),
            };
            // A head is copied a few times.
            heap::check(HEAD_COPIES * head.len).map_err(|_| NO_ROOM)?;
            let raw = &self.input[..head.len];
            let client = forwarded::client(raw, peer, proxies);
            let mut request = Request::new(&head, raw, client, role);
            let mount = head.route.may_be_mounted().then(|| service.mount(head.target));
            if let Some(mount) = mount.flatten() {
                request.mounted(mount, raw);
            }
            if let (true, false, Receive::Length(length)) = (most > limits.body_bytes, too_large, &framing) {
                // A large body that grows bit by bit would take up to twice its size.
                heap::reserve(&mut request.body, *length).map_err(|_| NO_ROOM)?;
            }
            // Without a body, the response comes at once, and no `100 Continue` is due.
            let waits = head.expects_continue && head.framing != RequestFraming::Length(0);
            let used = head.len;
            let refusal = too_large.then(|| body_too_large(&request, most, limits.body_bytes));
            self.receiving = Some(Receiving { request, framing, most });
            self.consume(used);
            if let Some(refusal) = refusal {
                return Err(refusal);
            }
            if waits && self.filled == 0 {
                return Ok(Step::Continue);
            }
        }
        if self.take_body(reading.limits.body_bytes)? {
            return Ok(self.receiving.take().map_or(Step::More, |whole| Step::Request(whole.request)));
        }
        Ok(Step::More)
    }

    /// Moves received bytes into the body; says whether it is complete.
    fn take_body(&mut self, usual: usize) -> Result<bool, Reject> {
        let Some(Receiving { request, framing, most }) = &mut self.receiving else { return Ok(false) };
        let available = &self.input[..self.filled];
        let (used, complete) = match framing {
            Receive::Length(length) => {
                let n = available.len().min(*length - request.body.len());
                heap::extend(&mut request.body, &available[..n]).map_err(|_| NO_ROOM)?;
                (n, request.body.len() == *length)
            }
            Receive::Chunked(chunked) => {
                chunked.feed(available, &mut request.body, *most).map_err(|why| match why.kind {
                    TOO_LARGE => body_too_large(request, *most, usual),
                    _ => why,
                })?
            }
        };
        self.consume(used);
        Ok(complete)
    }

    fn consume(&mut self, used: usize) {
        self.input.copy_within(used..self.filled, 0);
        self.filled -= used;
    }

    /// Reads once. `Ok(0)` is the end; `WouldBlock` that nothing is there.
    pub fn read(&mut self) -> io::Result<usize> {
        let least = if self.receiving.is_some() { BODY_INPUT_BYTES } else { INPUT_BYTES };
        if self.filled == self.input.len() || self.input.len() < least {
            // A head's buffer doubles up to the head's limit, which `step` enforces; a body's is emptied
            // by every step, so it does not grow.
            let size = (self.filled * 2).max(least);
            let more = size - self.input.len();
            heap::reserve(&mut self.input, more)?;
            self.input.resize(size, 0);
        }
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let n = stream.read(&mut self.input[self.filled..])?;
        self.filled += n;
        Ok(n)
    }

    /// Reads and drops some input. `Ok(true)` if there may be more, `Ok(false)` at the end.
    pub fn read_away(&mut self) -> io::Result<bool> {
        for _ in 0..LINGER_READS {
            let read = self.read();
            self.discard_input();
            match read {
                Ok(0) => return Ok(false),
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
        Ok(true)
    }

    /// Whether received bytes have not been parsed yet.
    pub fn has_input(&self) -> bool {
        self.filled > 0
    }

    /// Whether the last read emptied the socket: it left room in the buffer.
    pub fn drained(&self) -> bool {
        self.filled < self.input.len()
    }

    /// Sends what it can. True when everything is sent.
    pub fn flush(&mut self) -> io::Result<bool> {
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
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
        // While the connection waits for its turn, this is not counted: a large buffer must not stay.
        self.output.shrink_to(OUTPUT_BYTES_KEPT);
        self.sent = 0;
        Ok(true)
    }

    /// Sends all of the output. Waits until `until` while the client takes none. True when everything is sent.
    pub fn flush_until(&mut self, until: Instant) -> io::Result<bool> {
        loop {
            if self.flush()? {
                return Ok(true);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            let stream = self.stream.as_ref().ok_or(io::ErrorKind::NotConnected)?;
            let time = Timespec::try_from(left).ok();
            match poll(&mut [PollFd::new(stream, PollFlags::OUT)], time.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Drops the output that is sent, and capacity that is not needed while waiting.
    pub fn trim(&mut self) {
        self.output.drain(..self.sent);
        self.sent = 0;
        self.output.shrink_to_fit();
        if self.filled == 0 && self.receiving.is_none() {
            self.input = Vec::new();
        }
    }

    /// Bytes that are held for this connection.
    pub fn held(&self) -> usize {
        let request = self.receiving.as_ref().map_or(0, |receiving| receiving.request.held());
        request + self.input.capacity() + self.output.capacity()
    }

    /// The client of the request that is being received, once its head is parsed.
    pub fn client(&self) -> Option<Client> {
        self.receiving.as_ref().map(|receiving| receiving.request.client)
    }

    /// Ends the sending side, so that the client sees the end.
    ///
    /// # Errors
    /// It is gone.
    pub fn end_output(&self) -> io::Result<()> {
        self.stream.as_ref().ok_or(io::ErrorKind::NotConnected)?.shutdown(Shutdown::Write)
    }

    /// Closes the socket and frees all buffers.
    pub fn close(&mut self) {
        *self = Buffers::default();
    }

    /// Whether the request that is being received comes with a token that may deploy.
    pub fn deploys(&self) -> bool {
        self.receiving.as_ref().is_some_and(|receiving| receiving.request.deploys())
    }

    /// What the connection waits for now.
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

    /// Drops what has been received; for a connection that is ending.
    pub fn discard_input(&mut self) {
        self.filled = 0;
        self.receiving = None;
    }

    /// Takes the request that is being received, to respond to it with an error.
    pub fn take_in_progress(&mut self, peer: Client) -> Request {
        let known = self.receiving.take().map(|whole| whole.request);
        known.unwrap_or_else(|| Request::unknown(peer, &self.input[..self.filled]))
    }
}

/// The body of `request` has more than `most` bytes, where bodies may usually have `usual`.
fn body_too_large(request: &Request, most: usize, usual: usize) -> Reject {
    let limit = match (request.route, request.deploys()) {
        _ if most > usual => {
            format!("{most} bytes, the limit of a module (--max-module, or --body-budget if that is less)")
        }
        (Route::Deployment, false) => format!(
            "--max-body, which is {most} bytes; only with a token that may deploy, a module may be larger"
        ),
        _ => format!("--max-body, which is {most} bytes"),
    };
    Reject { kind: TOO_LARGE, detail: format!("the body is larger than {limit}").into() }
}
