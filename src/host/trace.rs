//! The two functions of the host that a traced guest calls when one of its functions begins and ends. They cost no fuel,
//! so that a traced run uses as much as another; slices are short instead.
//!
//! A guest cannot reach what was added to its module, so what arrives here is true. Nothing relies on that.

use crate::host::frames::Call;
use crate::host::store::Host;
use crate::host::tracer::Tracer;
use crate::module::trace::names::{Names, OPERANDS};
use wasmi::{AsContextMut, Caller, Extern, F64, Func, Instance, Nullable, Ref};

/// Traces `instance`, in which the instrumentation has these names. None if it is not there.
pub fn attach(
    store: &mut impl AsContextMut<Data = Host>,
    instance: Instance,
    names: &Names,
    has_profile: bool,
) -> Option<Tracer> {
    let global = |name: &str| instance.get_export(store.as_context(), name).and_then(Extern::into_global);
    let at = global(&names.at())?;
    let mut operands = [at; OPERANDS];
    for (number, operand) in operands.iter_mut().enumerate() {
        *operand = global(&names.operand(number))?;
    }
    let table = instance.get_export(store.as_context(), &names.table()).and_then(Extern::into_table)?;
    let functions = [Func::wrap(store.as_context_mut(), enter), Func::wrap(store.as_context_mut(), leave)];
    for (place, function) in functions.into_iter().enumerate() {
        table.set(store.as_context_mut(), place as u64, Ref::Func(Nullable::Val(function))).ok()?;
    }
    Some(Tracer::new(at, operands, has_profile))
}

/// The least that the interpreter charges for a sequence of instructions. A traced function has one more of them than the
/// same function otherwise: what comes before its loop.
const SEQUENCE_FUEL: u64 = 1;

/// A function of the guest begins.
fn enter(mut caller: Caller<'_, Host>, function: F64, from: F64) {
    let left = caller.get_fuel().unwrap_or(0) + SEQUENCE_FUEL;
    // Fuel metering is always on (`sandbox/engine.rs`), so this cannot fail.
    let _ = caller.set_fuel(left);
    let host = caller.data_mut();
    let fuel = host.fuel_used(left);
    if let Some(tracer) = &mut host.tracer {
        tracer.enter(Call { function: function.to_float() as u32, from: from.to_float() as u32 }, fuel);
    }
}

/// A function of the guest ends. Returns the offset where its caller is.
fn leave(mut caller: Caller<'_, Host>) -> F64 {
    let left = caller.get_fuel().unwrap_or(0);
    let host = caller.data_mut();
    let fuel = host.fuel_used(left);
    let from = host.tracer.as_mut().map_or(0, |tracer| tracer.leave(fuel));
    F64::from_float(from.into())
}
