//! A call out as the guest's resources see it. It is made when its request is complete: at `handle`, or when its body is
//! finished. So there is one call at a time, and a future is ready once its call was made.

use super::received::Received;
use crate::base::lock::lock;
use crate::host::component::function::{Fail, HostCall};
use crate::host::component::table::Resource;
use crate::host::outbound::message::{OutRequest, OutResponse, Refusal, Why};
use crate::host::wasi::abi::Wait;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// How many times the size of a response, at most, all of those have that a guest keeps.
const RESPONSES_KEPT: usize = 2;

/// What came of a call.
pub type Made = Result<(OutResponse, Received), Refusal>;

/// What has become of a call.
enum State {
    /// Its request is not complete.
    Waits,
    /// It was made, or cannot be.
    Made(Made),
    /// The guest has what came of it.
    Got,
}

/// What has become of a call, which its request and its future share.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<State>>);

/// A request without its body.
pub struct Waiting {
    request: OutRequest,
    to: Shared,
}

/// Has the sandbox see to all that others wait for, before the present call may take long. The call is made again then, and must
/// not have changed anything.
///
/// # Errors
/// The first time.
pub fn may_block(call: &mut HostCall<'_>) -> Result<(), Fail> {
    if std::mem::take(&mut call.ctx.may_block) {
        call.ctx.may_have_waited = true;
        return Ok(());
    }
    call.ctx.may_block = true;
    Err(Fail::Wait(Wait { until: Some(Instant::now()), stdin: false }))
}

impl Waiting {
    /// This request, and where its future looks.
    pub fn new(request: OutRequest) -> (Waiting, Shared) {
        let to = Shared(Arc::new(Mutex::new(State::Waits)));
        (Waiting { request, to: to.clone() }, to)
    }

    /// Sends it with this body, and waits for the response.
    ///
    /// # Errors
    /// The guest is stopped.
    pub fn send(self, call: &mut HostCall<'_>, body: &[u8]) -> Result<(), Fail> {
        call.ctx.moved_bytes += body.len() as u64;
        let answered = call.ctx.way.call(self.request, body, call.ctx.until);
        let made = answered.and_then(|(response, body)| {
            call.ctx.moved_bytes += body.len() as u64;
            let mut kept = call.table.responses.share();
            let full = "responses that the guest has not let go of take too many bytes";
            match kept.grow(body.len(), call.ctx.input_bytes.saturating_mul(RESPONSES_KEPT)) {
                true => Ok((response, Received::new(body, kept))),
                false => Err(Refusal::new(Why::ResponseSize, full)),
            }
        });
        *lock(&self.to.0) = State::Made(made);
        Ok(())
    }

    /// Does not send it: its body was not finished.
    pub fn give_up(&self) {
        let what = "the request's body was dropped before it was finished (`outgoing-body.finish`)";
        *lock(&self.to.0) = State::Made(Err(Refusal::new(Why::Protocol, what)));
    }
}

/// The resource `future-incoming-response`.
pub struct FutureIncomingResponse(Shared);

impl Resource for FutureIncomingResponse {}

impl FutureIncomingResponse {
    /// Of a call.
    pub fn new(shared: Shared) -> FutureIncomingResponse {
        FutureIncomingResponse(shared)
    }

    /// What has become of the call; an error if the guest has it already, none if nothing has.
    pub fn take(&self) -> Option<Result<Made, ()>> {
        let mut state = lock(&self.0.0);
        if let State::Waits = *state {
            return None;
        }
        match std::mem::replace(&mut *state, State::Got) {
            State::Made(made) => Some(Ok(made)),
            State::Got | State::Waits => Some(Err(())),
        }
    }

    /// Whether something has become of the call.
    pub fn is_ready(&self) -> bool {
        !matches!(*lock(&self.0.0), State::Waits)
    }
}
