//! Counters of requests by plug-in and outcome.
//!
//! A request counts under a plug-in only if one of that name is loaded, so no client can make anything grow.

use super::counted::Others;
use crate::gateway::http::problem;
use crate::gateway::http::problem::Kind;
use crate::plugins::registry::Plugin;
use crate::plugins::stats::{Counts, OUTCOMES_MAX};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Instant, SystemTime};

const _: () = assert!(problem::ALL.len() < OUTCOMES_MAX, "each problem needs a place, and `ok` another");

/// Counters of requests.
pub struct Counters {
    /// When counting began.
    pub started: SystemTime,
    /// The same, for what has passed since: a small machine may set its clock when it has found the network.
    pub began: Instant,
    /// Lines that the log has dropped, if they are counted.
    pub log_dropped: Option<&'static AtomicU64>,
    /// What others in this process count.
    pub others: Others,
    /// Requests that are no plug-in's.
    outcomes: [AtomicU64; OUTCOMES_MAX],
}

/// How requests ended: the name of each way and how many, those left out that never happened.
pub type Outcomes = Vec<(&'static str, u64)>;

impl Counters {
    /// Nothing yet.
    pub fn new(log_dropped: Option<&'static AtomicU64>) -> Counters {
        Counters {
            started: SystemTime::now(),
            began: Instant::now(),
            log_dropped,
            others: Others::default(),
            outcomes: [const { AtomicU64::new(0) }; OUTCOMES_MAX],
        }
    }

    /// Counts a request that has been answered.
    pub fn count(&self, plugin: Option<&Plugin>, kind: Option<Kind>) {
        let outcomes = plugin.map_or(&self.outcomes, |plugin| &plugin.stats.counts().outcomes);
        outcomes[number(kind)].fetch_add(1, Relaxed);
    }

    /// How the requests ended that were no plug-in's.
    pub fn of_others(&self) -> Outcomes {
        named(&self.outcomes)
    }

    /// How a plug-in's ended.
    pub fn of_plugin(counts: &Counts) -> Outcomes {
        named(&counts.outcomes)
    }
}

/// The name of what came of a request.
pub fn outcome(kind: Option<Kind>) -> &'static str {
    kind.map_or("ok", |kind| kind.slug)
}

/// The place of `ok` is the first; each problem has the one after its own in the list of all.
fn number(kind: Option<Kind>) -> usize {
    let Some(kind) = kind else { return 0 };
    problem::ALL.iter().position(|known| *known == kind).map_or(OUTCOMES_MAX - 1, |at| at + 1)
}

fn named(outcomes: &[AtomicU64; OUTCOMES_MAX]) -> Outcomes {
    let names = std::iter::once("ok").chain(problem::ALL.iter().map(|kind| kind.slug));
    let all = names.zip(outcomes).map(|(name, count)| (name, count.load(Relaxed)));
    all.filter(|(_, count)| *count > 0).collect()
}
