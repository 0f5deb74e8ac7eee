//! What a run waits for: host calls that have to wait, and those that wait for something outside.

use super::instance::Sandbox;
use crate::base::outcome::Stop;
use crate::host::functions;
use crate::host::reply::Moment;
use crate::host::store::{Again, Answer, Halt, Later};
use crate::host::wasi::abi::Wait;
use std::time::Instant;
use wasmi::{AsContextMut, Val};

impl Sandbox<'_> {
    /// Waits for a host call and repeats it until it needs no more waiting. Returns its result.
    pub(super) fn wait(&mut self, wait: Wait, again: &Again) -> Result<Val, Halt> {
        let mut wait = wait;
        loop {
            self.wait_once(wait).map_err(Halt::Stop)?;
            match functions::again(self.slot.as_context_mut(), again) {
                Ok((errno, _)) => {
                    self.settle().map_err(Halt::Stop)?;
                    return Ok(Val::I32(errno));
                }
                Err(Halt::Wait(longer, _)) => wait = longer,
                Err(halt) => return Err(halt),
            }
        }
    }

    /// Makes a call that waits for something outside.
    pub(super) fn later(&mut self, call: &Later) -> Result<Answer, Halt> {
        // What others wait for comes first.
        self.wait_once(Wait { until: Some(Instant::now()), stdin: false }).map_err(Halt::Stop)?;
        self.slot.data_mut().wasi.until = self.latest_end();
        let made = functions::later(self.slot.as_context_mut(), call);
        // One that ended with the deadline, or was cancelled, is not the guest's fault.
        self.check_deadline(0).map_err(Halt::Stop)?;
        let answer = made?;
        self.settle().map_err(Halt::Stop)?;
        Ok(answer)
    }

    /// Waits, until the deadline at the latest.
    pub(super) fn wait_once(&mut self, wait: Wait) -> Result<(), Stop> {
        let deadline = self.latest_end();
        if let Some(when_long) = self.when_long {
            when_long();
        }
        self.let_output_through();
        self.pass_on(Moment::Wait(wait.until))?;
        self.slot.data_mut().wasi.wait(wait, deadline);
        self.check_deadline(0)
    }
}
