//! Standard input, and outputs with a size limit.

use super::guest_log::{Lines, Origin};
use super::reply::{Moment, Reply, Taken, Trailers};
use super::wasi::abi::Fault;
use super::wasi::dir::errno;
use crate::base::heap;
use crate::base::limits::LOG_CALL_BYTES_MAX;
use crate::base::lock::lock;
use crate::base::outcome::Stop;
use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// A writer that several runs may share.
pub type SharedWriter = Arc<Mutex<dyn Write + Send>>;

/// Chunks of input that another thread reads; closed at the end of the input.
pub type Chunks = Receiver<Vec<u8>>;

/// Where standard input comes from.
///
/// ```
/// use fuelbox::{Invocation, Runner, RunnerConfig, Stdin};
/// use std::path::Path;
/// use std::sync::mpsc::channel;
///
/// let (send, receive) = channel();
/// std::thread::spawn(move || ["one ", "two\n"].map(|piece| send.send(piece.into())));
/// let invocation = Invocation { stdin: Stdin::Pipe(receive), ..Invocation::default() };
/// let runner = Runner::new(RunnerConfig::default())?;
/// let report = runner.run(Path::new("guests/prebuilt/wordcount.wasm"), invocation)?;
/// assert_eq!(report.result?, b"1 2 8\n");
/// # Ok::<(), fuelbox::Error>(())
/// ```
#[derive(Default)]
#[non_exhaustive]
pub enum Stdin {
    /// Nothing: end of file at once.
    #[default]
    Empty,
    /// Bytes that are there already.
    Bytes(Vec<u8>),
    /// Chunks as they come. A guest that waits for one is stopped at its deadline.
    Pipe(Receiver<Vec<u8>>),
    /// The same, begun when the guest first asks for input: one that never does takes nothing from a
    /// terminal or pipe that others read too.
    Lazy(Box<dyn FnOnce() -> Receiver<Vec<u8>> + Send>),
    /// The same, of which the guest gets nothing before all of it is there, at most `limit` bytes: for a reproducible
    /// run, as a guest sees in which pieces its input comes.
    Whole {
        /// Begins the reading.
        begin: Box<dyn FnOnce() -> Receiver<Vec<u8>> + Send>,
        /// Bytes that it may have.
        limit: usize,
    },
}

impl std::fmt::Debug for Stdin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Stdin::Empty => "Empty",
            Stdin::Bytes(_) => "Bytes",
            Stdin::Pipe(_) => "Pipe",
            Stdin::Lazy(_) => "Lazy",
            Stdin::Whole { .. } => "Whole",
        })
    }
}

/// Whether a read of standard input would wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// This many bytes are there.
    Bytes(usize),
    /// There is nothing more to come.
    End,
    /// Nothing is there yet.
    NotYet,
}

/// Standard input as a run reads it.
pub struct Input {
    source: Stdin,
    pending: Vec<u8>,
    read: usize,
    /// What must be there as a whole and is not yet: the bytes that it may have.
    whole: Option<usize>,
    /// Why there is none.
    fault: Option<Fault>,
}

impl Input {
    /// Input from `stdin`.
    pub fn new(stdin: Stdin) -> Input {
        let (source, pending, whole) = match stdin {
            Stdin::Bytes(bytes) => (Stdin::Empty, bytes, None),
            Stdin::Whole { begin, limit } => (Stdin::Lazy(begin), Vec::new(), Some(limit)),
            other => (other, Vec::new(), None),
        };
        Input { source, pending, read: 0, whole, fault: None }
    }

    /// Whether all of it is to be waited for before anything can be said of it.
    pub fn is_awaited(&self) -> bool {
        self.whole.is_some()
    }

    /// Whether something is wrong with it.
    ///
    /// # Errors
    /// It is too large, or the system has no memory for it.
    pub fn check(&self) -> Result<(), Fault> {
        self.fault.clone().map_or(Ok(()), Err)
    }

    /// Moves bytes that are there into `out`, and gives their number.
    pub fn take(&mut self, out: &mut [u8]) -> usize {
        let bytes = &self.pending[self.read..];
        let n = bytes.len().min(out.len());
        out[..n].copy_from_slice(&bytes[..n]);
        self.read += n;
        n
    }

    /// What a read would find.
    pub fn ready(&mut self) -> Ready {
        // Whether it is there already is chance, and must not be seen.
        if self.is_awaited() {
            return Ready::NotYet;
        }
        if self.read == self.pending.len() && !self.chunk(Chunks::try_recv) {
            return match self.source {
                Stdin::Empty => Ready::End,
                _ => Ready::NotYet,
            };
        }
        Ready::Bytes(self.pending.len() - self.read)
    }

