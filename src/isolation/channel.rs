//! One exchange with a process: a request over its lane, its output over the control connection meanwhile, its response.
//!
//! Every wait has an end. Nothing that comes is trusted: sizes are bounded, and what is not understood ends the exchange.

use super::wire::{FRAME_BYTES_MAX, Frame};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// After this time a run counts as long.
const LONG: Duration = Duration::from_millis(2);

/// Bytes of a response's head, at most.
const HEAD_BYTES_MAX: usize = 512;

/// Bytes read at a time.
const PIECE_BYTES: usize = 16 * 1024;

/// Bytes of last words that are kept.
const LAST_WORDS_MAX: usize = 1024;

/// Why there is no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// It did not come in time.
    Late,
    /// The process closed the connection.
    Gone,
    /// It is not what a process of ours says.
    Broken,
}

/// A request.
pub struct Ask<'a> {
    /// Its path.
    pub path: &'static str,
    /// Its body, in two parts.
    pub body: [&'a [u8]; 2],
    /// Bytes that the response's body may have.
    pub most: usize,
    /// Until when the response has to be there.
    pub until: Option<Instant>,
    /// Called once, should it take long.
    pub when_long: Option<&'a dyn Fn()>,
}

/// Both connections to a process.
#[derive(Debug)]
pub struct Channel {
    lane: UnixStream,
    control: UnixStream,
    /// What came over the control connection and is no whole frame yet.
    pending: Vec<u8>,
    /// Bytes of frames since the last response.
    frame_bytes: u64,
    /// Whether what came last over the control connection is no frame: words of a process that ends.
    has_last_words: bool,
}

/// The response's head.
struct Head {
    begin: usize,
    size: usize,
    frame_bytes: u64,
}

impl Channel {
    /// Over these connections.
    ///
    /// # Errors
    /// They cannot be made non-blocking.
    pub fn new(control: UnixStream, lane: UnixStream) -> io::Result<Channel> {
        lane.set_nonblocking(true)?;
        control.set_nonblocking(true)?;
        Ok(Channel { lane, control, pending: Vec::new(), frame_bytes: 0, has_last_words: false })
    }

