//! stdout and stderr of a guest of `fuelbox run`. Small writes are buffered, so that a byte costs no system
//! call. No write waits beyond the deadline.
//!
//! The sandbox flushes between slices of fuel, which is within milliseconds, and before it waits.

use crate::host::streams::{SharedWriter, SinkTo};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Buffered bytes from which on they are written.
const BUFFER_BYTES: usize = 8 * 1024;

/// A ready pipe takes this many bytes without blocking (POSIX, PIPE_BUF on Linux).
const PIECE_BYTES: usize = 4096;

/// An output of this process, written by a guest.
pub struct Out {
    file: File,
    buffer: Vec<u8>,
    deadline: Option<Instant>,
    failed: Option<ErrorKind>,
}

impl Out {
    /// An output to `fd`, where no write waits longer than `timeout` from now.
    pub fn new(fd: impl AsFd, timeout: Option<Duration>) -> io::Result<Arc<Mutex<Out>>> {
        // A copy, as the file closes it.
        let file = File::from(fd.as_fd().try_clone_to_owned()?);
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let buffer = Vec::with_capacity(BUFFER_BYTES);
        Ok(Arc::new(Mutex::new(Out { file, buffer, deadline, failed: None })))
    }

    /// The writer for a sandbox.
    pub fn sink(out: &Arc<Mutex<Out>>) -> SinkTo {
        SinkTo::Writer(Arc::clone(out) as SharedWriter)
    }

    /// Writes the rest after the guest ended, without a time limit, and returns whether all of its output
    /// arrived. Output that was too late for the deadline is not retried.
    pub fn finish(&mut self) -> io::Result<()> {
        self.deadline = None;
        match self.failed {
            Some(kind) => Err(kind.into()),
            None => self.push(),
        }
    }

    fn push(&mut self) -> io::Result<()> {
        let mut sent = 0;
        while sent < self.buffer.len() && self.failed.is_none() {
            let piece = &self.buffer[sent..self.buffer.len().min(sent + PIECE_BYTES)];
            match self.wait_for_room().and_then(|()| (&self.file).write(piece)) {
                Ok(0) => self.failed = Some(ErrorKind::WriteZero),
                Ok(n) => sent += n,
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
                Err(error) => self.failed = Some(error.kind()),
            }
        }
        self.buffer.clear();
        self.failed.map_or(Ok(()), |kind| Err(kind.into()))
    }

    /// Waits until the output accepts bytes; fails at the deadline.
    fn wait_for_room(&self) -> io::Result<()> {
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let timeout =
            left.map(|left| Timespec { tv_sec: left.as_secs() as _, tv_nsec: left.subsec_nanos() as _ });
        match poll(&mut [PollFd::new(&self.file, PollFlags::OUT)], timeout.as_ref())? {
            0 => Err(ErrorKind::TimedOut.into()),
            _ => Ok(()),
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(kind) = self.failed {
            return Err(kind.into());
        }
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER_BYTES {
            self.push()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.push()
    }
}
