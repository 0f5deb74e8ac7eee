//! Messages of HTTP calls between processes: what is asked for, and what came of it.

use super::wire::{CALL_HEAD_BYTES_MAX, read_head, write_head};
use crate::base::heap;
use crate::host::outbound::calls::too_large;
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

/// The message of a call, whose body has `most` bytes at most.
///
/// # Errors
/// The body has more, or the call cannot be described.
pub fn asked(request: &OutRequest, body: &[u8], most: usize) -> Result<Vec<u8>, Refusal> {
    if body.len() > most {
        return Err(too_large(body.len(), most));
    }
    let broken = || Refusal::new(Why::Header, "the HTTP request is too large");
    let mut message = Vec::new();
    write_head(&mut message, request).map_err(|_| broken())?;
    if message.len() > CALL_HEAD_BYTES_MAX {
        return Err(broken());
    }
    heap::extend(&mut message, body).map_err(|_| broken())?;
    Ok(message)
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
