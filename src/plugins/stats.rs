//! Counts for metrics: atomics that runs add to without a lock.
//!
//! A plug-in's counts are created at its first request, so that a folder of a thousand plug-ins costs nothing.
//! They are removed with the plug-in.

use crate::base::outcome::Usage;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The maximum number of outcomes of a request.
pub const OUTCOMES_MAX: usize = 40;

/// The upper bounds of the histograms' buckets, in nanoseconds: 10 µs, where a small guest's call is, to 10 s,
/// past the usual deadline. About three for each power of ten would make a scrape half as long again.
pub const BOUNDS_NS: [u64; 13] = [
    10_000,
    30_000,
    100_000,
    300_000,
    1_000_000,
    3_000_000,
    10_000_000,
    30_000_000,
    100_000_000,
    300_000_000,
    1_000_000_000,
    3_000_000_000,
    10_000_000_000,
];

/// A histogram: the number of values between the bounds.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BOUNDS_NS.len() + 1],
    sum_ns: AtomicU64,
}

impl Histogram {
    /// Adds a value.
    pub fn observe(&self, time: Duration) {
        let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let at = BOUNDS_NS.partition_point(|bound| *bound < ns);
        self.buckets[at].fetch_add(1, Relaxed);
        self.sum_ns.fetch_add(ns, Relaxed);
    }

    /// The number of values in each bucket. The last one has no bound.
    pub fn buckets(&self) -> [u64; BOUNDS_NS.len() + 1] {
        self.buckets.each_ref().map(|bucket| bucket.load(Relaxed))
    }

    /// The sum of all values, in seconds.
    pub fn sum_seconds(&self) -> f64 {
        self.sum_ns.load(Relaxed) as f64 / 1e9
    }
}

/// Kinds of deaths of a process.
pub const DEATHS: [&str; 8] =
    ["abort", "bad system call", "exit", "killed", "loading", "out of memory", "protocol", "signal"];

/// The counts of one plug-in.
#[derive(Debug)]
pub struct Counts {
    /// Requests by outcome. The gateway knows the meaning of the indices.
    pub outcomes: [AtomicU64; OUTCOMES_MAX],
    /// Instantiation times. A call that reuses a warm instance has none.
    pub instantiate: Histogram,
    /// Times in the called function.
    pub run: Histogram,
    /// Fuel units used.
    pub fuel: AtomicU64,
    /// Growths of memory and tables that were denied.
    pub denied_growths: AtomicU64,
    /// Peak of a run's memory, in pages of 64 KiB.
    pub peak_pages: AtomicU32,
    /// Deaths of processes that ran its guests, by [`DEATHS`].
    pub deaths: [AtomicU64; DEATHS.len()],
}

impl Default for Counts {
    fn default() -> Counts {
        Counts {
            outcomes: [const { AtomicU64::new(0) }; OUTCOMES_MAX],
            instantiate: Histogram::default(),
            run: Histogram::default(),
            fuel: AtomicU64::new(0),
            denied_growths: AtomicU64::new(0),
            peak_pages: AtomicU32::new(0),
            deaths: Default::default(),
        }
    }
}

/// The counts of a plug-in, created when needed.
#[derive(Debug, Default)]
pub struct Stats(OnceLock<Box<Counts>>);

impl Stats {
    /// The counts, for adding.
    pub fn counts(&self) -> &Counts {
        self.0.get_or_init(Box::default)
    }

    /// The counts, if they exist.
    pub fn seen(&self) -> Option<&Counts> {
        self.0.get().map(|counts| &**counts)
    }

    /// Counts the death of a process.
    pub fn died(&self, how: &str) {
        if let Some(kind) = DEATHS.iter().position(|kind| *kind == how) {
            self.counts().deaths[kind].fetch_add(1, Relaxed);
        }
    }

    /// Counts a run.
    pub fn ran(&self, usage: &Usage) {
        let counts = self.counts();
        if !usage.instantiate.is_zero() {
            counts.instantiate.observe(usage.instantiate);
        }
        counts.run.observe(usage.run);
        counts.fuel.fetch_add(usage.fuel, Relaxed);
        if usage.denied_growths > 0 {
            counts.denied_growths.fetch_add(u64::from(usage.denied_growths), Relaxed);
        }
        // Usually only a read: the peak is reached once and stays.
        if counts.peak_pages.load(Relaxed) < usage.peak_pages {
            counts.peak_pages.fetch_max(usage.peak_pages, Relaxed);
        }
    }
}

/// Results of scanning the plug-in folder.
#[derive(Debug, Default)]
pub struct Loads {
    /// Loaded modules, new ones and replacements.
    pub loaded: AtomicU64,
    /// Removed modules.
    pub removed: AtomicU64,
    /// Files that did not load, once for each state of a file.
    pub failed: AtomicU64,
    /// Failed scans of a folder.
    pub unreadable: AtomicU64,
}
