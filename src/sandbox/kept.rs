//! What is kept for later, for a time and out of a budget.

use crate::base::share::Share;
use std::time::{Duration, Instant};

/// Something that is kept.
pub struct Kept<T> {
    /// What it is.
    pub what: T,
    since: Instant,
    _share: Share,
}

impl<T> Kept<T> {
    /// Keeps `what`, which takes `share`, from `since` on.
    pub fn new(what: T, share: Share, since: Instant) -> Kept<T> {
        Kept { what, since, _share: share }
    }
}

/// Takes out what has been there for `idle` or longer. The longest idle comes first.
pub fn expired<T>(kept: &mut Vec<Kept<T>>, now: Instant, idle: Duration) -> Vec<Kept<T>> {
    let is_old = |kept: &Kept<T>| now.saturating_duration_since(kept.since) >= idle;
    let old = kept.iter().take_while(|kept| is_old(kept)).count();
    kept.drain(..old).collect()
}
