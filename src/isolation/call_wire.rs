//! Messages of HTTP calls between processes: what is asked for, and what came of it.

use super::wire::{CALL_HEAD_BYTES_MAX, read_head, write_head};
use crate::base::heap;
use crate::host::outbound::message::{Answered, OutRequest, OutResponse, Refusal, Why};

/// What the asking process is told; none if there is no memory for it.
pub fn told(answered: Result<Answered, Refusal>) -> Option<Vec<u8>> {
    let (head, body) = match answered {
        Ok((response, body)) => (Ok(response), body),
        Err(refusal) => (Err(refusal), Vec::new()),
    };
    let mut message = Vec::new();
    write_head(&mut message, &head).ok()?;
    heap::extend(&mut message, &body).ok()?;
    Some(message)
}

/// The message of a call; none if it cannot be described.
pub fn asked(request: &OutRequest, body: &[u8]) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    write_head(&mut message, request).ok()?;
    if message.len() > CALL_HEAD_BYTES_MAX {
        return None;
    }
    heap::extend(&mut message, body).ok()?;
    Some(message)
}

/// What a message of `Request::Called` says.
///
/// # Errors
/// There was no response.
pub fn answered(mut message: Vec<u8>) -> Result<Answered, Refusal> {
    let broken = || Refusal::new(Why::Host, "what came of the HTTP call cannot be read");
    let (head, end) = read_head::<Result<OutResponse, Refusal>>(&message).ok_or_else(broken)?;
    message.drain(..end);
    head.map(|response| (response, message))
}
