//! HTTP calls that a process asks for. The process may be under its guest's control, so all that limits a call is here: the
//! list of the plug-in's policy, the count, the sizes, the addresses and the time.

use super::channel::{Lost, Told};
use super::spec::Spec;
use super::wire::{CALL_HEAD_BYTES_MAX, Request, read_head, write_head};
use crate::base::heap;
use crate::host::outbound::calls::Calls;
use crate::host::outbound::message::{OutRequest, OutResponse, Refusal, Why};
use crate::host::outbound::way::client;
use std::time::Instant;

/// The calls of one run.
pub struct Callout {
    calls: Calls,
    most: usize,
    until: Option<Instant>,
}

impl Callout {
    /// As the policy of the plug-in allows them; none if it allows none.
    pub fn of(spec: &Spec<'_>) -> Option<Callout> {
        let list = &spec.policy.guest_env.http;
        if list.is_empty() {
            return None;
        }
        // One more byte is told apart from one less.
        let most = CALL_HEAD_BYTES_MAX.saturating_add(spec.limits.output_bytes).saturating_add(1);
        let calls = Calls::new(list.clone(), spec.limits, spec.cancel.cloned());
        Some(Callout { calls, most, until: None })
    }

    /// Bytes that the message of a call may have.
    pub fn most(&self) -> usize {
        self.most
    }

    /// The run begins, and has to end then.
    pub fn begin(&mut self, until: Option<Instant>) {
        self.until = until;
    }

    /// Makes the call that a message describes, and gives what the process is told.
    ///
    /// # Errors
    /// No process of ours sends this.
    pub fn take(&mut self, message: &[u8]) -> Result<Told, Lost> {
        let (request, end) = read_head::<OutRequest>(message).ok_or(Lost::Broken)?;
        let answered = self.calls.make(client(), (request, &message[end..]), self.until);
        told(answered).ok_or(Lost::NoMemory)
    }
}

/// What the asking process is told; none if there is no memory for it.
pub fn told(answered: Result<(OutResponse, Vec<u8>), Refusal>) -> Option<Told> {
    let (head, body) = match answered {
        Ok((response, body)) => (Ok(response), body),
        Err(refusal) => (Err(refusal), Vec::new()),
    };
    let mut message = Vec::new();
    write_head(&mut message, &head).ok()?;
    heap::extend(&mut message, &body).ok()?;
    Some((Request::Called, message))
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

/// What a message of [`Request::Called`] says.
///
/// # Errors
/// There was no response.
pub fn answered(mut message: Vec<u8>) -> Result<(OutResponse, Vec<u8>), Refusal> {
    let broken = || Refusal::new(Why::Host, "what came of the HTTP call cannot be read");
    let (head, end) = read_head::<Result<OutResponse, Refusal>>(&message).ok_or_else(broken)?;
    message.drain(..end);
    head.map(|response| (response, message))
}
