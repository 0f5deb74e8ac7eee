//! Eviction: which connection or request makes room when connections or bytes run out.
//!
//! The client that has most makes room, of connections and of bytes alike: a client loses some to another only while it
//! has more than that one (or as much, to one that has no connection at all). So one client cannot take from those that
//! have less.

use super::conn::Conn;
use super::conns::Conns;
use super::door::Door;
use super::pending::Work;
use super::phase::Phase;
use crate::base::limits::ALWAYS_BYTES;
use crate::base::lock::lock;
use crate::gateway::http::client::{Client, ClientKey};
use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How long a connection must have waited for its client before it may be evicted: a request that follows its connection
/// at once has arrived by then. New connections wait in the system's queue meanwhile, so longer is worse: in a flood with
/// room for 38 connections, 30 ms gave a p99 of 110 ms, and 5 ms one of 30 ms.
pub const EVICT_AFTER_MS: u64 = 5;

/// Unsent responses may take one half of the budget, so that slow readers cannot use up what senders need.
const OUTPUT_SHARE: usize = 2;

/// Connections of a client that are considered for eviction.
const LOOKED_AT: usize = 64;

impl Door {
    /// Whether there is no room for a connection and none can be evicted.
    pub(crate) fn is_stuck(&self) -> bool {
        let conns = lock(&self.conns);
        conns.len() >= self.limits.connections && !conns.iter().any(|conn| self.may_evict(conn))
    }

    /// Whether a connection may be evicted: its client has had time to send a request, and none is being served. Never one
    /// of a deployment: otherwise strangers in numbers could keep an operator out.
    fn may_evict(&self, conn: &Conn) -> bool {
        // After a response, the next request may be on its way.
        let settled = self.now_ms().saturating_sub(EVICT_AFTER_MS);
        let may = !conn.deploys() && !conn.peer.is_inside();
        may && conn.waiting_since().is_some_and(|since| since <= settled)
    }

    /// Makes room for a connection of `newcomer`; false if that one must be closed itself.
    pub(crate) fn make_room(&self, newcomer: Client) -> bool {
        loop {
            let (victim, counter) = {
                let conns = lock(&self.conns);
                let own = conns.count_of(newcomer.key);
                let is_full = conns.len() >= self.limits.connections;
                let counter =
                    if is_full { &self.counters.evicted_for_room } else { &self.counters.evicted_for_share };
                if !newcomer.is_proxy && own >= self.limits.connections_of_one() {
                    (self.oldest_of(&conns, newcomer.key).cloned(), counter)
                } else if is_full {
                    (self.victim(&conns, newcomer, own), counter)
                } else {
                    return true;
                }
            };
            let Some(conn) = victim else {
                log::debug!("no room for one more connection of {}", newcomer.address);
                self.counters.refused.fetch_add(1, Relaxed);
                return false;
            };
            self.evict(&conn, counter);
        }
    }

    /// A connection of the client that has most: more than the newcomer has, which has `own`, or as many if that is none,
    /// as it could never come in otherwise. Its own counts with the one that it wants.
    fn victim(&self, conns: &Conns, newcomer: Client, own: usize) -> Option<Arc<Conn>> {
        let rank = |key, count| count + usize::from(key == newcomer.key);
        let clients = conns.clients().map(|(key, count)| (rank(key, count), key));
        let mut clients: Vec<_> = clients.filter(|(rank, _)| *rank > own).collect();
        clients.sort_unstable_by_key(|(rank, _)| Reverse(*rank));
        let of_each = clients.iter().filter_map(|(rank, key)| Some((*rank, self.oldest_of(conns, *key)?)));
        let mut of_each = of_each.peekable();
        let most = of_each.peek().map(|(rank, _)| *rank)?;
        let of_most = of_each.take_while(|(rank, _)| *rank == most).map(|(_, conn)| conn);
        of_most.min_by_key(|conn| (conn.waiting_since(), conn.token)).cloned()
    }

