//! Counts of calls by what came of them, for metrics.

use super::message::{Answered, Refusal, Why};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// What comes of calls.
pub const OUTCOMES: [&str; 5] = ["ok", "denied", "limit", "timeout", "failed"];

/// The counts of one list, which its copies share. They are no part of what the list says.
#[derive(Debug, Clone, Default)]
pub struct Counts(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    outcomes: [AtomicU64; OUTCOMES.len()],
    lookups: AtomicUsize,
}

impl PartialEq for Counts {
    fn eq(&self, _: &Counts) -> bool {
        true
    }
}

impl Eq for Counts {}

impl Counts {
    /// Counts a call.
    pub fn add(&self, answered: &Result<Answered, Refusal>) {
        let outcome = match answered {
            Ok(_) => "ok",
            Err(refusal) => word(refusal.why),
        };
        if let Some(at) = OUTCOMES.iter().position(|known| *known == outcome) {
            self.0.outcomes[at].fetch_add(1, Relaxed);
        }
    }

    /// Lookups of names that are under way for the list.
    pub fn lookups(&self) -> &AtomicUsize {
        &self.0.lookups
    }

    /// The counts that are not 0, with their outcomes.
    pub fn seen(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts =
            OUTCOMES.iter().zip(&self.0.outcomes).map(|(outcome, count)| (*outcome, count.load(Relaxed)));
        counts.filter(|(_, count)| *count > 0)
    }
}

fn word(why: Why) -> &'static str {
    match why {
        Why::Denied | Why::Address | Why::Url | Why::Method | Why::Header => "denied",
        Why::Calls | Why::RequestSize | Why::HeadSize | Why::ResponseSize | Why::Redirects => "limit",
        Why::Time | Why::ConnectTime => "timeout",
        Why::Name | Why::Connect | Why::Ended | Why::Tls => "failed",
        Why::Certificate | Why::Protocol | Why::Host => "failed",
    }
}
