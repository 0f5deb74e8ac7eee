//! stderr for the log and messages: a bounded buffer, and one thread that writes.
//!
//! Logging never waits. Otherwise, a reader that stops reading would block every thread that logs, and with
//! them deadlines, requests and the end of the process. Lines that do not fit are counted, and the count is
//! reported when the reader reads again.

use crate::base::limits::{LOG_BUFFER_BYTES, LOG_END_WAIT, LOG_STALL};
use crate::base::lock::lock;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// A ready pipe takes this many bytes without blocking (POSIX, PIPE_BUF on Linux).
const PIECE_BYTES: usize = 4096;

/// Capacity that an empty buffer keeps.
const KEPT_BYTES: usize = 16 * 1024;

/// The writer only moves bytes.
const STACK_BYTES: usize = 64 * 1024;

/// The stderr of this process.
pub static STDERR: Stderr = Stderr {
    state: Mutex::new(State {
        waiting: Vec::new(),
        in_hand: 0,
        is_writing: false,
        unsaid: 0,
        pieces: 0,
        has_writer: false,
        of_dropped: |lines| format!("fuelbox: {lines} lines of the log were dropped\n").into_bytes(),
    }),
    changed: Condvar::new(),
    dropped: AtomicU64::new(0),
};

/// stderr with a buffer.
#[derive(Debug)]
pub struct Stderr {
    state: Mutex<State>,
    /// Signalled when there is something to write, and when something has been written.
    changed: Condvar,
    dropped: AtomicU64,
}

#[derive(Debug)]
struct State {
    /// Lines not yet taken by the writer.
    waiting: Vec<u8>,
    /// Bytes taken but not yet written.
    in_hand: usize,
    /// Whether the writer is running.
    is_writing: bool,
    /// Dropped lines not yet reported.
    unsaid: u64,
    /// Pieces written so far, which show whether somebody reads.
    pieces: u64,
    has_writer: bool,
    /// Makes the line that reports dropped lines.
    of_dropped: fn(u64) -> Vec<u8>,
}

impl State {
    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && !self.is_writing && self.unsaid == 0
    }

    /// Takes a line; false if it does not fit.
    fn take(&mut self, line: &[u8]) -> bool {
        let held = self.in_hand + self.waiting.len();
        let has_room = held + line.len() <= LOG_BUFFER_BYTES && self.waiting.try_reserve(line.len()).is_ok();
        if has_room {
            self.waiting.extend_from_slice(line);
        }
        has_room
    }
}

impl Stderr {
    /// Sets how dropped lines are reported.
    pub fn set_format(&self, of_dropped: fn(u64) -> Vec<u8>) {
        self.lock().of_dropped = of_dropped;
    }

