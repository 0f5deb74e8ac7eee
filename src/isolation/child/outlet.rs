//! Output of a guest on its way to the door: frames over the control connection.

use crate::base::limits::{LOG_LINE_BYTES_MAX, LOG_MESSAGE_LINES_MAX};
use crate::base::lock::lock;
use crate::host::streams::Outlet;
use crate::isolation::wire::{FRAME_BYTES_MAX, Frame};
use log::Level;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Bytes of one kind that are held back at most. Lines are passed on when they have ended.
const HELD_BYTES_MAX: usize = 8 * 1024;

/// Time for which lines are held back at most, while more come.
const HELD_TIME: Duration = Duration::from_millis(20);

/// Bytes of a message that the log shows at most.
const MESSAGE_BYTES_SHOWN: usize = LOG_LINE_BYTES_MAX * LOG_MESSAGE_LINES_MAX as usize;
const _: () = assert!(MESSAGE_BYTES_SHOWN + 5 <= FRAME_BYTES_MAX && HELD_BYTES_MAX <= FRAME_BYTES_MAX);

/// The control connection, and how much went over it.
#[derive(Debug)]
pub struct Frames {
    control: UnixStream,
    sent: u64,
}

impl Frames {
    /// Over this connection.
    pub fn new(control: UnixStream) -> Frames {
        Frames { control, sent: 0 }
    }

    /// The connection.
    pub fn control(&self) -> &UnixStream {
        &self.control
    }

    /// Bytes sent since the last call of this.
    pub fn take_sent(&mut self) -> u64 {
        std::mem::take(&mut self.sent)
    }

    /// Sends a frame. Without the door there is nobody to say it to, and this process ends with it.
    pub fn send(&mut self, kind: Frame, parts: &[&[u8]]) {
        let size = parts.iter().map(|part| part.len()).sum();
        let mut frame = Vec::with_capacity(Frame::HEAD_BYTES + size);
        frame.extend_from_slice(&kind.head(size));
        parts.iter().for_each(|part| frame.extend_from_slice(part));
        if self.control.write_all(&frame).is_ok() {
            self.sent += frame.len() as u64;
        }
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
