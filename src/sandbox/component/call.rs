//! Calls of a component's functions: from the host, and from one component instance to another or to the host.
//!
//! Nothing calls a guest from within a function of the host. A core module that calls an imported function is paused; what it
//! called is done here; and it is resumed with the results. So fuel, deadline and waiting are those of every other call.

use super::compile::{Component, Core};
use super::hosts::HostFunc;
use super::lift::Lift;
use super::live::{Live, trap};
use super::lower::Target;
use crate::base::heap::Small;
use crate::base::limits::{BULK_BYTES_PER_FUEL, COMPONENT_VALUE_FUEL};
use crate::base::outcome::Stop;
use crate::host::component::embedder::HostBody;
use crate::host::component::function::{Fail, HostCall};
use crate::host::component::value::Value;
use crate::host::embedder::guest::Guest;
use crate::host::reply::Moment;
use crate::host::store::{Halt, charge};
use crate::host::wasi::time::Clock;
use crate::module::component::plan::{CoreFunc, FuncCode, Options};
use crate::module::component::types::{Flat, FuncTy, Ty};
use crate::sandbox::instance::{Ended, Sandbox};
use std::panic::{AssertUnwindSafe, catch_unwind};
use wasmi::{AsContextMut, Func, Val};

/// How a call of a component's function ended.
pub enum Called {
    /// It returned, with a result if its type has one.
    Returned(Option<Value>),
    /// The guest asked to end with this code.
    Exited(u32),
}

