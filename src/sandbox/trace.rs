//! Traced runs: the tracer of an instance, and what it tells when the run has ended.

use crate::base::outcome::Stop;
use crate::base::trace::{Chain, Frame, Trace};
use crate::host::frames::Shown;
use crate::host::profile::Calls;
use crate::host::trace;
use crate::module::symbols::Symbols;
use crate::module::trace::access;
use crate::sandbox::instance::Sandbox;
use crate::sandbox::traced::Traced;
use std::panic::{AssertUnwindSafe, catch_unwind};
use wasmi::Instance;

impl Sandbox<'_> {
    /// Traces `instance`, if its module was compiled for that.
    pub(super) fn trace(&mut self, instance: Instance, traced: &Traced) -> Result<(), Stop> {
        let tracer = trace::attach(&mut *self.slot, instance, &traced.names, traced.has_profile);
        let tracer = tracer.ok_or_else(|| Stop::Convention("it cannot be traced".into()))?;
        self.slot.data_mut().tracer = Some(Box::new(tracer));
        Ok(())
    }

    /// What the run tells when it has ended with `result`, if it was traced.
    pub fn traced<T>(&mut self, result: &Result<T, Stop>) -> Option<Box<Trace>> {
        let traced = self.program.module()?.traced.as_ref()?;
        let fuel = self.fuel_used();
        let memory_bytes = self.slot.memory_bytes() as u64;
        let mut tracer = self.slot.data_mut().tracer.take()?;
        let calls = tracer.profile(fuel);
        let stop = result.as_ref().err().filter(|stop| has_chain(stop));
        let shown = stop.map(|_| tracer.chain(&*self.slot)).unwrap_or_default();
        let fault = stop.filter(|stop| is_fault(stop)).zip(shown.first().and_then(|(_, _, at)| *at));
        let operands = tracer.operands(&*self.slot);
        // The sections with names and lines are not validated.
        let read = AssertUnwindSafe(|| {
            let fault =
                fault.and_then(|(_, at)| access::fault(&traced.wasm, at as usize, operands, memory_bytes));
            named(traced, &shown, fault, calls)
        });
        Some(Box::new(catch_unwind(read).unwrap_or_default()))
    }
}

/// Whether it matters where the guest was.
fn has_chain(stop: &Stop) -> bool {
    !matches!(stop, Stop::Exit(_) | Stop::Failed { .. } | Stop::Cancelled | Stop::Died { .. })
}

/// Whether the instruction itself was at fault, by its operands. The messages are the interpreter's.
fn is_fault(stop: &Stop) -> bool {
    let (Stop::Trap(what) | Stop::MemoryDenied { trap: what, .. }) = stop else { return false };
    ["memory", "table", "element", "indirect call"].iter().any(|about| what.contains(about))
}

/// The lines of the source at these offsets.
#[cfg(feature = "dwarf")]
use crate::module::dwarf::lines;

#[cfg(not(feature = "dwarf"))]
fn lines(_: &[u8], places: &[Option<u32>]) -> Vec<Option<String>> {
    vec![None; places.len()]
}

fn named(traced: &Traced, shown: &[Shown], fault: Option<String>, calls: Option<Calls>) -> Trace {
    let is_wanted = |wanted: u32| {
        shown.iter().any(|(_, function, _)| *function == wanted)
            || calls.as_ref().is_some_and(|calls| calls.has(wanted))
    };
    let symbols = Symbols::read(&traced.wasm, is_wanted);
    let places: Vec<Option<u32>> = shown.iter().map(|(_, _, at)| *at).collect();
    let frames = shown.iter().zip(lines(&traced.wasm, &places)).map(|((number, function, at), line)| Frame {
        number: *number,
        name: symbols.name(*function),
        at: *at,
        line,
    });
    let chain = Chain { fault, frames: frames.collect() };
    Trace {
        chain: Some(chain).filter(|chain| !chain.frames.is_empty()),
        profile: calls.map(|calls| calls.named(|function| symbols.name(function))),
    }
}
