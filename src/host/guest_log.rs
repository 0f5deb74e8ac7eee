//! Lines of guests in the log: whose they are, how long, and how many.
//!
//! A guest must neither drive the terminal that shows the log, nor forge a line or a field, nor fill the disk, be it
//! in one run or in many.

use crate::base::escape::printable_within;
use crate::base::limits::{
    LOG_BURST_BYTES, LOG_BURST_LINES, LOG_BYTES_PER_S, LOG_DROPS_SAID_EVERY, LOG_LINE_BYTES_MAX,
    LOG_LINES_MAX, LOG_LINES_PER_S, LOG_MESSAGE_LINES_MAX, LOG_SHARES,
};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// What the log calls all lines of guests.
pub const TARGET: &str = "fuelbox::guest";

/// How much a plug-in may still log, whatever it says it by: its streams, messages, or what fuelbox says of its answers.
///
/// `LOG_BURST_LINES` with `LOG_BURST_BYTES`, and `LOG_LINES_PER_S` with `LOG_BYTES_PER_S` more each second; all plug-ins
/// together `LOG_SHARES` times as much.
#[derive(Debug)]
pub struct Bucket {
    level: Mutex<Option<Level>>,
    dropped: AtomicU64,
    /// How many plug-ins' worth it holds.
    shares: u64,
    /// What is taken from this is taken from that one too.
    all: Option<Arc<Bucket>>,
}

impl Default for Bucket {
    /// That of a plug-in, which is alone.
    fn default() -> Bucket {
        Bucket { level: Mutex::default(), dropped: AtomicU64::new(0), shares: 1, all: None }
    }
}

#[derive(Debug)]
struct Level {
    lines: u64,
    bytes: u64,
    /// Until when what has come in is counted.
    filled: Instant,
    /// Lines dropped that nothing has been said of, and when something was.
    unsaid: u64,
    said: Option<Instant>,
}

impl Bucket {
    /// That of all plug-ins.
    pub fn of_all() -> Bucket {
        Bucket { shares: LOG_SHARES, ..Bucket::default() }
    }

    /// That of one of the plug-ins that share `all`.
    pub fn under(all: &Arc<Bucket>) -> Bucket {
        Bucket { all: Some(Arc::clone(all)), ..Bucket::default() }
    }

    /// Takes a line of so many bytes at `now`; false if there is no room for it.
    pub fn take(&self, bytes: usize, now: Instant) -> bool {
        let (shares, bytes) = (self.shares, bytes as u64);
        let has = self.with(now, |level| {
            let waited = now.saturating_duration_since(level.filled).as_secs_f64();
            let gained = |rate: u64| (waited * (rate * shares) as f64) as u64;
            if gained(LOG_LINES_PER_S) > 0 {
                let fill = |had: u64, rate, burst: u64| had.saturating_add(gained(rate)).min(burst * shares);
                level.lines = fill(level.lines, LOG_LINES_PER_S, LOG_BURST_LINES);
                level.bytes = fill(level.bytes, LOG_BYTES_PER_S, LOG_BURST_BYTES);
                level.filled = now;
            }
            let has = level.lines > 0 && level.bytes >= bytes;
            if has {
                (level.lines, level.bytes) = (level.lines - 1, level.bytes - bytes);
            }
            has
        });
        has && self.all.as_ref().is_none_or(|all| all.take(bytes as usize, now))
    }

    /// Takes more bytes for a line that was taken, as escapes made it longer; as many as there are.
    fn charge(&self, bytes: usize, now: Instant) {
        self.with(now, |level| level.bytes = level.bytes.saturating_sub(bytes as u64));
        if let Some(all) = &self.all {
            all.charge(bytes, now);
        }
    }

    /// Counts lines that were dropped.
    pub fn drop_lines(&self, lines: u64, now: Instant) {
        self.dropped.fetch_add(lines, Relaxed);
        self.with(now, |level| level.unsaid += lines);
    }

    /// Lines that were dropped since this was said last; none if none were, or it was said a moment ago.
    pub fn to_say(&self, now: Instant) -> Option<u64> {
        self.with(now, |level| {
            let is_quiet =
                level.said.is_none_or(|said| now.saturating_duration_since(said) >= LOG_DROPS_SAID_EVERY);
            if level.unsaid == 0 || !is_quiet {
                return None;
            }
            level.said = Some(now);
            Some(std::mem::take(&mut level.unsaid))
        })
    }

    /// All lines that were dropped.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// Logs a line that `name` is the cause of, as one of its own: if it may still log any.
    pub fn tell(&self, level: log::Level, name: &str, line: &str) {
        let now = Instant::now();
        if self.take(line.len(), now) {
            log::log!(level, plugin = name; "{line}");
        } else {
            self.drop_lines(1, now);
        }
        self.say(name, now);
    }

