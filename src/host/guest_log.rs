//! Guest output in the log: attribution, length and rate.
//!
//! A guest must not control the terminal that shows the log, forge a line or a field, or fill the disk, in one
//! run or in many.

use crate::base::escape::printable_within;
use crate::base::limits::{
    LOG_BURST_BYTES, LOG_BURST_LINES, LOG_BYTES_PER_S, LOG_DROPS_SAID_EVERY, LOG_LINE_BYTES_MAX,
    LOG_LINES_MAX, LOG_LINES_PER_S, LOG_MESSAGE_LINES_MAX, LOG_SHARES, TAIL_LINE_BYTES_MAX, TAIL_LINES_MAX,
};
use crate::base::lock::lock;
use log::Record;
use log::kv::Value;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// The log target of all guest lines.
pub const TARGET: &str = "fuelbox::guest";

/// The log budget of a plug-in, for all its sources: its streams, its messages, and reports about its
/// responses.
///
/// `LOG_BURST_LINES` with `LOG_BURST_BYTES`, and each second `LOG_LINES_PER_S` with `LOG_BYTES_PER_S` more. All
/// plug-ins together have `LOG_SHARES` times as much.
#[derive(Debug)]
pub struct Bucket {
    level: Mutex<Option<Level>>,
    dropped: AtomicU64,
    /// The number of shares that it holds.
    shares: u64,
    /// A line taken from this budget is taken from that one too.
    all: Option<Arc<Bucket>>,
}

impl Default for Bucket {
    /// The budget of a single plug-in.
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
    /// Dropped lines not reported yet, and the time of the last report.
    unsaid: u64,
    said: Option<Instant>,
}

impl Bucket {
    /// The budget of all plug-ins.
    pub fn of_all() -> Bucket {
        Bucket { shares: LOG_SHARES, ..Bucket::default() }
    }

    /// The budget of one of the plug-ins that share `all`.
    pub fn under(all: &Arc<Bucket>) -> Bucket {
        Bucket { all: Some(Arc::clone(all)), ..Bucket::default() }
    }

    /// Takes a line of this many bytes at `now`; false if it exceeds the budget.
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

    /// Takes more bytes for a line that was taken, because escapes made it longer; as many as are left.
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

    /// Lines dropped since the last report; none if there are none, or the report was a moment ago.
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

    /// The number of all dropped lines.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// Logs a line that `name` caused, if the budget allows it.
    pub fn tell(&self, level: log::Level, name: &str, line: &str) {
        self.tell_with(level, name, &[], line);
    }

    /// As [`Bucket::tell`], with more fields, for logs that are not text.
    pub fn tell_with(&self, level: log::Level, name: &str, fields: &[(&str, &str)], line: &str) {
        let now = Instant::now();
        if self.take(line.len(), now) {
            let plugin = ("plugin", Value::from(name));
            let fields: Vec<(&str, Value<'_>)> = [plugin]
                .into_iter()
                .chain(fields.iter().map(|(key, text)| (*key, Value::from(*text))))
                .collect();
            let args = format_args!("{line}");
            log::logger().log(
                &Record::builder()
                    .level(level)
                    .target(module_path!())
                    .key_values(&&fields[..])
                    .args(args)
                    .build(),
            );
        } else {
            self.drop_lines(1, now);
        }
        self.say(name, now);
    }

    /// Reports the dropped lines of `name`, if it is time.
    pub fn say(&self, name: &str, now: Instant) {
        // Most plug-ins never drop a line.
        if self.dropped() == 0 {
            return;
        }
        if let Some(lines) = self.to_say(now) {
            log::warn!(plugin = name; "plug-in {name}: {lines} lines of its output dropped, it logs too much");
        }
    }

    fn with<T>(&self, now: Instant, act: impl FnOnce(&mut Level) -> T) -> T {
        let mut level = lock(&self.level);
        let (lines, bytes) = (LOG_BURST_LINES * self.shares, LOG_BURST_BYTES * self.shares);
        let full = || Level { lines, bytes, filled: now, unsaid: 0, said: None };
        act(level.get_or_insert_with(full))
    }
}

/// The last lines of a run's output, cut. Bounded.
#[derive(Debug, Default)]
pub struct Tail(Mutex<VecDeque<String>>);

impl Tail {
    /// Keeps a line.
    fn push(&self, line: &[u8]) {
        let line = String::from_utf8_lossy(&line[..line.len().min(TAIL_LINE_BYTES_MAX)]).into_owned();
        let mut lines = lock(&self.0);
        if lines.len() == TAIL_LINES_MAX {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// The lines.
    pub fn lines(&self) -> Vec<String> {
        lock(&self.0).iter().cloned().collect()
    }
}

/// The source of lines.
#[derive(Debug, Default)]
pub struct Origin {
    /// The plug-in's or file's name.
    pub name: Arc<str>,
    /// The request that the run serves, if any.
    pub request_id: Option<Arc<str>>,
    /// The log budget of its plug-in. Without one, each run has `LOG_LINES_MAX`.
    pub bucket: Option<Arc<Bucket>>,
    /// Keeps the last lines, if somebody wants them.
    pub tail: Option<Arc<Tail>>,
}

/// An output stream of a run, on its way to the log.
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

    /// Takes output and logs its complete lines.
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

    /// Logs a message of `size` bytes, in pieces if it is long. Only the beginning of a message that is too long is
    /// logged, and has to be in `text`.
    pub fn message(&mut self, level: log::Level, text: &[u8], size: usize) {
        let pieces = size.div_ceil(LOG_LINE_BYTES_MAX).max(1);
        let room = LOG_LINES_MAX.saturating_sub(self.lines).min(LOG_MESSAGE_LINES_MAX) as usize;
        self.lines = self.lines.saturating_add(u32::try_from(pieces).unwrap_or(u32::MAX));
        for at in 0..pieces.min(room) {
            let rest = text.get(at * LOG_LINE_BYTES_MAX..).unwrap_or_default();
            self.log(level, &String::from_utf8_lossy(&rest[..rest.len().min(LOG_LINE_BYTES_MAX)]));
        }
        if pieces > room && room > 0 {
            self.log(level, &format!("(a message of {size} bytes)"));
        }
    }

    /// Logs the unfinished line, and the number of dropped lines.
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
        if let Some(tail) = &self.origin.tail {
            tail.push(&self.line);
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
        let Origin { name, request_id, bucket, .. } = &*self.origin;
        if let Some(bucket) = bucket {
            let now = Instant::now();
            // Before escaping: dropped lines must be cheap.
            let may = bucket.take(line.len(), now);
            if !may {
                bucket.drop_lines(1, now);
            }
            bucket.say(name, now);
            if !may {
                return;
            }
        }
        // For logs that are not text, the line is a field of its own.
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
