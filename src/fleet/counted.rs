//! What `/metrics` tells of a fleet.

use super::jobs::counts::Counts;
use super::shared::Stats;
use crate::base::lock::lock;
use crate::gateway::routes::counted::{Counted, Read};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

/// The counters of requests, and those of jobs, if the node takes any.
pub fn counted(stats: &Arc<Mutex<Stats>>, jobs: Option<&Arc<Counts>>) -> Vec<Counted> {
    let of_stats = |get: fn(&Stats) -> u64| -> Read {
        let stats = Arc::clone(stats);
        Box::new(move || get(&lock(&stats)))
    };
    let requests = Counted {
        name: "fuelbox_nats_requests",
        help: "Requests by NATS, answered by this node or by one that it passed them on to",
        label: "outcome",
        samples: vec![
            ("answered", of_stats(|stats| stats.requests)),
            ("passed_on", of_stats(|stats| stats.passed_on)),
        ],
    };
    let of_jobs = |counts: &Arc<Counts>| {
        let of = |get: fn(&Counts) -> &AtomicU64| -> Read {
            let counts = Arc::clone(counts);
            Box::new(move || get(&counts).load(Relaxed))
        };
        Counted {
            name: "fuelbox_jobs",
            help: "Jobs by what came of them: a result, another delivery, or a dead letter",
            label: "outcome",
            samples: vec![
                ("done", of(|counts| &counts.done)),
                ("retried", of(|counts| &counts.retried)),
                ("dead", of(|counts| &counts.dead)),
            ],
        }
    };
    std::iter::once(requests).chain(jobs.map(of_jobs)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_read_when_it_is_asked_for() {
        let (stats, jobs) = (Arc::<Mutex<Stats>>::default(), Arc::<Counts>::default());
        let all = counted(&stats, Some(&jobs));
        lock(&stats).passed_on = 2;
        Counts::count(&jobs.dead);
        let read = |counted: &Counted| -> Vec<(&str, u64)> {
            counted.samples.iter().map(|(outcome, read)| (*outcome, read())).collect()
        };
        assert_eq!(read(&all[0]), [("answered", 0), ("passed_on", 2)]);
        assert_eq!(read(&all[1]), [("done", 0), ("retried", 0), ("dead", 1)]);
        assert_eq!(counted(&stats, None).len(), 1, "a node that takes no jobs counts none");
    }
}
