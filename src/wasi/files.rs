//! A guest's descriptors: standard input and the capped outputs. A guest's number is never the host's.

use super::abi::{Errno, Fault};
use crate::limits::{LOG_LINE_BYTES_MAX, LOG_LINES_MAX};
use crate::text::printable;
use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// A writer that several runs may share.
pub type SharedWriter = Arc<Mutex<dyn Write + Send>>;

/// Where standard input comes from.
#[derive(Debug, Default)]
pub enum Stdin {
    /// Nothing: end of file at once.
    #[default]
    Empty,
    /// Bytes that are there already.
    Bytes(Vec<u8>),
    /// Chunks that another thread reads; closed at the end of the input. A guest that waits for one is
    /// stopped at its deadline.
    Pipe(Receiver<Vec<u8>>),
}

/// Where an output goes.
pub enum SinkTo {
    /// Kept, to be taken with [`Sink::into_bytes`].
    Buffer(Vec<u8>),
    /// Written through as it comes.
    Writer(SharedWriter),
    /// To the log, line by line, each with this name before it.
    Log {
        /// Whose output it is.
        name: Arc<str>,
        /// The line so far.
        line: Vec<u8>,
        /// Lines so far; beyond `LOG_LINES_MAX` they are only counted.
        lines: u32,
    },
}

impl SinkTo {
    /// To the log, in the name of `name`.
    pub fn log(name: &str) -> SinkTo {
        SinkTo::Log { name: name.into(), line: Vec::new(), lines: 0 }
    }
}

/// An output that takes at most `limit` bytes.
pub struct Sink {
    stream: &'static str,
    limit: usize,
    written: usize,
    to: SinkTo,
}

impl Sink {
    /// An output called `stream` in messages, for at most `limit` bytes.
    pub fn new(stream: &'static str, limit: usize, to: SinkTo) -> Sink {
        Sink { stream, limit, written: 0, to }
    }

    /// Takes all of `bytes`, or as many as fit before the guest is stopped.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let fits = bytes.len().min(self.limit - self.written);
        self.written += fits;
        self.put(&bytes[..fits])?;
        if fits < bytes.len() {
            return Err(Fault::OutputFull { stream: self.stream, limit: self.limit });
        }
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        match &mut self.to {
            SinkTo::Buffer(buffer) => buffer.extend_from_slice(bytes),
            SinkTo::Writer(writer) => {
                let mut writer = writer.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                writer.write_all(bytes).map_err(|_| Fault::Errno(Errno::Io))?;
            }
            SinkTo::Log { name, line, lines } => log_lines(name, line, lines, bytes),
        }
        Ok(())
    }

    /// Gives what is held back: the rest of a line, or what the writer has buffered.
    pub fn flush(&mut self) {
        match &mut self.to {
            SinkTo::Buffer(_) => {}
            SinkTo::Writer(writer) => {
                let mut writer = writer.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                // A reader that went away has been reported to the guest by the write itself.
                let _ = writer.flush();
            }
            SinkTo::Log { name, line, lines } => {
                log_line(name, line, lines);
                if *lines > LOG_LINES_MAX {
                    log::info!(target: "fuelbox::guest", "{name}: {} more lines", *lines - LOG_LINES_MAX);
                    *lines = 0;
                }
            }
        }
    }

    /// The bytes of a `Buffer`.
    pub fn into_bytes(self) -> Vec<u8> {
        match self.to {
            SinkTo::Buffer(bytes) => bytes,
            _ => Vec::new(),
        }
    }
}

fn log_lines(name: &str, line: &mut Vec<u8>, lines: &mut u32, bytes: &[u8]) {
    for piece in bytes.split_inclusive(|b| *b == b'\n') {
        for part in piece.chunks(LOG_LINE_BYTES_MAX) {
            if line.len() + part.len() > LOG_LINE_BYTES_MAX {
                log_line(name, line, lines);
            }
            line.extend_from_slice(part);
        }
        if piece.ends_with(b"\n") {
            line.pop();
            log_line(name, line, lines);
        }
    }
}

/// Writes the line to the log. A guest must neither drive the terminal that shows it, nor forge a line, nor
/// fill the disk.
fn log_line(name: &str, line: &mut Vec<u8>, lines: &mut u32) {
    if line.is_empty() {
        return;
    }
    *lines = lines.saturating_add(1);
    if *lines <= LOG_LINES_MAX {
        log::info!(target: "fuelbox::guest", "{name}: {}", printable(&String::from_utf8_lossy(line)));
    }
    line.clear();
}

/// What an open descriptor stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Descriptor {
    /// Standard input.
    Stdin,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// The open descriptors by number, and the streams behind them.
pub struct Files {
    open: Vec<Option<Descriptor>>,
    source: Stdin,
    pending: Vec<u8>,
    read: usize,
    /// Standard output; here still when a guest has closed its descriptor.
    pub stdout: Sink,
    /// Standard error.
    pub stderr: Sink,
}

impl Files {
    /// Descriptors 0, 1 and 2.
    pub fn new(stdin: Stdin, stdout: Sink, stderr: Sink) -> Files {
        let (source, pending) = match stdin {
            Stdin::Bytes(bytes) => (Stdin::Empty, bytes),
            other => (other, Vec::new()),
        };
        let open = vec![Some(Descriptor::Stdin), Some(Descriptor::Stdout), Some(Descriptor::Stderr)];
        Files { open, source, pending, read: 0, stdout, stderr }
    }

    /// What `fd` stands for.
    pub fn get(&self, fd: u32) -> Result<Descriptor, Errno> {
        self.open.get(fd as usize).copied().flatten().ok_or(Errno::Badf)
    }

    /// Closes `fd`.
    pub fn close(&mut self, fd: u32) -> Result<(), Errno> {
        self.get(fd)?;
        self.open[fd as usize] = None;
        Ok(())
    }

    /// The output behind `fd`.
    pub fn output(&mut self, fd: u32) -> Result<&mut Sink, Errno> {
        match self.get(fd)? {
            Descriptor::Stdin => Err(Errno::Badf),
            Descriptor::Stdout => Ok(&mut self.stdout),
            Descriptor::Stderr => Ok(&mut self.stderr),
        }
    }

    /// Moves input into `out` and gives the number of bytes; 0 is the end. Waits for a pipe until `until`.
    pub fn read_stdin(&mut self, out: &mut [u8], until: Option<Instant>) -> Result<usize, Fault> {
        if self.read == self.pending.len() {
            self.pending = self.receive(until)?;
            self.read = 0;
        }
        let bytes = &self.pending[self.read..];
        let n = bytes.len().min(out.len());
        out[..n].copy_from_slice(&bytes[..n]);
        self.read += n;
        Ok(n)
    }

    /// Whether bytes are there that need no waiting.
    pub fn stdin_ready(&self) -> bool {
        self.read < self.pending.len()
    }

    fn receive(&mut self, until: Option<Instant>) -> Result<Vec<u8>, Fault> {
        let Stdin::Pipe(pipe) = &self.source else { return Ok(Vec::new()) };
        let chunk = match until {
            None => pipe.recv().ok(),
            Some(until) => match pipe.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(chunk) => Some(chunk),
                Err(RecvTimeoutError::Disconnected) => None,
                Err(RecvTimeoutError::Timeout) => return Err(Fault::Deadline),
            },
        };
        Ok(chunk.unwrap_or_default())
    }
}