impl<'a> Sandbox<'a> {
    /// The component that runs.
    pub(super) fn component(&self) -> Result<&'a Component, Halt> {
        self.program.component().ok_or_else(|| trap("no component"))
    }

    /// Its state.
    pub(super) fn live(&mut self) -> &mut Live {
        self.live.get_or_insert_with(|| Box::new(Live::new(0, 0, 0)))
    }

    /// Calls the function `func` of the component's plan, with arguments of its type.
    ///
    /// # Errors
    /// The guest was stopped. Nothing can be called after that.
    pub fn call_component(&mut self, func: u32, args: &[Value]) -> Result<Called, Stop> {
        let component = self.program.component().ok_or_else(|| Stop::Convention("no component".into()))?;
        self.ended_well = false;
        let called = match &component.plan.funcs[func as usize].code {
            FuncCode::Lifted(core, options) => self.call_lifted(component, func, (*core, *options), args),
            FuncCode::Host { .. } => self.call_host(component, func, args),
        };
        let is_host = matches!(component.plan.funcs[func as usize].code, FuncCode::Host { .. });
        let called = called.and_then(|value| {
            // A function of the host that is exported again; or else what its arguments and its result took.
            if is_host { self.pay() } else { self.pay_values() }.map_err(Halt::Stop)?;
            Ok(value)
        });
        let ended = match called {
            Ok(value) => Called::Returned(value),
            Err(halt) => {
                self.live().is_poisoned = true;
                match self.ended(&halt)? {
                    Ended::Exited(code) => Called::Exited(code),
                    Ended::Returned => return Err(Stop::Convention("a call ended in no way".into())),
                }
            }
        };
        self.ended_well = true;
        Ok(ended)
    }

    /// Calls a core function within the present call.
    pub(super) fn call_core(&mut self, func: Func, params: &[Val], results: &mut [Val]) -> Result<(), Halt> {
        match self.call(func, params, results).map_err(Halt::Stop)? {
            Ended::Returned => Ok(()),
            Ended::Exited(code) => Err(Halt::Exit(code)),
        }
    }

    /// Does what a core module has called: the core function with this place in the plan. Returns its results.
    pub(in crate::sandbox) fn called_out(&mut self, core: u32) -> Result<Option<Val>, Halt> {
        let component = self.component()?;
        let args = std::mem::take(&mut self.host().component_args);
        let result = match &component.plan.core_funcs[core as usize] {
            CoreFunc::Lowered(lowered) => self.lowered(component, *lowered, &args)?,
            CoreFunc::Resource(op, resource, instance) => {
                let arg = args.first().copied().unwrap_or(0) as u32;
                self.resource(&component.plan, *op, *resource, *instance, arg)?
            }
            CoreFunc::Export(..) => return Err(trap("a core function that is no host's")),
        };
        self.pay().map_err(Halt::Stop)?;
        Ok(result)
    }

    /// Charges what calls have moved and made, and checks the limits.
    fn pay(&mut self) -> Result<(), Stop> {
        self.pass_on(Moment::Step)?;
        // What it cannot pay now is owed, and paid with the next slice.
        let _ = charge(&mut self.slot.as_context_mut());
        self.settle()
    }

    /// Charges what values have taken, without a call.
    fn pay_values(&mut self) -> Result<(), Stop> {
        let left = self.slot.fuel();
        let host = self.host();
        let bytes = std::mem::take(&mut host.wasi.moved_bytes);
        let extra = std::mem::take(&mut host.wasi.extra_fuel);
        let cost = (bytes / u64::from(BULK_BYTES_PER_FUEL)).saturating_add(extra);
        let paid = cost.min(left);
        host.fuel_owed = host.fuel_owed.saturating_add(cost - paid);
        self.slot.set_fuel(left - paid);
        self.settle()
    }

    /// A core module's call of a component's function.
    fn lowered(&mut self, component: &'a Component, lowered: u32, args: &[u64]) -> Result<Option<Val>, Halt> {
        let plan = &component.plan;
        let to = &plan.lowered[lowered as usize];
        let func = &plan.funcs[to.func as usize];
        let core = &component.lowered[lowered as usize];
        self.live().check_leave(to.options.instance)?;
        let mut lent = Vec::new();
        let types: Vec<Ty> = func.ty.params.iter().map(|(_, ty)| *ty).collect();
        let (values, held) = self.lift(component, to.options, &types, core.spills, args, &mut lent)?;
        let result = match &func.code {
            FuncCode::Lifted(callee, options) => {
                self.call_lifted(component, to.func, (*callee, *options), &values)?
            }
            FuncCode::Host { .. } => self.call_host(component, to.func, &values)?,
        };
        drop(values);
        self.host().limiter.give_back(held);
        for index in lent {
            self.live().instances[to.options.instance as usize].handles.returned(index);
        }
        let (Some(ty), Some(value)) = (func.ty.result, result) else { return Ok(None) };
        let task = self.live().tasks.len() as u32;
        let target = Target { plan, options: to.options, task };
        self.closed(to.options.instance, |sandbox| match core.result {
            Some(flat) => {
                let mut out = Vec::new();
                sandbox.lower_flat(target, ty, &value, &mut out)?;
                Ok(Some(val(flat, out.first().copied().unwrap_or(0))))
            }
            None => {
                let at = args.last().copied().unwrap_or(0) as u32;
                sandbox.check_place(target, ty, at)?;
                sandbox.store(target, ty, &value, at)?;
                Ok(None)
            }
        })
    }

    /// Does something while the instance may not call out.
    fn closed<T>(
        &mut self,
        instance: u32,
        what: impl FnOnce(&mut Self) -> Result<T, Halt>,
    ) -> Result<T, Halt> {
        self.live().instances[instance as usize].may_leave = false;
        let done = what(self)?;
        self.live().instances[instance as usize].may_leave = true;
        Ok(done)
    }

    /// Calls a core function as a function of a component.
    fn call_lifted(
        &mut self,
        component: &'a Component,
        func: u32,
        (core, options): (u32, Options),
        args: &[Value],
    ) -> Result<Option<Value>, Halt> {
        let plan = &component.plan;
        let ty = &plan.funcs[func as usize].ty;
        let signature = component.lifted[func as usize].as_ref().ok_or_else(|| trap("no signature"))?;
        self.enter(options.instance)?;
        let task = self.live().tasks.len() as u32 - 1;
        let target = Target { plan, options, task };
        let params =
            self.closed(options.instance, |sandbox| sandbox.lower_args(target, ty, signature, args))?;
        let function = self.core_func(plan, core)?;
        let mut results: Vec<Val> = signature.result.iter().map(|flat| val(*flat, 0)).collect();
        self.call_core(function, &params, &mut results)?;
        let mut held = 0;
        let mut value = None;
        if let Some(result) = ty.result {
            let flats: Vec<u64> = results.iter().map(bits).collect();
            // A borrowed handle cannot be returned, so nothing is lent.
            let mut lent = Vec::new();
            let lifted =
                self.lift(component, options, &[result], signature.returns_place, &flats, &mut lent)?;
            held = lifted.1;
            value = lifted.0.into_iter().next();
        }
        if let Some(post_return) = options.post_return {
            let function = self.core_func(plan, post_return)?;
            self.closed(options.instance, |sandbox| sandbox.call_core(function, &results, &mut []))?;
        }
        // The value is handed on at once; what it takes is limited by what was lifted.
        self.host().limiter.give_back(held);
        self.leave(options.instance)?;
        Ok(value)
    }

    /// Begins a call into a component instance.
    pub(super) fn enter(&mut self, instance: u32) -> Result<(), Halt> {
        let live = self.live();
        live.begin()?;
        let state = &mut live.instances[instance as usize];
        if !state.may_enter {
            return Err(trap("a component instance is called while it is called already"));
        }
        state.may_enter = false;
        Ok(())
    }

    /// Ends it.
    pub(super) fn leave(&mut self, instance: u32) -> Result<(), Halt> {
        let live = self.live();
        live.instances[instance as usize].may_enter = true;
        live.end()
    }

    fn lower_args(
        &mut self,
        target: Target<'_>,
        ty: &FuncTy,
        signature: &Core,
        args: &[Value],
    ) -> Result<Vec<Val>, Halt> {
        if args.len() != ty.params.len() {
            return Err(trap("a wrong number of arguments"));
        }
        let types = || ty.params.iter().map(|(_, ty)| *ty);
        let mut flats = Vec::new();
        if signature.spills {
            let shape = target.plan.types.together(types());
            let at = self.allocate(target, u64::from(shape.size), shape.align)?;
            self.store_all(target, types().zip(args), at)?;
            flats.push(u64::from(at));
        } else {
            for (ty, value) in types().zip(args) {
                self.lower_flat(target, ty, value, &mut flats)?;
            }
        }
        Ok(signature.params.iter().zip(flats).map(|(flat, bits)| val(*flat, bits)).collect())
    }

    /// Lifts values of these types: from core values, or if they are `spilled`, from where the first one points to. Returns
    /// also the bytes that were counted for them.
    fn lift(
        &mut self,
        component: &'a Component,
        options: Options,
        types: &[Ty],
        spilled: bool,
        flats: &[u64],
        lent: &mut Vec<u32>,
    ) -> Result<(Vec<Value>, usize), Halt> {
        let plan = &component.plan;
        let memory = match options.memory {
            Some(memory) => Some(self.core_memory(plan, memory)?),
            None => None,
        };
        let latest = self.latest();
        let live = self.live.as_mut().ok_or_else(|| trap("no component"))?;
        let handles = &mut live.instances[options.instance as usize].handles;
        let (bytes, host) = match memory {
            Some(memory) => memory.data_and_store_mut(&mut *self.slot),
            None => (&mut [][..], self.slot.data_mut()),
        };
        let mut lift = Lift {
            types: &plan.types,
            memory: bytes,
            encoding: options.encoding,
            handles,
            lent,
            limiter: &mut host.limiter,
            held_bytes: 0,
            moved_bytes: 0,
            made: 0,
            latest,
            unchecked_bytes: 0,
            is_late: false,
            small: Small::default(),
        };
        let values = lift.values(types, spilled, flats);
        let (held, moved, is_late) = (lift.held_bytes, lift.moved_bytes, lift.is_late);
        let fuel = lift.made.saturating_mul(COMPONENT_VALUE_FUEL);
        host.wasi.moved_bytes += moved;
        host.wasi.extra_fuel = host.wasi.extra_fuel.saturating_add(fuel);
        if let (true, Some(limit), Err(why)) = (is_late, self.deadline, &values) {
            return Err(Halt::Stop(Stop::Deadline { limit, why: Some(why.clone()) }));
        }
        Ok((values.map_err(trap)?, held))
    }

    /// Checks that a value of type `ty` can be stored at `at`.
    fn check_place(&mut self, target: Target<'_>, ty: Ty, at: u32) -> Result<(), Halt> {
        let shape = target.plan.types.shape(ty);
        let memory = target.options.memory.ok_or_else(|| trap("there is no memory"))?;
        let bytes = self.core_memory_mut(target.plan, memory)?.len() as u64;
        if !at.is_multiple_of(shape.align) || u64::from(at) + u64::from(shape.size) > bytes {
            return Err(trap(format!("a result of {} bytes cannot be stored at {at}", shape.size)));
        }
        Ok(())
    }

    /// Calls a function of the host.
    fn call_host(
        &mut self,
        component: &'a Component,
        func: u32,
        args: &[Value],
    ) -> Result<Option<Value>, Halt> {
        let function = component.hosts[func as usize].as_ref();
        let row = match function.ok_or_else(|| trap("no function of the host"))? {
            HostFunc::Row(row) => row,
            HostFunc::Embedder { title, call } => {
                let ty = &component.plan.funcs[func as usize].ty;
                return self.call_embedder(title, &**call, ty, args);
            }
        };
        loop {
            let left = self.slot.fuel();
            let fuel_used = self.slot.data().fuel_used(left);
            let until = self.latest_end();
            let live = self.live.as_mut().ok_or_else(|| trap("no component"))?;
            let host = self.slot.data_mut();
            host.wasi.until = until;
            if let Clock::Fuel { used, .. } = &mut host.wasi.clock {
                *used = fuel_used;
            }
            let mut call = HostCall { ctx: &mut host.wasi, table: &mut live.table };
            match (row.call)(&mut call, args) {
                Ok(value) => return Ok(value),
                Err(Fail::Trap(why)) => return Err(trap(why)),
                Err(Fail::Exit(code)) => return Err(Halt::Exit(code)),
                Err(Fail::Stop(stop)) => return Err(Halt::Stop(stop)),
                Err(Fail::Wait(wait)) => self.wait_once(wait).map_err(Halt::Stop)?,
            }
        }
    }
}

