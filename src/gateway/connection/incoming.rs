//! What a worker reads from a client, and what it counts of it.

use super::conn::Conn;
use super::pending::Ready;
use super::phase::Phase;
use super::state::{Reading, State, Step};
use crate::gateway::http::http1::{NO_ROOM, Reject};
use crate::gateway::http::problem::SLOW;
use crate::gateway::workers::scheduler::lock;
use crate::gateway::workers::worker::{Over, Worker};
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Reads from a client that sends as fast as this reads, before others have their turn.
const READS: usize = 64;

impl Worker {
    /// Notes what the connection waits for; false if there is no budget for what it holds.
    pub(crate) fn begin_wait(&self, conn: &Conn) -> bool {
        let state = &mut lock(&conn.state);
        state.trim();
        let phase = state.phase();
        conn.set_deploys(state.deploys());
        conn.wait(phase, phase == Phase::Idle, self.door.now_ms(), &self.door.limits);
        self.count(conn, state, phase)
    }

    /// Counts what a connection holds against the budget; false if there is none for it, and it ends.
    pub(crate) fn count(&self, conn: &Conn, state: &mut State, phase: Phase) -> bool {
        let held = state.held();
        let fits = self.door.budget(conn, held, phase);
        self.door.tally.evicted_for_budget.fetch_add(u64::from(!fits), Ordering::Relaxed);
        fits
    }

    /// Counts a whole request: it may wait for a place among the running guests.
    pub(crate) fn has_budget(&self, conn: &Conn, ready: &Ready) -> bool {
        conn.set_deploys(ready.deploys());
        let held = lock(&conn.state).held() + ready.held();
        self.door.budget(conn, held, Phase::Body)
    }

    /// Looks at a connection, of which an event may have told.
    pub(crate) fn advance(&mut self, conn: &Arc<Conn>, state: &mut State) -> Over {
        // Events tell once. This one is forgotten here, and what it told of may be left at the socket: by a request that
        // was received before, or by a response that must be sent first.
        conn.unmark();
        state.has_unread = true;
        if let Some(over) = self.is_over(conn, state) {
            return over;
        }
        let door = Arc::clone(&self.door);
        let reading = Reading { limits: &door.limits, desk: door.desk.as_ref(), proxies: &door.proxies };
        let mut drained = false;
        for _ in 0..READS {
            let step = state.step(reading, conn.peer);
            if let Some(client) = state.client() {
                door.charge(conn, client);
            }
            match step {
                Ok(Step::Request(mut ready)) => {
                    door.charge(conn, ready.client);
                    door.ids.complete(&mut ready.request_id);
                    return Over::Request(ready);
                }
                Ok(Step::Continue) => {
                    state.output.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
                    match state.flush() {
                        Ok(true) => {}
                        Ok(false) => return Over::Wait,
                        Err(_) => return Over::Close,
                    }
                }
                Ok(Step::More) => {}
                Err(reject) => return self.reject(conn, state, &reject),
            }
            // The end that a client has sent after its requests came with the same event as they.
            if drained && !conn.is_hung_up() {
                return Over::Wait;
            }
            match state.read() {
                Ok(0) => return Over::Close,
                Ok(_) => {
                    drained = state.drained();
                    state.has_unread = !drained;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    state.has_unread = false;
                    return Over::Wait;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::OutOfMemory => {
                    return self.reject(conn, state, &NO_ROOM);
                }
                Err(_) => return Over::Close,
            }
        }
        self.again(conn, state, false)
    }

    /// Deals with a connection that is late, ending, or still being written to.
    fn is_over(&mut self, conn: &Arc<Conn>, state: &mut State) -> Option<Over> {
        let phase = conn.phase();
        if conn.is_late(self.door.now_ms()) {
            return Some(match phase {
                Phase::Head | Phase::Body if !state.ends => {
                    let detail = "the request did not arrive in time";
                    self.reject(conn, state, &Reject { kind: SLOW, detail })
                }
                _ => Over::Close,
            });
        }
        if !state.output.is_empty() {
            return match self.send(conn, state) {
                // A pipelined request may be there already.
                Over::Wait if state.output.is_empty() && !state.ends => None,
                over => Some(over),
            };
        }
        if state.ends {
            return Some(self.linger(conn, state));
        }
        if self.door.ends_idle() && state.phase() == Phase::Idle {
            return Some(Over::Close);
        }
        None
    }
}
