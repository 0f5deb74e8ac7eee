//! What plug-ins did, counted: atomics that a run adds to without a lock, and whoever shows them reads.
//!
//! A plug-in's counts are made when it first does something, so that a folder of a thousand costs nothing by
//! being there; and they go when the plug-in goes.

use crate::base::outcome::Usage;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Ways in which a request can end, as far as there is room to count them.
pub const OUTCOMES_MAX: usize = 32;

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

/// How often times fell between the bounds.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BOUNDS_NS.len() + 1],
    sum_ns: AtomicU64,
}

impl Histogram {
    /// Counts one.
    pub fn observe(&self, time: Duration) {
        let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let at = BOUNDS_NS.partition_point(|bound| *bound < ns);
        self.buckets[at].fetch_add(1, Relaxed);
        self.sum_ns.fetch_add(ns, Relaxed);
    }

    /// How many lie in each bucket, the last of which has no bound.
    pub fn buckets(&self) -> [u64; BOUNDS_NS.len() + 1] {
        self.buckets.each_ref().map(|bucket| bucket.load(Relaxed))
    }

    /// The sum of all, in seconds.
    pub fn sum_seconds(&self) -> f64 {
        self.sum_ns.load(Relaxed) as f64 / 1e9
    }
}

/// The counts of one plug-in.
#[derive(Debug, Default)]
pub struct Counts {
    /// Requests by how they ended; whoever serves them has the numbers' meaning.
    pub outcomes: [AtomicU64; OUTCOMES_MAX],
    /// Times to make instances. A call that finds a warm one makes none.
    pub instantiate: Histogram,
    /// Times in the called function.
    pub run: Histogram,
    /// Fuel units used.
    pub fuel: AtomicU64,
    /// Growths of memory and tables that were denied.
    pub denied_growths: AtomicU64,
    /// The most pages of 64 KiB that a run's memory had.
    pub peak_pages: AtomicU32,
}

/// The counts of one plug-in, if it has done anything yet.
#[derive(Debug, Default)]
pub struct Stats(OnceLock<Box<Counts>>);

impl Stats {
    /// The counts, to be added to.
    pub fn counts(&self) -> &Counts {
        self.0.get_or_init(Box::default)
    }

    /// The counts, if there are any.
    pub fn seen(&self) -> Option<&Counts> {
        self.0.get().map(|counts| &**counts)
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
        // Mostly a read: it is reached once and then stays.
        if counts.peak_pages.load(Relaxed) < usage.peak_pages {
            counts.peak_pages.fetch_max(usage.peak_pages, Relaxed);
        }
    }
}

/// What came of looking at the plug-in folder.
#[derive(Debug, Default)]
pub struct Loads {
    /// Modules that were loaded, new ones and replacements.
    pub loaded: AtomicU64,
    /// Modules that are gone.
    pub removed: AtomicU64,
    /// Files that did not load, each counted once for each state of it.
    pub failed: AtomicU64,
    /// Looks at a folder that could not be read.
    pub unreadable: AtomicU64,
}