    /// The number of dropped lines.
    pub fn dropped(&'static self) -> &'static AtomicU64 {
        &self.dropped
    }

    /// Logs one or several lines without waiting.
    pub fn say(&'static self, line: &[u8]) {
        self.put(&mut self.lock(), line);
    }

    /// As `say`, but waits for room while somebody reads. For a command's own messages, on which no deadline
    /// depends.
    pub fn say_all(&'static self, line: &[u8]) {
        let has_room = |state: &State| state.in_hand + state.waiting.len() + line.len() <= LOG_BUFFER_BYTES;
        self.put(&mut self.wait_until(has_room), line);
    }

    /// Waits until everything is written, as long as somebody reads, and at most `LOG_END_WAIT`.
    pub fn settle(&'static self) {
        let mut state = self.wait_until(State::is_idle);
        if state.has_writer || state.waiting.is_empty() {
            return;
        }
        // The system gave no thread.
        let bytes = std::mem::take(&mut state.waiting);
        drop(state);
        let until = Instant::now() + LOG_STALL;
        let _ = pieces(&bytes).try_for_each(|piece| write(piece, Some(until), &mut 0));
    }

    fn put(&'static self, state: &mut MutexGuard<'_, State>, line: &[u8]) {
        if !state.take(line) {
            self.dropped.fetch_add(1, Relaxed);
            state.unsaid += 1;
        }
        if !state.has_writer {
            let thread = std::thread::Builder::new().name("stderr".into()).stack_size(STACK_BYTES);
            // Without a thread, the next line tries again, and the end writes the rest.
            state.has_writer = thread.spawn(|| self.write_all()).is_ok();
        }
        self.changed.notify_all();
    }

    /// Waits for `is_so`, while pieces are written.
    fn wait_until(&self, is_so: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        let end = Instant::now() + LOG_END_WAIT;
        let mut seen = (state.pieces, Instant::now());
        while !is_so(&state) && state.has_writer {
            let now = Instant::now();
            if state.pieces != seen.0 {
                seen = (state.pieces, now);
            }
            let patience = end.min(seen.1 + LOG_STALL).saturating_duration_since(now);
            if patience.is_zero() {
                break;
            }
            let waited = self.changed.wait_timeout(state, patience);
            state = waited.unwrap_or_else(|poisoned| poisoned.into_inner()).0;
        }
        state
    }

    /// The writer thread's loop.
    fn write_all(&self) {
        let mut batch = Vec::new();
        // Lines that could not be written, for example because a file is full; reported when writing works
        // again.
        let mut owed = 0;
        // Whether the last line was written in part.
        let mut is_torn = false;
        loop {
            let unsaid = self.next(&mut batch) + owed;
            let mut written = 0;
            if is_torn {
                // The next output starts a new line.
                is_torn = write(b"\n", None, &mut 0).is_err();
            }
            let result = pieces(&batch).try_for_each(|piece| {
                write(piece, None, &mut written)?;
                self.wrote(piece.len());
                Ok::<_, io::Error>(())
            });
            match result {
                Ok(()) if unsaid == 0 => {}
                Ok(()) => {
                    let line = (self.lock().of_dropped)(unsaid);
                    let said = pieces(&line).try_for_each(|piece| write(piece, None, &mut 0));
                    owed = if said.is_ok() { 0 } else { unsaid };
                }
                Err(_) => {
                    let lost = lines(&batch[written..]);
                    self.dropped.fetch_add(lost, Relaxed);
                    owed = unsaid + lost;
                    is_torn |= batch[..written].last().is_some_and(|byte| *byte != b'\n');
                }
            }
            batch.clear();
            batch.shrink_to(KEPT_BYTES);
            let mut state = self.lock();
            (state.in_hand, state.is_writing) = (0, false);
            state.pieces += 1;
            self.changed.notify_all();
        }
    }

    /// Waits for lines and puts them into `batch`. Returns the number of lines dropped after it.
    fn next(&self, batch: &mut Vec<u8>) -> u64 {
        let mut state = self.lock();
        // What was said last is written only now, also for whoever waits for the end.
        while state.waiting.is_empty() && state.unsaid == 0 {
            state = self.changed.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
        std::mem::swap(&mut state.waiting, batch);
        (state.in_hand, state.is_writing) = (batch.len(), true);
        std::mem::take(&mut state.unsaid)
    }

    fn wrote(&self, bytes: usize) {
        let mut state = self.lock();
        state.in_hand = state.in_hand.saturating_sub(bytes);
        state.pieces += 1;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// A writer of whole lines, for a logger.
pub struct Line;

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        STDERR.say(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Splits into pieces of whole lines; a longer line is split.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let most = &rest[..rest.len().min(PIECE_BYTES)];
        let whole = most.iter().rposition(|byte| *byte == b'\n').map_or(most.len(), |end| end + 1);
        let (piece, behind) = rest.split_at(whole);
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Writes a piece, and waits for room without limit, or until then. Adds the written bytes to `total`.
fn write(piece: &[u8], until: Option<Instant>, total: &mut usize) -> io::Result<()> {
    // Without its lock, which a panicking thread would wait for.
    let stderr = io::stderr();
    let fd = stderr.as_fd();
    let mut written = 0;
    while written < piece.len() {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        match wait_for_room(fd, left).and_then(|()| Ok(rustix::io::write(fd, &piece[written..])?)) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(n) => (written, *total) = (written + n, *total + n),
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn wait_for_room(fd: impl AsFd, left: Option<Duration>) -> io::Result<()> {
    let left = left.map(|left| Timespec { tv_sec: left.as_secs() as _, tv_nsec: left.subsec_nanos() as _ });
    match poll(&mut [PollFd::new(&fd, PollFlags::OUT)], left.as_ref())? {
        0 => Err(ErrorKind::TimedOut.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::output::stderr::*;

    fn empty() -> State {
        State {
            waiting: Vec::new(),
            in_hand: 0,
            is_writing: false,
            unsaid: 0,
            pieces: 0,
            has_writer: false,
            of_dropped: |_| vec![],
        }
    }

    #[test]
    fn what_is_in_hand_counts_as_much_as_what_waits() {
        for in_hand in [0, 1000] {
            let room = LOG_BUFFER_BYTES - in_hand;
            for (bytes, fits) in [(room - 1, true), (room, true), (room + 1, false)] {
                let mut state = State { in_hand, ..empty() };
                assert_eq!(
                    (state.take(&vec![b'a'; bytes]), state.waiting.len()),
                    (fits, if fits { bytes } else { 0 })
                );
            }
        }
    }

    #[test]
    fn pieces_end_with_lines_where_they_can() {
        let line = |n: usize| [vec![b'a'; n - 1], vec![b'\n']].concat();
        let lengths = |bytes: &[u8]| pieces(bytes).map(<[u8]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(b""), [0; 0]);
        assert_eq!(lengths(&line(10).repeat(3)), [30]);
        assert_eq!(lengths(&line(3000).repeat(3)), [3000; 3]);
        assert_eq!(lengths(&[line(10), line(PIECE_BYTES), line(10)].concat()), [10, PIECE_BYTES, 10]);
        assert_eq!(lengths(&line(PIECE_BYTES + 5)), [PIECE_BYTES, 5]);
        assert_eq!(lengths(&[b'a'; 7]), [7]);
    }
}
