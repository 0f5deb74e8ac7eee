//! Reading requests from a connection, and counting what it holds.

use super::buffers::{Buffers, Reading, Step};
use super::conn::Conn;
use super::door::Door;
use super::pending::PendingRequest;
use super::phase::Phase;
use super::write::{Next, linger, look_again, reject, send};
use crate::base::lock::lock;
use crate::gateway::http::problem::SLOW;
use crate::gateway::http::reject::{NO_ROOM, Reject};
use std::io::ErrorKind;
use std::sync::Arc;

/// The result of reading from a connection.
pub enum Advanced {
    /// A whole request.
    Request(Box<PendingRequest>),
    /// No whole request; this comes next.
    Next(Next),
}

/// Reads from one connection in a row, before others have their turn.
const READS: usize = 64;

/// Begins to wait for the client; false if the budget does not allow what the connection holds.
pub fn begin_wait(door: &Door, conn: &Conn) -> bool {
    let buffers = &mut lock(&conn.buffers);
    buffers.trim();
    let phase = buffers.phase();
    conn.set_deploys(buffers.deploys());
    conn.wait(phase, phase == Phase::Idle, door.now_ms(), &door.limits);
    door.count(conn, buffers.held(), phase)
}

/// Counts a whole request against the budget; false if there is none left.
pub fn has_budget(door: &Door, pending: &PendingRequest) -> bool {
    let PendingRequest { conn, request, .. } = pending;
    conn.set_deploys(request.deploys());
    let held = lock(&conn.buffers).held() + request.held();
    door.budget(conn, held, Phase::Body)
}

/// Reads from and parses a connection that may have had an event.
pub fn advance(door: &Door, conn: &Arc<Conn>, buffers: &mut Buffers) -> Advanced {
    // Events are edge-triggered. This one is forgotten here, so what it announced may stay at the socket: when a request
    // is whole before all is read, or when a response must be sent first.
    conn.unmark();
    buffers.has_unread = true;
    if let Some(next) = is_over(door, conn, buffers) {
        return Advanced::Next(next);
    }
    let reading = Reading { limits: &door.limits, service: &*door.service, proxies: &door.proxies };
    let mut drained = false;
    for _ in 0..READS {
        let step = buffers.step(reading, conn.peer);
        if let Some(client) = buffers.client() {
            door.charge(conn, client);
        }
        match step {
            Ok(Step::Request(mut request)) => {
                door.charge(conn, request.client);
                door.ids.complete(&mut request.id);
                return Advanced::Request(Box::new(PendingRequest::new(Arc::clone(conn), request)));
            }
            Ok(Step::Continue) => {
                buffers.output.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
                match buffers.flush() {
                    Ok(true) => {}
                    Ok(false) => return Advanced::Next(Next::Wait),
                    Err(_) => return Advanced::Next(Next::Close),
                }
            }
            Ok(Step::More) => {}
            Err(why) => return Advanced::Next(reject(door, conn, buffers, &why)),
        }
        // The end of the client's side may have come with the same event: then a read must find it.
        if drained && !conn.is_hung_up() {
            return Advanced::Next(Next::Wait);
        }
        match buffers.read() {
            Ok(0) => return Advanced::Next(Next::Close),
            Ok(_) => {
                drained = buffers.drained();
                buffers.has_unread = !drained;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                buffers.has_unread = false;
                return Advanced::Next(Next::Wait);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::OutOfMemory => {
                return Advanced::Next(reject(door, conn, buffers, &NO_ROOM));
            }
            Err(_) => return Advanced::Next(Next::Close),
        }
    }
    Advanced::Next(look_again(door, conn, buffers, false))
}

/// Handles a connection that is late, ending, or still being written to.
fn is_over(door: &Door, conn: &Arc<Conn>, buffers: &mut Buffers) -> Option<Next> {
    if conn.is_late(door.now_ms()) {
        return Some(match conn.phase() {
            Phase::Head | Phase::Body if !buffers.ends => {
                let detail = "the request did not arrive in time".into();
                reject(door, conn, buffers, &Reject { kind: SLOW, detail })
            }
            _ => Next::Close,
        });
    }
    if !buffers.output.is_empty() {
        return match send(door, conn, buffers) {
            // A pipelined request may be there already.
            Next::Wait if buffers.output.is_empty() && !buffers.ends => None,
            next => Some(next),
        };
    }
    if buffers.ends {
        return Some(linger(door, conn, buffers));
    }
    if door.ends_idle() && buffers.phase() == Phase::Idle {
        return Some(Next::Close);
    }
    None
}
