//! What a node has taken and not answered yet, and what came of the rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Bytes of bodies that are held at a time. What the gateway has read counts to `--body-budget`, too.
pub const HELD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Requests that a node passes on at a time. The response to each has at most what the server takes in one message.
pub const PASSING_MAX: usize = 64;

/// Counts of a kind of work.
#[derive(Debug, Default)]
pub struct Work {
    taken: AtomicUsize,
    bytes: AtomicUsize,
}

/// One piece of work; it is over when this is dropped.
#[derive(Debug)]
pub struct Piece {
    work: Arc<Work>,
    bytes: usize,
}

impl Work {
    /// How many there are.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// One more, of so many bytes; none if there are `most` already, or too many bytes.
    pub fn take(self: &Arc<Work>, most: usize, bytes: usize) -> Option<Piece> {
        // Of threads that take at the same time each may be one too many.
        let held = self.bytes.load(Ordering::Relaxed);
        // A large one is taken alone, however large.
        if self.taken() >= most || (held > 0 && held.saturating_add(bytes) > HELD_BYTES_MAX) {
            return None;
        }
        self.taken.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Some(Piece { work: Arc::clone(self), bytes })
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.work.taken.fetch_sub(1, Ordering::Relaxed);
        self.work.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// What came of requests.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// Requests that were answered.
    pub requests: u64,
    /// Of these, with a status of 500 or more.
    pub errors: u64,
    /// The last of these: its status and problem.
    pub last_error: String,
    /// The time that all took.
    pub time: Duration,
    /// Requests that were passed on to other nodes.
    pub passed_on: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_only_so_many_and_only_so_many_bytes() {
        let work = Arc::new(Work::default());
        let one = work.take(2, HELD_BYTES_MAX - 1).unwrap();
        assert!(work.take(2, 2).is_none());
        let two = work.take(2, 1).unwrap();
        assert!(work.take(2, 0).is_none());
        drop(two);
        assert!(work.take(2, 0).is_some());
        drop(one);
        assert_eq!(work.taken(), 0);
        let large = work.take(2, usize::MAX).unwrap();
        assert!(work.take(2, 1).is_none());
        drop(large);
        assert!(work.take(2, 1).is_some());
    }
}
