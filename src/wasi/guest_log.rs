//! Lines of guests in the log: whose they are, how long, and how many.
//!
//! A guest must neither drive the terminal that shows the log, nor forge a line or a field, nor fill the disk, be it
//! in one run or in many.

use crate::limits::{
    LOG_BURST_LINES, LOG_DROPS_SAID_EVERY, LOG_LINE_BYTES_MAX, LOG_LINES_MAX, LOG_LINES_PER_S,
    LOG_MESSAGE_LINES_MAX,
};
use crate::text::printable;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// What the log calls all lines of guests.
pub const TARGET: &str = "fuelbox::guest";

/// How many lines a plug-in may still log: `LOG_BURST_LINES`, and `LOG_LINES_PER_S` more each second.
#[derive(Debug, Default)]
pub struct Bucket {
    level: Mutex<Option<Level>>,
    dropped: AtomicU64,
}

#[derive(Debug)]
struct Level {
    lines: u64,
    /// Until when what has come in is counted.
    filled: Instant,
    /// Lines dropped that nothing has been said of, and when something was.
    unsaid: u64,
    said: Option<Instant>,
}

impl Bucket {
    /// Takes a line at `now`; false if there is none.
    pub fn take(&self, now: Instant) -> bool {
        self.with(now, |level| {
            let waited = now.saturating_duration_since(level.filled);
            let gained = (waited.as_secs_f64() * LOG_LINES_PER_S as f64) as u64;
            if gained > 0 {
                level.lines = level.lines.saturating_add(gained).min(LOG_BURST_LINES);
                level.filled = now;
            }
            let left = level.lines.checked_sub(1);
            level.lines = left.unwrap_or(0);
            left.is_some()
        })
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
    pub fn warn(&self, name: &str, line: &str) {
        let now = Instant::now();
        if self.take(now) {
            log::warn!("{line}");
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
        let full = || Level { lines: LOG_BURST_LINES, filled: now, unsaid: 0, said: None };
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
            let may = bucket.take(now);
            if !may {
                bucket.drop_lines(1, now);
            }
            bucket.say(name, now);
            if !may {
                return;
            }
        }
        // The line alone is a field, for a log that is not text.
        let shown = printable(line);
        match request_id {
            Some(id) => {
                log::log!(target: TARGET, level, plugin = **name, request_id = **id, message = line; "{name} {id}: {shown}");
            }
            None => log::log!(target: TARGET, level, plugin = **name, message = line; "{name}: {shown}"),
        }
    }
}
