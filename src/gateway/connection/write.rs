//! Sending responses on a connection, and how it ends.

use super::buffers::Buffers;
use super::conn::Conn;
use super::door::Door;
use super::pending::{PendingRequest, Work};
use super::stream;
use crate::gateway::http::message::{Request, Response};
use crate::gateway::http::print::{Printing, print, reserve};
use crate::gateway::http::reject::Reject;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Instant;

/// What comes next for a connection.
pub enum Next {
    /// It waits for its client.
    Wait,
    /// It ends.
    Close,
    /// Nothing here: its request is queued or in a lane, or the connection is among the tasks.
    Taken,
}

/// Sends the response to a request.
pub fn respond(door: &Door, pending: &PendingRequest, response: Response, buffers: &mut Buffers) -> Next {
    let PendingRequest { conn, request, begin, .. } = pending;
    if let Some(streaming) = buffers.streaming.take() {
        let is_whole = stream::end(door, pending, response, &streaming, buffers);
        return if is_whole { send(door, conn, buffers) } else { Next::Close };
    }
    put(door, request, response, *begin, buffers);
    send(door, conn, buffers)
}

/// Responds to what is no valid request, and ends the connection.
pub fn reject(door: &Door, conn: &Arc<Conn>, buffers: &mut Buffers, why: &Reject) -> Next {
    let mut request = buffers.take_in_progress(conn.peer);
    door.ids.complete(&mut request.id);
    request.keep_alive = false;
    put(door, &request, Response::problem(why.kind, &why.detail), Instant::now(), buffers);
    // Whatever follows was never a request.
    buffers.discard_input();
    buffers.rejected = true;
    send(door, conn, buffers)
}

/// Puts a response into the output.
fn put(door: &Door, request: &Request, mut response: Response, begin: Instant, buffers: &mut Buffers) {
    if reserve(&response, &mut buffers.output).is_err() {
        response = Response::no_memory();
    }
    buffers.ends |= !request.keep_alive || door.is_stopping();
    door.service.answered(request, &response, begin);
    let printing = Printing { id: &request.id, is_head: request.is_head(), ends: buffers.ends };
    print(response, &printing, &mut buffers.output);
}

/// Sends what is in the output.
pub fn send(door: &Door, conn: &Arc<Conn>, buffers: &mut Buffers) -> Next {
    match buffers.flush() {
        Err(_) => Next::Close,
        Ok(false) => Next::Wait,
        Ok(true) if buffers.ends && !buffers.rejected && !buffers.has_input() => Next::Close,
        Ok(true) if buffers.ends => {
            buffers.discard_input();
            // The client sees the end after the response. A reset could lose the response.
            match buffers.end_output() {
                Ok(()) => linger(door, conn, buffers),
                Err(_) => Next::Close,
            }
        }
        // Pipelined requests, or the end, are read after others had their turn.
        Ok(true) if buffers.has_input() || buffers.has_unread || conn.is_hung_up() => {
            look_again(door, conn, buffers, true)
        }
        Ok(true) => Next::Wait,
    }
}

/// Makes the connection a task once more, after others had their turn. Its timeout starts here if `anew`: the time that the
/// last response took was not its client's.
pub fn look_again(door: &Door, conn: &Arc<Conn>, buffers: &mut Buffers, anew: bool) -> Next {
    let phase = buffers.phase();
    conn.wait(phase, anew, door.now_ms(), &door.limits);
    if !door.count(conn, buffers.held(), phase) {
        return Next::Close;
    }
    door.push(Work::Advance(Arc::clone(conn)));
    Next::Taken
}

/// Reads and drops what the client still sends, until it closes or the time is up.
pub fn linger(door: &Door, conn: &Arc<Conn>, buffers: &mut Buffers) -> Next {
    match buffers.read_away().map_err(|error| error.kind()) {
        // The client still sends. To close now would send a reset, and the response could be lost.
        Ok(true) => look_again(door, conn, buffers, false),
        Err(ErrorKind::WouldBlock) => Next::Wait,
        Ok(false) | Err(_) => Next::Close,
    }
}
