//! Room for connections and bytes: who must go when there is none.

use super::conn::{Conn, Phase};
use super::crew::lock;
use super::door::Door;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How long a connection waits for its client before it may be closed to make room: a request that follows
/// its connection at once is there by then. Whoever comes meanwhile waits in the system's queue, so that
/// longer is worse: in a flood, with room for 38, 30 ms made a p99 of 110 ms and 5 ms one of 30.
pub const EVICT_AFTER_MS: u64 = 5;

/// Unsent responses may take this part of the budget, so that slow readers cannot use up what senders need.
const OUTPUT_SHARE: usize = 2;

impl Door {
    /// Whether there are as many connections as allowed, not counting those that their clients have ended.
    pub(super) fn is_full(&self) -> bool {
        let (conns, most) = (lock(&self.conns), self.limits.connections);
        conns.len() >= most && conns.values().filter(|conn| !conn.is_hung_up()).count() >= most
    }

    /// The connection, among those that `pick` picks, that has been waiting for its client longest.
    fn longest_waiting(&self, pick: impl Fn(&Conn) -> bool) -> Option<Arc<Conn>> {
        let conns = lock(&self.conns);
        let waiting = conns.values().filter(|conn| pick(conn));
        let waiting = waiting.filter_map(|conn| Some((conn.waiting_since()?, conn)));
        waiting.min_by_key(|(since, conn)| (*since, conn.token)).map(|(_, conn)| Arc::clone(conn))
    }

    /// The connection that may be closed to make room, if there is one. That of a deployment is not: strangers could
    /// keep an operator out by coming in numbers.
    fn to_evict(&self) -> Option<Arc<Conn>> {
        // One that has just been answered may have its next request on the way.
        let settled = self.now_ms().saturating_sub(EVICT_AFTER_MS);
        self.longest_waiting(|conn| {
            !conn.deploys() && conn.waiting_since().is_some_and(|since| since <= settled)
        })
    }

    /// Whether one could be closed to make room.
    pub(super) fn can_evict(&self) -> bool {
        self.to_evict().is_some()
    }

    /// Closes the connection that has been waiting for its client longest. False if none waits.
    pub(super) fn evict(&self) -> bool {
        match self.to_evict() {
            Some(conn) if conn.claim() => {
                log::debug!("closing {} to make room", conn.client);
                self.tally.evicted_for_room.fetch_add(1, Ordering::Relaxed);
                self.close(&conn);
                true
            }
            _ => false,
        }
    }

    /// Counts what a connection holds, in bytes, against the budget; `budgeted` is what it was counted
    /// with so far. When the budget is used up, the connections that have been stuck longest with a body
    /// or a response are closed, those of deployments only for another one; false if none was left, and this one
    /// must go.
    pub fn budget(&self, conn: &Conn, budgeted: &mut usize, held: usize, phase: Phase) -> bool {
        let share = if phase == Phase::Write { OUTPUT_SHARE } else { 1 };
        let most = self.limits.budget_bytes / share;
        let before = std::mem::replace(budgeted, held);
        if held <= before {
            self.held_bytes.fetch_sub(before - held, Ordering::Relaxed);
            return true;
        }
        self.held_bytes.fetch_add(held - before, Ordering::Relaxed);
        while self.held_bytes.load(Ordering::Relaxed) > most {
            let stuck = |other: &Conn| {
                other.token != conn.token && matches!(other.phase(), Phase::Body | Phase::Write)
            };
            let stranger = self.longest_waiting(|other| stuck(other) && !other.deploys());
            let or_any = || self.longest_waiting(|other| stuck(other) && conn.deploys());
            match stranger.or_else(or_any) {
                Some(other) if other.claim() => {
                    self.tally.evicted_for_budget.fetch_add(1, Ordering::Relaxed);
                    self.close(&other);
                }
                Some(_) => {}
                None => return false,
            }
        }
        true
    }
}