    /// Of a client's connections that may be closed, the one that has been waiting longest. Only those that came first are
    /// looked at: who comes in numbers must not make it slow to come in.
    fn oldest_of<'a>(&self, conns: &'a Conns, key: ClientKey) -> Option<&'a Arc<Conn>> {
        let can = conns.of(key).filter(|conn| self.may_evict(conn)).take(LOOKED_AT);
        can.min_by_key(|conn| (conn.waiting_since(), conn.token))
    }

    /// Closes a connection to have a descriptor or memory. False if none can be.
    pub(crate) fn evict_any(&self) -> bool {
        let victim = self.victim(&lock(&self.conns), Client::nobody(), 0);
        victim.inspect(|conn| self.evict(conn, &self.counters.evicted_for_room)).is_some()
    }

    fn evict(&self, conn: &Arc<Conn>, counter: &AtomicU64) {
        // Else a worker has taken it up meanwhile.
        if conn.claim() {
            log::debug!("closing a connection of {} to make room", conn.peer.address);
            counter.fetch_add(1, Relaxed);
            self.close(conn);
        }
    }

    /// Counts the `held` bytes of a connection against the budget. When that is used up, whoever holds most makes room:
    /// connections that have been stuck longest are closed, then those that wait for a worker, then requests in the queue
    /// are refused; connections of deployments only for another one. False if this one must go.
    pub fn budget(&self, conn: &Conn, held: usize, phase: Phase) -> bool {
        let before = conn.held();
        self.hold(conn, held);
        let share = if phase == Phase::Write { OUTPUT_SHARE } else { 1 };
        while held > before && self.is_over(self.limits.budget_bytes / share) {
            if !self.free_some(conn) {
                return held <= ALWAYS_BYTES;
            }
        }
        true
    }

    /// As [`Door::budget`]; a connection for which there is none is counted as one that is closed for that.
    pub fn count(&self, conn: &Conn, held: usize, phase: Phase) -> bool {
        let fits = self.budget(conn, held, phase);
        self.counters.evicted_for_budget.fetch_add(u64::from(!fits), Relaxed);
        fits
    }

    fn is_over(&self, most: usize) -> bool {
        self.held_bytes().saturating_sub(self.leaving_bytes.load(Relaxed)) > most
    }

    /// Has bytes freed for `conn`; false if there are none to be had.
    fn free_some(&self, conn: &Conn) -> bool {
        match self.holder_of_most(conn) {
            Some(other) if other.is_in_line() => {
                if other.condemn() {
                    log::debug!("a connection of {} is closed to make room", other.peer.address);
                    self.counters.evicted_for_budget.fetch_add(1, Relaxed);
                    self.leaving_bytes.fetch_add(other.give_up(), Relaxed);
                }
                true
            }
            Some(other) => {
                self.evict(&other, &self.counters.evicted_for_budget);
                true
            }
            None => self.refuse_queued(conn),
        }
    }

    /// Of whoever has most bytes, and more than who pays for `conn` if that is somebody else, the connection that has been
    /// stuck longest, or one that waits for a worker.
    fn holder_of_most(&self, conn: &Conn) -> Option<Arc<Conn>> {
        let (own, own_bytes) = conn.with_payer(|payer| (payer.key, payer.bytes()));
        let can_free = |other: &&Arc<Conn>| {
            let is_stuck = matches!(other.phase(), Phase::Head | Phase::Body | Phase::Write)
                && other.waiting_since().is_some();
            other.token != conn.token
                && (is_stuck || (other.held() > 0 && other.is_in_line()))
                && (!other.deploys() || conn.deploys())
        };
        let conns = lock(&self.conns);
        let can_free = conns.iter().filter(can_free).filter_map(|other| {
            let (client, most) = other.with_payer(|payer| (payer.key, payer.bytes()));
            (conn.deploys() || client == own || most > own_bytes).then_some((most, other))
        });
        let first = can_free.min_by_key(|(most, other)| {
            let since = other.waiting_since();
            (other.deploys(), Reverse(*most), since.is_none(), since, other.token)
        });
        first.map(|(_, other)| Arc::clone(other))
    }

    /// Refuses the newest request in the queue of whoever has most bytes, and more than who pays for `conn`.
    fn refuse_queued(&self, conn: &Conn) -> bool {
        let (own, own_bytes) = conn.with_payer(|payer| (payer.key, payer.bytes()));
        let mut guests = lock(&self.guests);
        let most = {
            let conns = lock(&self.conns);
            let clients = guests.waiting_clients().filter(|client| *client != own);
            let most = clients.map(|client| (conns.bytes_of(client), client)).max();
            most.filter(|(bytes, _)| *bytes > own_bytes)
        };
        let Some(pending) = most.and_then(|(_, client)| guests.take_newest_of(client)) else { return false };
        drop(guests);
        self.leaving_bytes.fetch_add(pending.conn.give_up(), Relaxed);
        self.push(Work::Refuse(pending));
        true
    }

    /// Has the bytes of a connection counted to whoever its request belongs to: its peer, or the client behind it.
    pub fn charge(&self, conn: &Conn, client: Client) {
        if conn.peer.is_proxy && conn.with_payer(|payer| payer.key != client.key) {
            let share = lock(&self.conns).share(client.key);
            conn.set_payer(share);
        }
    }
}
