//! HTTP calls that a process asks for. The process may be under its guest's control, so all that limits a call is here: the
//! list of the plug-in's policy, the count, the sizes, the addresses and the time.

use super::call_wire::told;
use super::channel::{Lost, Told};
use super::spec::Spec;
use super::wire::{CALL_HEAD_BYTES_MAX, Request, read_head};
use crate::host::outbound::calls::Calls;
use crate::host::outbound::message::OutRequest;
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
        let message = told(answered).ok_or(Lost::NoMemory)?;
        Ok((Request::Called, message))
    }
}