    /// Whether nothing waits in either connection, as it has to be between two requests.
    pub fn is_quiet(&self) -> bool {
        let mut polled = [PollFd::new(&self.lane, PollFlags::IN), PollFd::new(&self.control, PollFlags::IN)];
        poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) == Ok(0)
    }

    /// Has the process say that it is ready, once it is.
    ///
    /// # Errors
    /// The connection does not take the request.
    pub fn ask_ready(&mut self) -> io::Result<()> {
        self.lane.write_all(b"POST /ready HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
    }

    /// Waits until it said so.
    pub fn is_ready(&mut self, until: Instant) -> Result<(), Lost> {
        let (mut got, mut head) = (Vec::new(), None);
        while !self.receive(&mut got, &mut head, 0)? {
            wait(&mut [PollFd::new(&self.lane, PollFlags::IN)], Some(until))?;
        }
        Ok(())
    }

    /// Sends a binding, with descriptors.
    pub fn bind(
        &mut self,
        binding: &[u8],
        descriptors: &[BorrowedFd<'_>],
        until: Instant,
    ) -> Result<(), Lost> {
        let size = u32::try_from(binding.len()).map_err(|_| Lost::Broken)?.to_le_bytes();
        let mut space = vec![MaybeUninit::uninit(); SendAncillaryMessage::ScmRights(descriptors).size()];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !ancillary.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(Lost::Broken);
        }
        // Into the empty buffer of the socket; the size is never sent in parts.
        let sent = sendmsg(&self.control, &[IoSlice::new(&size)], &mut ancillary, SendFlags::NOSIGNAL);
        if sent != Ok(size.len()) {
            return Err(Lost::Gone);
        }
        let mut left = binding;
        while !left.is_empty() {
            match self.control.write(left) {
                Ok(n) => left = &left[n..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    wait(&mut [PollFd::new(&self.control, PollFlags::OUT)], Some(until))?;
                }
                Err(_) => return Err(Lost::Gone),
            }
        }
        Ok(())
    }

    /// Sends a request and gives the response's body. `relay` takes output that comes meanwhile.
    ///
    /// # Errors
    /// There is no response. The channel is of no use then, but for [`Channel::last_words`].
    pub fn ask(&mut self, ask: &Ask<'_>, relay: &mut dyn FnMut(Frame, &[u8])) -> Result<Vec<u8>, Lost> {
        let size: usize = ask.body.iter().map(|part| part.len()).sum();
        let mut first = format!("POST {} HTTP/1.1\r\nContent-Length: {size}\r\n\r\n", ask.path).into_bytes();
        first.extend_from_slice(ask.body[0]);
        let mut rest = ask.body[1];
        if rest.len() <= PIECE_BYTES {
            first.extend_from_slice(rest);
            rest = &[];
        }
        let mut to_send: [&[u8]; 2] = [&first, rest];
        let mut got = Vec::new();
        let (mut head, mut is_alone) = (None, false);
        let mut when_long = ask.when_long.map(|when_long| (when_long, Instant::now() + LONG));
        loop {
            self.send(&mut to_send)?;
            // Looked at in every turn: a process that always has something to say is no less late.
            let now = Instant::now();
            if ask.until.is_some_and(|until| now >= until) {
                return Err(Lost::Late);
            }
            if let Some((call, _)) = when_long.take_if(|(_, at)| now >= *at) {
                call();
            }
            let events = if to_send.iter().all(|part| part.is_empty()) {
                PollFlags::IN
            } else {
                PollFlags::IN | PollFlags::OUT
            };
            let until = [when_long.map(|(_, at)| at), ask.until].into_iter().flatten().min();
            let mut polled = [PollFd::new(&self.lane, events), PollFd::new(&self.control, PollFlags::IN)];
            // A process that has ended may have responded before.
            let count = if is_alone { 1 } else { 2 };
            match wait(&mut polled[..count], until) {
                Err(Lost::Late) => continue,
                other => other?,
            }
            let [lane, control] = polled.map(|polled| !polled.revents().is_empty());
            if control && !is_alone {
                match self.receive_frames(relay) {
                    Err(Lost::Gone) => is_alone = true,
                    other => other?,
                }
            }
            if lane && self.receive(&mut got, &mut head, ask.most)? {
                break;
            }
        }
        let Some(Head { begin, frame_bytes, .. }) = head else { return Err(Lost::Broken) };
        while self.frame_bytes < frame_bytes && !self.has_last_words {
            if ask.until.is_some_and(|until| Instant::now() >= until) {
                return Err(Lost::Late);
            }
            wait(&mut [PollFd::new(&self.control, PollFlags::IN)], ask.until)?;
            self.receive_frames(relay)?;
        }
        if self.frame_bytes != frame_bytes || !self.pending.is_empty() {
            return Err(Lost::Broken);
        }
        self.frame_bytes = 0;
        got.drain(..begin);
        Ok(got)
    }

    /// What the process said as it ended: text of its runtime, such as why it aborted.
    pub fn last_words(&mut self) -> String {
        let mut more = [0; LAST_WORDS_MAX];
        if let Ok(n) = self.control.read(&mut more) {
            self.pending.extend_from_slice(&more[..n]);
        }
        String::from_utf8_lossy(&self.pending).into_owned()
    }

    fn send(&mut self, parts: &mut [&[u8]; 2]) -> Result<(), Lost> {
        for part in parts {
            while !part.is_empty() {
                match self.lane.write(part) {
                    Ok(n) => *part = &part[n..],
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(_) => return Err(Lost::Gone),
                }
            }
        }
        Ok(())
    }

    /// Takes what is there of a response; true once it is whole.
    fn receive(&mut self, got: &mut Vec<u8>, head: &mut Option<Head>, most: usize) -> Result<bool, Lost> {
        let begin = got.len();
        let room =
            head.as_ref().map_or(PIECE_BYTES, |head| (head.begin + head.size - begin).clamp(1, PIECE_BYTES));
        got.resize(begin + room, 0);
        let n = match self.lane.read(&mut got[begin..]) {
            Ok(0) => return Err(Lost::Gone),
            Ok(n) => n,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
            Err(_) => return Err(Lost::Gone),
        };
        got.truncate(begin + n);
        if head.is_none() {
            *head = parse(got, most)?;
        }
        match head {
            None => Ok(false),
            Some(head) if got.len() > head.begin + head.size => Err(Lost::Broken),
            Some(head) => Ok(got.len() == head.begin + head.size),
        }
    }

    fn receive_frames(&mut self, relay: &mut dyn FnMut(Frame, &[u8])) -> Result<(), Lost> {
        let begin = self.pending.len();
        self.pending.resize(begin + PIECE_BYTES, 0);
        let read = self.control.read(&mut self.pending[begin..]);
        self.pending.truncate(begin + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => return Err(Lost::Gone),
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                return Ok(());
            }
            Err(_) => return Err(Lost::Gone),
        }
        let mut done = 0;
        while !self.has_last_words
            && let Some((head, rest)) = self.pending[done..].split_first_chunk::<{ Frame::HEAD_BYTES }>()
        {
            let [kind, size @ ..] = *head;
            let size = u32::from_le_bytes(size) as usize;
            let Some(kind) = Frame::of(kind).filter(|_| size <= FRAME_BYTES_MAX) else {
                self.has_last_words = true;
                break;
            };
            let Some(bytes) = rest.get(..size) else { break };
            relay(kind, bytes);
            done += Frame::HEAD_BYTES + size;
            self.frame_bytes += (Frame::HEAD_BYTES + size) as u64;
        }
        self.pending.drain(..done);
        if self.has_last_words && self.pending.len() > LAST_WORDS_MAX {
            return Err(Lost::Broken);
        }
        Ok(())
    }
}

/// The head of a response, if it is there: status 200, and the two fields that a process of ours sends.
fn parse(got: &[u8], most: usize) -> Result<Option<Head>, Lost> {
    let mut fields = [httparse::EMPTY_HEADER; 4];
    let mut response = httparse::Response::new(&mut fields);
    let begin = match response.parse(&got[..got.len().min(HEAD_BYTES_MAX)]) {
        Ok(httparse::Status::Complete(begin)) => begin,
        Ok(httparse::Status::Partial) if got.len() < HEAD_BYTES_MAX => return Ok(None),
        _ => return Err(Lost::Broken),
    };
    let number = |name: &str| {
        let field = response.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(field.value).ok()?.parse::<u64>().ok()
    };
    let size = number("Content-Length").filter(|size| *size <= most as u64).ok_or(Lost::Broken)?;
    if response.code != Some(200) {
        return Err(Lost::Broken);
    }
    Ok(Some(Head { begin, size: size as usize, frame_bytes: number("Frames").unwrap_or(0) }))
}

/// Waits for an event.
fn wait(polled: &mut [PollFd<'_>], until: Option<Instant>) -> Result<(), Lost> {
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let left =
            left.map(|left| Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() });
        match poll(polled, left.as_ref()) {
            Ok(0) => return Err(Lost::Late),
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(_) => return Err(Lost::Gone),
        }
    }
}
