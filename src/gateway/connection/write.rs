//! What a worker sends to a client, and how a connection ends.

use super::conn::Conn;
use super::pending::Ready;
use super::reply::{Noted, identified, note, render};
use super::state::State;
use crate::gateway::http::http1::Reject;
use crate::gateway::http::message::Response;
use crate::gateway::http::problem;
use crate::gateway::workers::worker::{Over, Worker};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Instant;

impl Worker {
    pub(crate) fn end_if_asked(&self, state: &mut State, ready: &Ready) {
        if ready.keep_alive && !self.door.is_stopping() {
            return;
        }
        state.ends = true;
        let line = state.output.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        state.output.splice(line..line, *b"Connection: close\r\n");
    }

    /// Sends a response of the door's own.
    pub(crate) fn refuse(
        &mut self,
        conn: &Arc<Conn>,
        state: &mut State,
        ready: &Ready,
        response: Response,
        begin: Instant,
    ) -> Over {
        let response = identified(response, &ready.request_id);
        render(&response, ready.method == "HEAD", &mut state.output);
        self.end_if_asked(state, ready);
        note(&self.door, ready, Noted::of(&response), begin);
        self.send(conn, state)
    }

    /// Answers what is no request, and ends the connection.
    pub(crate) fn reject(&mut self, conn: &Arc<Conn>, state: &mut State, reject: &Reject) -> Over {
        let mut ready = state.take_in_progress(conn.peer);
        self.door.ids.complete(&mut ready.request_id);
        let response = identified(problem::response(reject.kind, reject.detail), &ready.request_id);
        note(&self.door, &ready, Noted::of(&response), Instant::now());
        render(&response, ready.method == "HEAD", &mut state.output);
        self.end_if_asked(state, &Ready::default());
        // Whatever follows was never a request.
        state.discard_input();
        state.rejected = true;
        self.send(conn, state)
    }

    pub(crate) fn send(&mut self, conn: &Arc<Conn>, state: &mut State) -> Over {
        match state.flush() {
            Err(_) => Over::Close,
            Ok(false) => Over::Wait,
            Ok(true) if state.ends && !state.rejected && !state.has_input() => Over::Close,
            Ok(true) if state.ends => {
                state.discard_input();
                // The client sees the end after the response; a reset would take the response with it.
                match state.end_output() {
                    Ok(()) => self.linger(conn, state),
                    Err(_) => Over::Close,
                }
            }
            // What came with this request, and be it the end, is looked at after others had their turn.
            Ok(true) if state.has_input() || state.has_unread || conn.is_hung_up() => {
                self.again(conn, state, true)
            }
            Ok(true) => Over::Wait,
        }
    }

    /// Has the connection looked at once more, after others had their turn. What it waits for now counts
    /// from here if `anew`: the time until the last answer was not its client's.
    pub(crate) fn again(&self, conn: &Arc<Conn>, state: &mut State, anew: bool) -> Over {
        let phase = state.phase();
        conn.wait(phase, anew, self.door.now_ms(), &self.door.limits);
        if !self.count(conn, state, phase) {
            return Over::Close;
        }
        self.door.look_again(Arc::clone(conn));
        Over::Taken
    }

    /// Reads and drops what the client still sends, until it is gone or its time is up.
    pub(crate) fn linger(&self, conn: &Arc<Conn>, state: &mut State) -> Over {
        match state.read_away().map_err(|error| error.kind()) {
            // It sends faster than this reads; closing now would be a reset, and take the response with it.
            Ok(true) => self.again(conn, state, false),
            Err(ErrorKind::WouldBlock) => Over::Wait,
            Ok(false) | Err(_) => Over::Close,
        }
    }
}