    /// Waits for bytes or the end, until `until`.
    pub fn wait(&mut self, until: Option<Instant>) {
        match self.whole {
            Some(limit) => self.collect(limit, until),
            None if self.read < self.pending.len() => {}
            None => drop(self.next(until)),
        }
    }

    /// Collects what must be there as a whole, until `until`.
    fn collect(&mut self, limit: usize, until: Option<Instant>) {
        let mut whole = std::mem::take(&mut self.pending);
        // A source that always has more is no reason to go on past the deadline.
        while until.is_none_or(|until| Instant::now() < until) && self.next(until) {
            let piece = std::mem::take(&mut self.pending);
            if whole.len() + piece.len() > limit {
                self.fault = Some(Fault::InputTooLarge { limit });
            } else if heap::extend(&mut whole, &piece).is_err() {
                self.fault = Some(Fault::NoMemory);
            }
            if self.fault.is_some() {
                self.source = Stdin::Empty;
            }
        }
        (self.pending, self.read) = (whole, 0);
        if matches!(self.source, Stdin::Empty) {
            self.whole = None;
        }
    }

    /// Waits for the next chunk until `until`; false if there is none.
    fn next(&mut self, until: Option<Instant>) -> bool {
        self.chunk(|chunks| match until {
            None => chunks.recv().map_err(|_| TryRecvError::Disconnected),
            Some(until) => {
                chunks.recv_timeout(until.saturating_duration_since(Instant::now())).map_err(|error| {
                    match error {
                        RecvTimeoutError::Timeout => TryRecvError::Empty,
                        RecvTimeoutError::Disconnected => TryRecvError::Disconnected,
                    }
                })
            }
        })
    }

    /// Takes the next chunk as `receive` has it; false if there is none, or none yet.
    fn chunk(&mut self, receive: impl FnOnce(&Chunks) -> Result<Vec<u8>, TryRecvError>) -> bool {
        self.source = match std::mem::take(&mut self.source) {
            Stdin::Lazy(begin) => Stdin::Pipe(begin()),
            other => other,
        };
        let Stdin::Pipe(chunks) = &self.source else { return false };
        match receive(chunks) {
            Ok(chunk) => {
                (self.pending, self.read) = (chunk, 0);
                !self.pending.is_empty()
            }
            Err(TryRecvError::Empty) => false,
            Err(TryRecvError::Disconnected) => {
                self.source = Stdin::Empty;
                false
            }
        }
    }
}

/// Where an output goes.
pub enum SinkTo {
    /// Kept, to be taken with [`Sink::into_bytes`].
    Buffer(Vec<u8>),
    /// Written through as it comes.
    Writer(SharedWriter),
    /// A response to a request, kept or passed on.
    Reply(Reply),
    /// To the log, line by line, each in the name of whose it is.
    Log(Lines),
    /// To another process, which has one of the others.
    #[cfg(feature = "isolation")]
    Elsewhere(Box<dyn Outlet>),
}

/// A way to the sink of another process.
#[cfg(feature = "isolation")]
pub trait Outlet: Send {
    /// Passes output on.
    fn write(&mut self, bytes: &[u8]);

    /// Passes a message on.
    fn message(&mut self, level: log::Level, text: &[u8]);

    /// Passes on what is held back.
    fn flush(&mut self);
}

impl SinkTo {
    /// To the log, in the name of `name`.
    pub fn log(name: &str) -> SinkTo {
        SinkTo::Log(Lines::new(&Arc::new(Origin { name: name.into(), ..Origin::default() })))
    }
}

/// An output that takes at most `limit` bytes.
pub struct Sink {
    stream: &'static str,
    limit: usize,
    written: usize,
    /// Whether the writer may hold something back.
    unflushed: bool,
    to: SinkTo,
    /// Messages for the log, where the output goes elsewhere.
    aside: Option<Box<Lines>>,
}

