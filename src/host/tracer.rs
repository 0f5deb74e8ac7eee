//! What is kept of a guest that is traced (`module/trace`).

use crate::host::frames::{Call, Frames, Shown};
use crate::host::profile::Calls;
use crate::module::trace::names::OPERANDS;
use wasmi::{AsContext, Global, Val};

/// What is kept of a guest that is traced.
pub struct Tracer {
    frames: Frames,
    /// Fuel by function, if that was asked for.
    calls: Option<Calls>,
    at: Global,
    operands: [Global; OPERANDS],
}

impl Tracer {
    /// No calls yet. These globals have an offset and operands.
    pub fn new(at: Global, operands: [Global; OPERANDS], has_profile: bool) -> Tracer {
        Tracer { frames: Frames::default(), calls: has_profile.then(Calls::default), at, operands }
    }

    /// A function of the guest begins. `fuel` is all that was used so far.
    pub fn enter(&mut self, call: Call, fuel: u64) {
        self.frames.enter(call);
        if let Some(calls) = &mut self.calls {
            calls.enter(call.function, fuel);
        }
    }

    /// A function of the guest ends. Returns the offset where its caller is.
    pub fn leave(&mut self, fuel: u64) -> u32 {
        if let Some(calls) = &mut self.calls {
            calls.leave(fuel);
        }
        self.frames.leave()
    }

    /// The chain of calls that has not ended.
    pub fn chain(&self, store: impl AsContext) -> Vec<Shown> {
        let at = match self.at.get(store) {
            Val::F64(value) => value.to_float() as u32,
            _ => 0,
        };
        self.frames.shown(at)
    }

    /// The operands of the instruction where the chain's innermost call is.
    pub fn operands(&self, store: impl AsContext) -> [u32; OPERANDS] {
        self.operands.map(|operand| match operand.get(store.as_context()) {
            Val::I32(value) => value as u32,
            _ => 0,
        })
    }

    /// Fuel by function, if that was asked for. `fuel` is all that was used.
    pub fn profile(&mut self, fuel: u64) -> Option<Calls> {
        let mut calls = self.calls.take()?;
        calls.charge(fuel);
        Some(calls)
    }
}
