//! What became of the jobs that a node took.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters of jobs.
#[derive(Debug, Default)]
pub struct Counts {
    /// Deliveries that came.
    pub taken: AtomicU64,
    /// Jobs whose results are stored.
    pub done: AtomicU64,
    /// Those of them whose results had been stored before.
    pub again: AtomicU64,
    /// Deliveries that were given back.
    pub retried: AtomicU64,
    /// Dead letters.
    pub dead: AtomicU64,
    /// Acknowledgements that the server did not confirm.
    pub unconfirmed: AtomicU64,
}

impl Counts {
    /// One more.
    pub fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }

    /// Their names and values.
    pub fn all(&self) -> [(&'static str, u64); 6] {
        let Counts { taken, done, again, retried, dead, unconfirmed } = self;
        [
            ("taken", taken),
            ("done", done),
            ("again", again),
            ("retried", retried),
            ("dead", dead),
            ("unconfirmed", unconfirmed),
        ]
        .map(|(name, counter)| (name, counter.load(Relaxed)))
    }
}