impl Sandbox<'_> {
    /// Calls a function of the embedding program.
    fn call_embedder(
        &mut self,
        title: &str,
        call: &HostBody,
        ty: &FuncTy,
        args: &[Value],
    ) -> Result<Option<Value>, Halt> {
        let live = self.live.as_mut().ok_or_else(|| trap("no component"))?;
        let mut guest = Guest::of_component(self.slot.data_mut(), &mut live.table);
        let done = catch_unwind(AssertUnwindSafe(|| call(&mut guest, args))).map_err(|_| Halt::Panicked)?;
        drop(guest);
        // It may have taken any time.
        self.check_deadline(0).map_err(Halt::Stop)?;
        let value = done.map_err(|why| trap(format!("{title}: {why}")))?;
        if value.is_some() != ty.result.is_some() {
            return Err(trap(format!("{title}: it gave no result of its type")));
        }
        Ok(value)
    }
}

/// A core value of this type.
fn val(flat: Flat, bits: u64) -> Val {
    match flat {
        Flat::I32 => Val::I32(bits as u32 as i32),
        Flat::I64 => Val::I64(bits as i64),
        Flat::F32 => Val::F32(wasmi::F32::from_bits(bits as u32)),
        Flat::F64 => Val::F64(wasmi::F64::from_bits(bits)),
    }
}

/// The bits of a core value.
pub(super) fn bits(val: &Val) -> u64 {
    match val {
        Val::I32(v) => u64::from(*v as u32),
        Val::I64(v) => *v as u64,
        Val::F32(v) => u64::from(v.to_bits()),
        Val::F64(v) => v.to_bits(),
        _ => 0,
    }
}
