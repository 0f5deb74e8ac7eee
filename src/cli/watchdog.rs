//! The last word on a deadline, for a process that is there for one run.
//!
//! A run looks at its deadline between slices of fuel and host calls. What is not interrupted in between, the translation
//! of a function or one call to the file system, may take longer than it should; then the process ends.

use crate::base::limits::Limits;
use crate::base::outcome::Stop;
use crate::cli::args::command::LogFormat;
use crate::cli::exit;
use crate::cli::output::logging;
use crate::sandbox::program::Program;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// How long a run may take to notice its deadline.
const GRACE: Duration = Duration::from_millis(15);

/// Pages of memory that a run may have for each further millisecond: it lets go of them when it has its result.
const PAGES_PER_MS: u64 = 160;

/// How long the last word has to be written.
const LAST_WORD: Duration = Duration::from_millis(3);

/// Neither has the run ended, nor is it late.
const GOING_ON: u8 = 0;
const DONE: u8 = 1;
const LATE: u8 = 2;

/// The thread only waits.
const STACK_BYTES: usize = 64 * 1024;

/// Does `body`, which is a run under `limits`, and ends the process if it passes its deadline by [`GRACE`]. A run that
/// cannot do that goes without, as the thread takes as long as a short run: one without directories, of a program
/// that is translated fast.
pub fn guard<T>(program: &Program, limits: &Limits, has_dirs: bool, body: impl FnOnce() -> T) -> T {
    match limits.deadline {
        Some(limit) if has_dirs || program.is_slow_to_translate() => {
            let grace = GRACE + Duration::from_millis(u64::from(limits.memory_pages) / PAGES_PER_MS);
            watch(limit.saturating_add(grace), move || end(limit), body)
        }
        _ => body(),
    }
}

/// Ends the process as a deadline that has passed does.
fn end(limit: Duration) {
    let stop = Stop::Deadline { limit, why: None };
    logging::say(LogFormat::Text, log::Level::Error, &stop.to_string());
    // Somebody who does not read it holds the end up no longer.
    std::thread::sleep(LAST_WORD);
    std::process::exit(exit::of_stop(&stop).into());
}

/// Does `body`, and `late` in another thread if it takes longer than `most`; then it never returns, as that is to end
/// the process.
fn watch<T>(most: Duration, late: impl FnOnce() + Send + 'static, body: impl FnOnce() -> T) -> T {
    let (done, waiting) = channel::<()>();
    let state = Arc::new(AtomicU8::new(GOING_ON));
    let of_thread = Arc::clone(&state);
    let becomes = |state: &AtomicU8, end| state.compare_exchange(GOING_ON, end, SeqCst, SeqCst).is_ok();
    let thread = std::thread::Builder::new().name("watchdog".into()).stack_size(STACK_BYTES);
    // Without a thread, the run's own looks at the deadline are left.
    let _ = thread.spawn(move || {
        if waiting.recv_timeout(most) == Err(RecvTimeoutError::Timeout) && becomes(&of_thread, LATE) {
            late();
        }
    });
    let result = body();
    drop(done);
    // Only one of the two says what came of the run.
    while !becomes(&state, DONE) {
        std::thread::park();
    }
    result
}

#[cfg(test)]
mod tests {
    use crate::cli::watchdog::*;
    use std::sync::mpsc::sync_channel;

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn what_takes_too_long_is_noticed_while_it_goes_on() {
        let (late, noticed) = sync_channel(1);
        let (ended, end) = sync_channel::<()>(1);
        // It does not come back: the test ends with what the other thread says.
        let gone = std::thread::spawn(move || {
            let late = move || late.send(()).unwrap();
            let _ = watch(Duration::from_millis(10), late, || end.recv_timeout(LONG));
        });
        assert_eq!(noticed.recv_timeout(LONG), Ok(()));
        ended.send(()).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        assert!(!gone.is_finished(), "what is late speaks, too");
    }

    #[test]
    fn what_is_in_time_is_left_alone() {
        let (late, noticed) = sync_channel(1);
        assert_eq!(watch(LONG, move || late.send(()).unwrap(), || 7), 7);
        // The thread is gone, and what it would have done with it.
        assert!(noticed.recv_timeout(LONG).is_err());
    }
}
