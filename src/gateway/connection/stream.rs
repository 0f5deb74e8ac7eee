//! Responses that are sent while they are made: the worker that has the connection sends each piece itself, and waits for
//! its client.

use super::buffers::{Buffers, Streaming};
use super::conn::Conn;
use super::door::Door;
use super::pending::PendingRequest;
use super::phase::Phase;
use crate::base::heap;
use crate::base::lock::lock;
use crate::gateway::http::message::{Request, Response};
use crate::gateway::http::print::{PIECE_FRAME_BYTES, Printing, print_end, print_head, print_piece, reserve};
use crate::gateway::http::problem::NO_MEMORY;
use crate::gateway::http::request_id::RequestId;
use crate::gateway::http::stream::{Framing, Stream, Unsent};
use std::sync::Arc;
use std::time::Instant;

/// The client of a request.
pub struct ClientStream {
    door: Arc<Door>,
    conn: Arc<Conn>,
    id: RequestId,
    keep_alive: bool,
    /// Bytes that are counted for the request.
    held: usize,
}

impl ClientStream {
    /// The client that sent `request` on `conn`. The connection stays claimed by the calling thread.
    pub fn new(door: &Arc<Door>, conn: &Arc<Conn>, request: &Request) -> ClientStream {
        ClientStream {
            door: Arc::clone(door),
            conn: Arc::clone(conn),
            id: Arc::clone(&request.id),
            keep_alive: request.keep_alive,
            held: conn.held(),
        }
    }
}

impl Stream for ClientStream {
    fn begin(&mut self, head: Response, framing: Framing) -> Result<(), Unsent> {
        let buffers = &mut *lock(&self.conn.buffers);
        reserve(&head, &mut buffers.output).map_err(|_| Unsent::NoRoom)?;
        buffers.ends |= !self.keep_alive || self.door.is_stopping();
        buffers.streaming = Some(Streaming { status: head.status, framing, bytes: 0 });
        let printing = Printing { id: &self.id, is_head: false, ends: buffers.ends };
        print_head(head, framing, &printing, &mut buffers.output);
        Ok(())
    }

    fn send(&mut self, piece: &[u8], until: Option<Instant>) -> Result<(), Unsent> {
        let buffers = &mut *lock(&self.conn.buffers);
        let Some(streaming) = &mut buffers.streaming else { return Err(Unsent::Gone) };
        let framed = piece.len() + PIECE_FRAME_BYTES;
        heap::reserve(&mut buffers.output, framed).map_err(|_| Unsent::NoRoom)?;
        print_piece(piece, streaming.framing, &mut buffers.output);
        streaming.bytes += piece.len() as u64;
        // The piece is there once more where it comes from.
        let held = self.held + buffers.output.capacity() + framed;
        if !self.door.count(&self.conn, held, Phase::Write) {
            return Err(Unsent::NoRoom);
        }
        let patience = Instant::now() + self.door.limits.write_timeout;
        match buffers.flush_until(until.map_or(patience, |until| until.min(patience))) {
            Ok(true) => {
                self.door.hold(&self.conn, self.held);
                Ok(())
            }
            Ok(false) if Instant::now() < patience => Err(Unsent::Late),
            Ok(false) | Err(_) => Err(Unsent::Gone),
        }
    }
}

/// Ends a response that was begun, in the output. False if `response` is not its end, and the connection must be closed:
/// without a last chunk, or with fewer bytes than were announced, the client sees that something is missing.
pub fn end(
    door: &Door,
    pending: &PendingRequest,
    mut response: Response,
    streaming: &Streaming,
    buffers: &mut Buffers,
) -> bool {
    let Streaming { status, framing, bytes } = *streaming;
    (response.status, response.sent_bytes) = (status, bytes);
    let is_whole = match framing {
        Framing::Length(length) => length == bytes + response.body.len() as u64,
        Framing::Chunked => true,
    };
    let mut is_end = response.ends_stream && is_whole;
    if is_end && reserve(&response, &mut buffers.output).is_err() {
        (is_end, response.kind) = (false, Some(NO_MEMORY));
    }
    if !is_end {
        response.body.clear();
    }
    door.service.answered(&pending.request, &response, pending.begin);
    if is_end {
        print_piece(&response.body, framing, &mut buffers.output);
        print_end(&response.trailers, framing, &mut buffers.output);
        buffers.ends |= door.is_stopping();
    }
    is_end
}
