//! Standard error, as the log and messages go there: a bounded buffer, and one thread that writes.
//!
//! Whoever logs never waits. A reader that stops reading would else hold up every thread that has something to say, and
//! with it deadlines, requests and the end of the process. Lines that find no room are counted, and that is said once
//! the reader reads again.

use crate::base::limits::{LOG_BUFFER_BYTES, LOG_END_WAIT, LOG_STALL};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// A pipe that is ready takes this many without making the writer wait (POSIX, PIPE_BUF on Linux).
const PIECE_BYTES: usize = 4096;

/// What an empty buffer keeps of its room.
const KEPT_BYTES: usize = 16 * 1024;

/// The writer only moves bytes.
const STACK_BYTES: usize = 64 * 1024;

/// The standard error of this process, which has one.
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

/// Standard error behind a buffer.
#[derive(Debug)]
pub struct Stderr {
    state: Mutex<State>,
    /// Signalled when there is something to write, and when something has been written.
    changed: Condvar,
    dropped: AtomicU64,
}

#[derive(Debug)]
struct State {
    /// Lines that the writer has not taken yet.
    waiting: Vec<u8>,
    /// Bytes that it has taken and not written yet.
    in_hand: usize,
    /// Whether it is at work.
    is_writing: bool,
    /// Lines dropped that nothing has been said of.
    unsaid: u64,
    /// Pieces written so far, by which it is seen whether somebody reads.
    pieces: u64,
    has_writer: bool,
    /// The line that says how many were dropped.
    of_dropped: fn(u64) -> Vec<u8>,
}

impl State {
    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && !self.is_writing && self.unsaid == 0
    }

    /// Takes a line; false if there is no room for it.
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
    /// Sets how it is said that lines were dropped.
    pub fn set_format(&self, of_dropped: fn(u64) -> Vec<u8>) {
        self.lock().of_dropped = of_dropped;
    }

    /// Lines that were dropped so far.
    pub fn dropped(&'static self) -> &'static AtomicU64 {
        &self.dropped
    }

    /// Says a line, or several at once, without waiting for anyone.
    pub fn say(&'static self, line: &[u8]) {
        self.put(&mut self.lock(), line);
    }

    /// As `say`, but waits while there is no room and somebody reads. For a command's own words, on which no deadline
    /// depends.
    pub fn say_all(&'static self, line: &[u8]) {
        let has_room = |state: &State| state.in_hand + state.waiting.len() + line.len() <= LOG_BUFFER_BYTES;
        self.put(&mut self.wait_until(has_room), line);
    }

    /// Waits until all that was said is written, for as long as somebody reads and no longer than `LOG_END_WAIT`.
    pub fn settle(&'static self) {
        let mut state = self.wait_until(State::is_idle);
        if state.has_writer || state.waiting.is_empty() {
            return;
        }
        // The system gave no thread to write.
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
            // Without one, the next line tries again, and the end writes what there is.
            state.has_writer = thread.spawn(|| self.write_all()).is_ok();
        }
        self.changed.notify_all();
    }

    /// Waits until `is_so`, while pieces are written.
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

    /// The writer's work, for ever.
    fn write_all(&self) {
        let mut batch = Vec::new();
        // Lines that could not be written, as where a file is full; said when something can be again.
        let mut owed = 0;
        // Whether the last line was written in part.
        let mut is_torn = false;
        loop {
            let unsaid = self.next(&mut batch) + owed;
            let mut written = 0;
            if is_torn {
                // What comes next is a line of its own.
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

    /// Waits for something to write and puts it into `batch`; gives how many lines were dropped behind it.
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
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
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

/// Whole lines together, as many as fit into a piece; a longer line in pieces.
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

/// Writes a piece, and waits for room as long as it takes, or until then; adds to `total` what was written.
fn write(piece: &[u8], until: Option<Instant>, total: &mut usize) -> io::Result<()> {
    // Not by its lock, which whoever panics would wait for.
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