    /// Says how many lines of `name` were dropped, if it is time to.
    pub fn say(&self, name: &str, now: Instant) {
        // Most plug-ins never have one dropped.
        if self.dropped() == 0 {
            return;
        }
        if let Some(lines) = self.to_say(now) {
            log::warn!(plugin = name; "plug-in {name}: {lines} lines of its output dropped, it logs too much");
        }
    }

    fn with<T>(&self, now: Instant, act: impl FnOnce(&mut Level) -> T) -> T {
        let mut level = self.level.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let (lines, bytes) = (LOG_BURST_LINES * self.shares, LOG_BURST_BYTES * self.shares);
        let full = || Level { lines, bytes, filled: now, unsaid: 0, said: None };
        act(level.get_or_insert_with(full))
    }
}

/// Whose lines they are.
#[derive(Debug, Default)]
pub struct Origin {
    /// The plug-in's or file's name.
    pub name: Arc<str>,
    /// The request that the run serves, if any.
    pub request_id: Option<Arc<str>>,
    /// What its plug-in may log in all runs together; without, each run has `LOG_LINES_MAX`.
    pub bucket: Option<Arc<Bucket>>,
}

/// One output of one run, on its way to the log.
pub struct Lines {
    origin: Arc<Origin>,
    line: Vec<u8>,
    lines: u32,
}

impl Lines {
    /// No lines yet.
    pub fn new(origin: &Arc<Origin>) -> Lines {
        Lines { origin: Arc::clone(origin), line: Vec::new(), lines: 0 }
    }

    /// Takes output; whole lines of it are logged.
    pub fn write(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            for part in piece.chunks(LOG_LINE_BYTES_MAX) {
                if self.line.len() + part.len() > LOG_LINE_BYTES_MAX {
                    self.end_line();
                }
                self.line.extend_from_slice(part);
            }
            if piece.ends_with(b"\n") {
                self.line.pop();
                self.end_line();
            }
        }
    }

    /// Logs a message, in pieces if it is long, and the beginning of one that is too long.
    pub fn message(&mut self, level: log::Level, text: &[u8]) {
        let pieces = text.len().div_ceil(LOG_LINE_BYTES_MAX).max(1);
        let room = LOG_LINES_MAX.saturating_sub(self.lines).min(LOG_MESSAGE_LINES_MAX) as usize;
        self.lines = self.lines.saturating_add(u32::try_from(pieces).unwrap_or(u32::MAX));
        for at in 0..pieces.min(room) {
            let rest = &text[at * LOG_LINE_BYTES_MAX..];
            self.log(level, &String::from_utf8_lossy(&rest[..rest.len().min(LOG_LINE_BYTES_MAX)]));
        }
        if pieces > room && room > 0 {
            self.log(level, &format!("(a message of {} bytes)", text.len()));
        }
    }

    /// Logs what there is of a line, and how many lines were too many.
    pub fn finish(&mut self) {
        self.end_line();
        if self.lines > LOG_LINES_MAX {
            let more = self.lines - LOG_LINES_MAX;
            self.lines = 0;
            if let Some(bucket) = &self.origin.bucket {
                bucket.drop_lines(u64::from(more), Instant::now());
            }
            self.log(log::Level::Info, &format!("{more} more lines"));
        }
    }

    fn end_line(&mut self) {
        if self.line.is_empty() {
            return;
        }
        self.lines = self.lines.saturating_add(1);
        if self.lines <= LOG_LINES_MAX {
            self.log(log::Level::Info, &String::from_utf8_lossy(&self.line));
        }
        self.line.clear();
    }

    fn log(&self, level: log::Level, line: &str) {
        if !log::log_enabled!(target: TARGET, level) {
            return;
        }
        let Origin { name, request_id, bucket } = &*self.origin;
        if let Some(bucket) = bucket {
            let now = Instant::now();
            // Before it is made fit to be shown: what is dropped must cost little.
            let may = bucket.take(line.len(), now);
            if !may {
                bucket.drop_lines(1, now);
            }
            bucket.say(name, now);
            if !may {
                return;
            }
        }
        // The line alone is a field, for a log that is not text.
        let (line, shown) = printable_within(line, LOG_LINE_BYTES_MAX);
        if let Some(bucket) = bucket {
            bucket.charge(shown.len().saturating_sub(line.len()), Instant::now());
        }
        match request_id {
            Some(id) => {
                log::log!(target: TARGET, level, plugin = **name, request_id = **id, message = line; "{name} {id}: {shown}");
            }
            None => log::log!(target: TARGET, level, plugin = **name, message = line; "{name}: {shown}"),
        }
    }
}
