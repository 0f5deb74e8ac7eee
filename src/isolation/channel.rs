//! The connection to a process: requests out, frames in.
//!
//! Every wait has an end. Nothing that comes is trusted: sizes are bounded, and what is not understood ends the exchange.

use super::wire::{FRAME_BYTES_MAX, FRAME_HEAD_BYTES, Frame, PIECE_BYTES_MAX, Request};
use crate::abi::Hooks;
use crate::base::cancel::{Cancel, LOOK_EVERY};
use crate::base::heap;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// After this time the door's thread lets others do its work.
const WAITING: Duration = Duration::from_millis(1);

/// After this time a run counts as long whatever the process says.
const LONG: Duration = Duration::from_millis(10);

/// One of a host's hooks.
type Hook = fn(&Hooks<'_>);

/// What is called when.
const DUE: [(Duration, Hook); 2] = [(WAITING, |hooks| hooks.waiting()), (LONG, |hooks| hooks.long())];

/// Bytes read at a time, and of a response.
const PIECE_BYTES: usize = 4 * 1024;
const LARGE_PIECE_BYTES: usize = 64 * 1024;

/// Up to this size, what follows a request's head is sent with it.
const SENT_WITH_HEAD_BYTES: usize = 16 * 1024;

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
    /// This process has no memory for it.
    NoMemory,
    /// Whoever asked wants no response any more.
    Cancelled,
}

/// A request.
pub struct Ask<'a> {
    /// What is asked for.
    pub request: Request,
    /// Its message, in two parts.
    pub message: [&'a [u8]; 2],
    /// Bytes that the response's message may have.
    pub most: usize,
    /// Bytes that the message of a call out may have; 0 if there must be none.
    pub most_of_call: usize,
    /// Until when the response has to be there.
    pub until: Option<Instant>,
    /// What says that it is no longer wanted.
    pub cancel: Option<&'a Cancel>,
    /// Called should it take a moment, or long.
    pub hooks: Hooks<'a>,
}

/// What a process is told in a run, and the message with it.
pub type Told = (Request, Vec<u8>);

/// Takes what comes before the response, and gives what the process is told of it.
pub type Relay<'a> = &'a mut dyn FnMut(Frame, &[u8]) -> Result<Option<Told>, Lost>;

/// The connection to a process.
#[derive(Debug)]
pub struct Channel {
    stream: UnixStream,
    /// What came and is no whole frame yet.
    pending: Vec<u8>,
    /// Whether the process says that what it is at takes long.
    is_long: bool,
    /// Whether what came last is no frame: words of a process that ends.
    has_last_words: bool,
}

impl Channel {
    /// Over this connection.
    ///
    /// # Errors
    /// It cannot be made non-blocking.
    pub fn new(stream: UnixStream) -> io::Result<Channel> {
        stream.set_nonblocking(true)?;
        Ok(Channel { stream, pending: Vec::new(), is_long: false, has_last_words: false })
    }

