//! What the gateway counts of itself, and which plug-in's counts a request adds to.
//!
//! A request counts under a plug-in only if one of that name is loaded, so no client can make anything grow.

use super::conditions::Made;
use super::execute::plugin_of;
use crate::gateway::http::problem;
use crate::gateway::http::problem::Kind;
use crate::plugins::registry::Plugin;
use crate::plugins::stats::{Counts, OUTCOMES_MAX};
use crate::runner::Runner;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::SystemTime;

const _: () = assert!(problem::ALL.len() < OUTCOMES_MAX, "each problem needs a place, and `ok` another");

/// The counts of a gateway.
#[derive(Debug)]
pub struct Tally {
    /// Whose plug-ins are served; none if a handler of its own answers.
    pub runner: Option<Arc<Runner>>,
    /// When it began.
    pub started: SystemTime,
    /// The list of plug-ins.
    pub listing: Made,
    /// The description of the routes.
    pub openapi: Made,
    /// Lines that the log has dropped, if they are counted.
    pub log_dropped: Option<&'static AtomicU64>,
    /// Requests that are no plug-in's.
    outcomes: [AtomicU64; OUTCOMES_MAX],
    /// Connections that were taken.
    pub accepted: AtomicU64,
    /// Connections that were closed so that others have room.
    pub evicted_for_room: AtomicU64,
    /// Connections that were closed for another one of a client that has as many as it may.
    pub evicted_for_share: AtomicU64,
    /// Connections that were closed at once, as none could make room for them.
    pub refused: AtomicU64,
    /// Connections that were closed because the budget for bodies and answers was used up.
    pub evicted_for_budget: AtomicU64,
}

/// How requests ended: the name of each way and how many, those left out that never happened.
pub type Outcomes = Vec<(&'static str, u64)>;

impl Tally {
    /// Nothing yet.
    pub fn new(runner: Option<Arc<Runner>>) -> Tally {
        Tally {
            runner,
            started: SystemTime::now(),
            listing: Made::default(),
            openapi: Made::default(),
            log_dropped: None,
            outcomes: Default::default(),
            accepted: AtomicU64::new(0),
            evicted_for_room: AtomicU64::new(0),
            evicted_for_share: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            evicted_for_budget: AtomicU64::new(0),
        }
    }

    /// The plug-in that a request for `target` is about, if one of that name is loaded.
    pub fn plugin_of(&self, target: &str) -> Option<Arc<Plugin>> {
        plugin_of(self.runner.as_ref()?, target)
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
