//! Counters of connections.

use std::sync::atomic::AtomicU64;

/// Counters of connections.
#[derive(Debug, Default)]
pub struct ConnectionCounters {
    /// Taken.
    pub accepted: AtomicU64,
    /// Closed at once, as none could make room for them.
    pub refused: AtomicU64,
    /// Closed so that another has room.
    pub evicted_for_room: AtomicU64,
    /// Closed for another one of a client that has as many as it may.
    pub evicted_for_share: AtomicU64,
    /// Closed because the budget for bytes was used up.
    pub evicted_for_budget: AtomicU64,
}