impl Sink {
    /// An output called `stream` in messages, for at most `limit` bytes.
    pub fn new(stream: &'static str, limit: usize, to: SinkTo) -> Sink {
        Sink { stream, limit, written: 0, unflushed: false, to, aside: None }
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

    /// Logs a message of the guest, which is none of its output, in the name of whose output this is.
    pub fn message(&mut self, level: log::Level, text: &[u8]) {
        self.message_of(level, text, text.len());
    }

    /// The same, of which only the beginning is there: it has `size` bytes in all.
    pub fn message_of(&mut self, level: log::Level, text: &[u8], size: usize) {
        let lines = match &mut self.to {
            SinkTo::Log(lines) => lines,
            #[cfg(feature = "isolation")]
            SinkTo::Elsewhere(outlet) => return outlet.message(level, text),
            _ => self.aside.get_or_insert_with(|| {
                Box::new(Lines::new(&Arc::new(Origin { name: "guest".into(), ..Origin::default() })))
            }),
        };
        lines.message(level, text, size);
    }

    /// Bytes that it takes in one call: a log takes long for each, and nothing interrupts a call.
    pub fn at_once(&self) -> u32 {
        let is_log = match &self.to {
            SinkTo::Log(_) => true,
            // It usually ends in a log.
            #[cfg(feature = "isolation")]
            SinkTo::Elsewhere(_) => true,
            SinkTo::Buffer(_) | SinkTo::Writer(_) | SinkTo::Reply(_) => false,
        };
        if is_log { LOG_CALL_BYTES_MAX } else { u32::MAX }
    }

    /// Bytes that it will still take.
    pub fn room(&self) -> usize {
        self.limit - self.written
    }

    /// Bytes that it takes in all.
    pub fn limit(&self) -> usize {
        self.limit
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        match &mut self.to {
            // To go on with an errno, a guest could end well with half of its answer.
            SinkTo::Buffer(buffer) => heap::extend(buffer, bytes).map_err(|_| Fault::NoMemory)?,
            SinkTo::Writer(writer) => {
                let mut writer = lock(writer);
                self.unflushed = true;
                writer.write_all(bytes).map_err(|error| Fault::Errno(errno(&error)))?;
            }
            SinkTo::Reply(reply) => reply.write(bytes)?,
            SinkTo::Log(lines) => lines.write(bytes),
            #[cfg(feature = "isolation")]
            SinkTo::Elsewhere(outlet) => outlet.write(bytes),
        }
        Ok(())
    }

    /// Has a writer give what it has buffered; what it says then, it says again at the next write. Costs
    /// nothing if nothing was written.
    pub fn let_through(&mut self) {
        if std::mem::take(&mut self.unflushed)
            && let SinkTo::Writer(writer) = &self.to
        {
            let _ = lock(writer).flush();
        }
    }

    /// Gives what is held back: the rest of a line, or what the writer has buffered.
    pub fn flush(&mut self) {
        if let Some(aside) = &mut self.aside {
            aside.finish();
        }
        match &mut self.to {
            SinkTo::Buffer(_) | SinkTo::Reply(_) => {}
            SinkTo::Writer(writer) => {
                let mut writer = lock(writer);
                // A reader that went away has been reported to the guest by the write itself.
                let _ = writer.flush();
            }
            SinkTo::Log(lines) => lines.finish(),
            #[cfg(feature = "isolation")]
            SinkTo::Elsewhere(outlet) => outlet.flush(),
        }
    }

    fn reply(&mut self) -> Option<&mut Reply> {
        match &mut self.to {
            SinkTo::Reply(reply) => Some(reply),
            _ => None,
        }
    }

    /// The head of a response is there: what follows may be passed on.
    pub fn begin_reply(&mut self) {
        if let Some(reply) = self.reply() {
            reply.begin();
        }
    }

    /// Whether bytes of a response are to be passed on now.
    pub fn is_due(&mut self, at: Moment) -> bool {
        self.reply().is_some_and(|reply| reply.is_due(at))
    }

    /// Passes on what is there of a response, until `until` at the latest.
    ///
    /// # Errors
    /// The guest is to be stopped.
    pub fn pass_on(&mut self, until: Option<Instant>) -> Result<Taken, Stop> {
        self.reply().map_or(Ok(Taken::All), |reply| reply.pass_on(until))
    }

    /// Has the trailers of a response taken; nobody else wants them.
    pub fn trailers(&mut self, trailers: Trailers) {
        if let Some(reply) = self.reply() {
            reply.trailers(trailers);
        }
    }

    /// The bytes of a `Buffer`; of a `Reply` those that were not passed on.
    pub fn into_bytes(self) -> Vec<u8> {
        match self.to {
            SinkTo::Buffer(bytes) => bytes,
            SinkTo::Reply(reply) => reply.into_rest(),
            _ => Vec::new(),
        }
    }
}