    /// Whether nothing has come, as it has to be between two requests.
    pub fn is_quiet(&self) -> bool {
        let mut polled = [PollFd::new(&self.stream, PollFlags::IN)];
        poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) == Ok(0)
    }

    /// Sends a binding, with descriptors, and waits until the process is confined.
    pub fn bind(
        &mut self,
        binding: &[u8],
        descriptors: &[BorrowedFd<'_>],
        (until, hooks): (Instant, Hooks<'_>),
    ) -> Result<(), Lost> {
        let head = Request::Bind.head(binding.len()).ok_or(Lost::Broken)?;
        let mut space = vec![MaybeUninit::uninit(); SendAncillaryMessage::ScmRights(descriptors).size()];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !ancillary.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(Lost::Broken);
        }
        // Into the empty buffer of the socket; the head is never sent in parts.
        let sent = sendmsg(&self.stream, &[IoSlice::new(&head)], &mut ancillary, SendFlags::NOSIGNAL);
        if sent != Ok(head.len()) {
            return Err(Lost::Gone);
        }
        let message = [binding, &[]];
        let (request, until) = (Request::Bind, Some(until));
        let ask = Ask { request, message, most: 0, most_of_call: 0, until, cancel: None, hooks };
        self.exchange(&mut [binding, &[]], &ask, &mut |_, _| Ok(None), Frame::Ready).map(drop)
    }

    /// Sends a request and gives the response's message. `relay` takes output that comes meanwhile.
    ///
    /// # Errors
    /// There is no response. The channel is of no use then, but for [`Channel::last_words`].
    pub fn ask(&mut self, ask: &Ask<'_>, relay: Relay<'_>) -> Result<Vec<u8>, Lost> {
        let [head, mut rest] = ask.message;
        let mut first =
            Vec::with_capacity(FRAME_HEAD_BYTES + head.len() + rest.len().min(SENT_WITH_HEAD_BYTES));
        first.extend_from_slice(&ask.request.head(head.len() + rest.len()).ok_or(Lost::Broken)?);
        first.extend_from_slice(head);
        if rest.len() <= SENT_WITH_HEAD_BYTES {
            first.extend_from_slice(rest);
            rest = &[];
        }
        self.exchange(&mut [&first, rest], ask, relay, Frame::Response)
    }

    /// Sends these bytes, and gives what comes in a frame of the kind `awaited`, which has to be the last.
    fn exchange(
        &mut self,
        to_send: &mut [&[u8]; 2],
        ask: &Ask<'_>,
        relay: Relay<'_>,
        awaited: Frame,
    ) -> Result<Vec<u8>, Lost> {
        let begin = Instant::now();
        let mut due = DUE.iter().peekable();
        self.is_long = false;
        let mut message = None;
        loop {
            let is_sent = self.send(to_send)?;
            if message.is_none() {
                message = self.take(awaited, (ask, is_sent), relay)?;
            }
            if let Some(message) = message.take_if(|message| message.is_whole()) {
                return if is_sent { Ok(message.bytes) } else { Err(Lost::Broken) };
            }
            // Looked at in every turn: a process that always has something to say is no less late.
            let now = Instant::now();
            if ask.until.is_some_and(|until| now >= until) {
                return Err(Lost::Late);
            }
            if ask.cancel.is_some_and(Cancel::is_cancelled) {
                return Err(Lost::Cancelled);
            }
            while let Some((_, call)) = due.next_if(|(after, _)| self.is_long || now >= begin + *after) {
                call(&ask.hooks);
            }
            let events = if is_sent { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
            let next = due.peek().map(|(after, _)| begin + *after);
            let look = ask.cancel.map(|_| now + LOOK_EVERY);
            let until = [next, ask.until, look].into_iter().flatten().min();
            let mut polled = [PollFd::new(&self.stream, events)];
            match wait(&mut polled, until.map(|until| until.saturating_duration_since(now))) {
                Err(Lost::Late) => continue,
                other => other?,
            }
            if polled[0].revents() != PollFlags::OUT {
                match &mut message {
                    Some(Message { bytes, size }) => {
                        let piece = (*size - bytes.len()).min(LARGE_PIECE_BYTES);
                        read(&self.stream, bytes, piece)?;
                    }
                    None => {
                        let piece = self.missing().clamp(PIECE_BYTES, LARGE_PIECE_BYTES);
                        read(&self.stream, &mut self.pending, piece)?;
                    }
                }
            }
        }
    }

    /// Bytes that are missing of the frame that has begun.
    fn missing(&self) -> usize {
        let Some(([_, size @ ..], rest)) = self.pending.split_first_chunk::<FRAME_HEAD_BYTES>() else {
            return 0;
        };
        (u32::from_le_bytes(*size) as usize).saturating_sub(rest.len())
    }

    /// Tells the process something that it waits for.
    fn tell(&mut self, (what, message): &Told, ask: &Ask<'_>) -> Result<(), Lost> {
        let head = what.head(message.len()).ok_or(Lost::Broken)?;
        if !message.is_empty() {
            return self.send_whole(&mut [&head, message], ask);
        }
        match self.stream.write(&head) {
            Ok(n) if n == head.len() => Ok(()),
            // It takes nothing: then it does not wait for this.
            Ok(_) => Err(Lost::Broken),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Err(Lost::Broken),
            Err(_) => Err(Lost::Gone),
        }
    }

    /// Sends both parts, and waits as long as a response is waited for.
    fn send_whole(&mut self, parts: &mut [&[u8]; 2], ask: &Ask<'_>) -> Result<(), Lost> {
        while !self.send(parts)? {
            let now = Instant::now();
            if ask.until.is_some_and(|until| now >= until) {
                return Err(Lost::Late);
            }
            if ask.cancel.is_some_and(Cancel::is_cancelled) {
                return Err(Lost::Cancelled);
            }
            let look = ask.cancel.map(|_| now + LOOK_EVERY);
            let until = [ask.until, look].into_iter().flatten().min();
            let mut polled = [PollFd::new(&self.stream, PollFlags::OUT)];
            match wait(&mut polled, until.map(|until| until.saturating_duration_since(now))) {
                Ok(()) | Err(Lost::Late) => {}
                Err(lost) => return Err(lost),
            }
        }
        Ok(())
    }

    /// What the process said as it ended: text of its runtime, such as why it aborted.
    pub fn last_words(&mut self) -> String {
        let mut more = [0; LAST_WORDS_MAX];
        if let Ok(n) = self.stream.read(&mut more) {
            self.pending.extend_from_slice(&more[..n]);
        }
        String::from_utf8_lossy(&self.pending).into_owned()
    }

    /// Sends what the socket takes; true once that is all.
    fn send(&mut self, parts: &mut [&[u8]; 2]) -> Result<bool, Lost> {
        for part in parts {
            while !part.is_empty() {
                match self.stream.write(part) {
                    Ok(n) => *part = &part[n..],
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(_) => return Err(Lost::Gone),
                }
            }
        }
        Ok(true)
    }

    /// Hands frames of output on, up to one of the kind `awaited`, which has at most `most` bytes and nothing behind it. The
    /// message in it may not be whole yet.
    fn take(
        &mut self,
        awaited: Frame,
        (ask, is_asked): (&Ask<'_>, bool),
        relay: Relay<'_>,
    ) -> Result<Option<Message>, Lost> {
        let (mut done, mut has_piece) = (0, false);
        while !self.has_last_words
            && let Some((head, rest)) = self.pending[done..].split_first_chunk::<FRAME_HEAD_BYTES>()
        {
            let [kind, size @ ..] = *head;
            let size = u32::from_le_bytes(size) as usize;
            match Frame::of(kind) {
                Some(kind) if kind == awaited => {
                    if size > ask.most || rest.len() > size {
                        return Err(Lost::Broken);
                    }
                    let mut bytes = Vec::new();
                    heap::reserve(&mut bytes, size).map_err(|_| Lost::NoMemory)?;
                    bytes.extend_from_slice(rest);
                    self.pending.clear();
                    return Ok(Some(Message { bytes, size }));
                }
                Some(kind @ (Frame::Stdout | Frame::Stderr | Frame::Message)) if size <= FRAME_BYTES_MAX => {
                    let Some(bytes) = rest.get(..size) else { break };
                    relay(kind, bytes)?;
                    done += FRAME_HEAD_BYTES + size;
                }
                // Nobody answers before the request is there, nor sends a piece before the last one was taken.
                Some(kind @ (Frame::Piece | Frame::Call))
                    if is_asked && !has_piece && size <= most_of(kind, ask) =>
                {
                    let Some(bytes) = rest.get(..size) else { break };
                    if let Some(told) = relay(kind, bytes)? {
                        self.tell(&told, ask)?;
                    }
                    has_piece = true;
                    done += FRAME_HEAD_BYTES + size;
                }
                Some(Frame::Long) if size == 0 => {
                    self.is_long = true;
                    done += FRAME_HEAD_BYTES;
                }
                None if kind.is_ascii_graphic() || kind.is_ascii_whitespace() => self.has_last_words = true,
                _ => return Err(Lost::Broken),
            }
        }
        self.pending.drain(..done);
        if self.has_last_words && self.pending.len() > LAST_WORDS_MAX {
            return Err(Lost::Broken);
        }
        Ok(None)
    }
}

/// Bytes that a frame which is answered may have.
fn most_of(kind: Frame, ask: &Ask<'_>) -> usize {
    if kind == Frame::Call { ask.most_of_call } else { PIECE_BYTES_MAX }
}

/// A message as far as it has come.
struct Message {
    bytes: Vec<u8>,
    size: usize,
}

impl Message {
    fn is_whole(&self) -> bool {
        self.bytes.len() == self.size
    }
}

/// Receives at most `piece` bytes of what is there.
fn read(mut stream: &UnixStream, to: &mut Vec<u8>, piece: usize) -> Result<(), Lost> {
    let begin = to.len();
    heap::reserve(to, piece).map_err(|_| Lost::NoMemory)?;
    to.resize(begin + piece, 0);
    let read = stream.read(&mut to[begin..]);
    to.truncate(begin + *read.as_ref().unwrap_or(&0));
    match read {
        Ok(0) => Err(Lost::Gone),
        Ok(_) => Ok(()),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(()),
        Err(_) => Err(Lost::Gone),
    }
}

/// Waits for an event, at most so long.
fn wait(polled: &mut [PollFd<'_>], most: Option<Duration>) -> Result<(), Lost> {
    let most =
        most.map(|most| Timespec { tv_sec: most.as_secs() as i64, tv_nsec: most.subsec_nanos().into() });
    match poll(polled, most.as_ref()) {
        // The caller looks at the clock.
        Ok(0) | Err(Errno::INTR) => Err(Lost::Late),
        Ok(_) => Ok(()),
        Err(_) => Err(Lost::Gone),
    }
}
