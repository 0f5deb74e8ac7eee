//! What a process sends to the door: frames.

use crate::base::heap;
use crate::base::limits::{LOG_LINE_BYTES_MAX, LOG_MESSAGE_LINES_MAX};
use crate::base::lock::lock;
use crate::host::streams::Outlet;
use crate::isolation::wire::{FRAME_BYTES_MAX, FRAME_HEAD_BYTES, Frame, Request};
use log::Level;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Bytes of one kind that are held back at most. Lines are passed on when they have ended.
const HELD_BYTES_MAX: usize = 8 * 1024;

/// Time for which lines are held back at most, while more come.
const HELD_TIME: Duration = Duration::from_millis(20);

/// Up to this size, a response's bytes are sent with its head.
const SENT_WITH_HEAD_BYTES: usize = 16 * 1024;

/// Bytes of a message that the log shows at most.
const MESSAGE_BYTES_SHOWN: usize = LOG_LINE_BYTES_MAX * LOG_MESSAGE_LINES_MAX as usize;
const _: () = assert!(MESSAGE_BYTES_SHOWN + 5 <= FRAME_BYTES_MAX && HELD_BYTES_MAX <= FRAME_BYTES_MAX);

/// The connection to the door.
#[derive(Debug)]
pub struct Frames(UnixStream);

impl Frames {
    /// Over this connection.
    pub fn new(stream: UnixStream) -> Frames {
        Frames(stream)
    }

    /// Sends a frame in one piece.
    ///
    /// # Errors
    /// There is no door any more, or `parts` are more than a frame can have.
    fn write(&mut self, kind: Frame, parts: &[&[u8]]) -> io::Result<()> {
        let size = parts.iter().map(|part| part.len()).sum();
        let mut frame = Vec::with_capacity(FRAME_HEAD_BYTES + size);
        frame.extend_from_slice(&kind.head(size).ok_or(ErrorKind::InvalidInput)?);
        parts.iter().for_each(|part| frame.extend_from_slice(part));
        self.0.write_all(&frame)
    }

    /// Sends output of the guest. Without the door there is nobody to say it to: then the next request never comes.
    pub fn send(&mut self, kind: Frame, parts: &[&[u8]]) {
        let _ = self.write(kind, parts);
    }

    /// What the door says of a call out.
    ///
    /// # Errors
    /// There is no door any more, or it says something else.
    pub fn called(&mut self) -> io::Result<Vec<u8>> {
        let mut head = [0; FRAME_HEAD_BYTES];
        loop {
            self.0.read_exact(&mut head)?;
            match Request::of(head[0]) {
                // Of a piece that was not waited for.
                Some(Request::Taken | Request::Enough) => {}
                Some(Request::Called) => break,
                _ => return Err(ErrorKind::InvalidData.into()),
            }
        }
        let [_, size @ ..] = head;
        let size = u32::from_le_bytes(size) as usize;
        let mut message = heap::zeroed(size).map_err(|_| ErrorKind::OutOfMemory)?;
        self.0.read_exact(&mut message)?;
        Ok(message)
    }

    /// What the door says of the last piece of a response; none if it has not by then.
    ///
    /// # Errors
    /// There is no door any more.
    pub fn told(&mut self, until: Option<Instant>) -> io::Result<Option<Request>> {
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let time = left.and_then(|left| Timespec::try_from(left).ok());
            match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], time.as_ref()) {
                Ok(0) => return Ok(None),
                Ok(_) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut head = [0; FRAME_HEAD_BYTES];
        self.0.read_exact(&mut head)?;
        Ok(Request::of(head[0]))
    }

    /// Says that requests may come.
    ///
    /// # Errors
    /// There is no door any more.
    pub fn ready(&mut self) -> io::Result<()> {
        self.write(Frame::Ready, &[])
    }

    /// Responds with a message in two parts.
    ///
    /// # Errors
    /// There is no door any more, or the message is too long.
    pub fn respond(&mut self, head: &[u8], bytes: &[u8]) -> io::Result<()> {
        if bytes.len() <= SENT_WITH_HEAD_BYTES {
            return self.write(Frame::Response, &[head, bytes]);
        }
        let frame = Frame::Response.head(head.len() + bytes.len()).ok_or(ErrorKind::InvalidInput)?;
        self.0.write_all(&[&frame, head].concat())?;
        self.0.write_all(bytes)
    }

    /// Sends these bytes. For faults.
    #[cfg(debug_assertions)]
    pub fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }
}

/// One stream of a run.
pub struct Way {
    frames: Arc<Mutex<Frames>>,
    kind: Frame,
    held: Vec<u8>,
    flushed: Instant,
}

impl Way {
    /// For the stream `kind`.
    pub fn new(frames: &Arc<Mutex<Frames>>, kind: Frame) -> Way {
        Way { frames: Arc::clone(frames), kind, held: Vec::new(), flushed: Instant::now() }
    }
}

impl Outlet for Way {
    fn write(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(HELD_BYTES_MAX) {
            if self.held.len() + piece.len() > HELD_BYTES_MAX {
                self.flush();
            }
            self.held.extend_from_slice(piece);
        }
        if self.held.ends_with(b"\n") && self.flushed.elapsed() >= HELD_TIME {
            self.flush();
        }
    }

    fn message(&mut self, level: Level, text: &[u8]) {
        self.flush();
        let size = u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes();
        let shown = &text[..text.len().min(MESSAGE_BYTES_SHOWN)];
        lock(&self.frames).send(Frame::Message, &[&[level as u8], &size, shown]);
    }

    fn flush(&mut self) {
        if !self.held.is_empty() {
            lock(&self.frames).send(self.kind, &[&self.held]);
            self.held.clear();
            self.flushed = Instant::now();
        }
    }
}
