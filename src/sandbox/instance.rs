//! An instance under its limits: fuel in slices, with a check of the deadline between slices, and memory by the
//! limiter.
//!
//! Knows no calling convention. These transfer bytes through [`Sandbox::call`] and the memory.

use crate::base::heap;
use crate::base::limits::{BULK_BYTES_PER_MS, FRESH_BYTES_PER_MS, Limits};
use crate::base::outcome::{Stop, Usage};
use crate::host::store::{Halt, Host};
use crate::host::wasi::ctx::WasiCtx;
use crate::sandbox::compile::CoreModule;
#[cfg(feature = "component")]
use crate::sandbox::component::live::Live;
use crate::sandbox::program::Program;
use crate::sandbox::region::Region;
use crate::sandbox::slot::Slot;
use crate::sandbox::spares::Spare;
use crate::sandbox::trap;
use std::time::{Duration, Instant};
use wasmi::{Error, Extern, Func, Instance, Memory, ResumableCall, Val, ValType};

/// What a panic of a function of the host goes on as, once no handler of the interpreter is on the stack.
pub struct HostPanic;

/// How a call into the guest ended.
pub enum Ended {
    /// It returned. The results are written.
    Returned,
    /// The guest called `proc_exit`.
    Exited(u32),
}

/// A live instance of a program, for one run.
pub struct Sandbox<'a> {
    pub(super) program: &'a Program,
    pub(super) slot: Box<Slot>,
    /// For the memory of a new slot.
    pub(super) region: Option<Region>,
    pub(super) instance: Option<Instance>,
    /// The state of a component.
    #[cfg(feature = "component")]
    pub(super) live: Option<Box<Live>>,
    /// Whether the last step of the guest ended as it should, so that its slot can be used again.
    pub(super) ended_well: bool,
    pub(super) fuel_limit: u64,
    pub(super) fuel_unissued: u64,
    pub(super) deadline: Option<Duration>,
    pub(super) started: Instant,
    pub(super) instantiated: Option<Duration>,
    pub(super) when_long: Option<&'a dyn Fn()>,
}

impl<'a> Sandbox<'a> {
    /// A sandbox without an instance. The deadline counts from here.
    pub fn new(
        program: &'a Program,
        limits: &Limits,
        mut wasi: WasiCtx,
        when_long: Option<&'a dyn Fn()>,
    ) -> Sandbox<'a> {
        let started = Instant::now();
        wasi.start(started, program.reads_clocks);
        let capacity = program.capacity(limits);
        let (mut slot, region) = match capacity.and_then(|bytes| program.spares.take(bytes)) {
            Some(Spare::Slot(mut slot)) => {
                slot.data_mut().renew(wasi, limits);
                (slot, None)
            }
            Some(Spare::Region(region)) => (program.slot(wasi, limits), Some(region)),
            None => (program.slot(wasi, limits), capacity.and_then(Region::reserve)),
        };
        // No more than the limits allow (`check_declared`).
        slot.data_mut().limiter.reserve(program.info().counted_bytes() as usize);
        Sandbox { region, ..Sandbox::around(slot, program, limits, (started, when_long)) }
    }

    /// A sandbox with this slot and no instance, for a run that started then.
    pub(super) fn around(
        slot: Box<Slot>,
        program: &'a Program,
        limits: &Limits,
        (started, when_long): (Instant, Option<&'a dyn Fn()>),
    ) -> Sandbox<'a> {
        Sandbox {
            program,
            slot,
            region: None,
            instance: None,
            #[cfg(feature = "component")]
            live: None,
            ended_well: true,
            fuel_limit: limits.fuel,
            fuel_unissued: limits.fuel,
            deadline: limits.deadline,
            started,
            instantiated: None,
            when_long,
        }
    }

    /// Instantiates, runs the `start` function, if any, and then the exported functions `initializers` with
    /// zeroes as parameters.
    pub fn instantiate(&mut self, initializers: &[&str]) -> Result<(), Stop> {
        self.ended_well = false;
        self.slot.set_fuel(0);
        self.hand_out(0)?;
        let program = self.program;
        heap::check(program.info().instance_bytes as usize)
            .map_err(|_| Stop::NoMemory { what: "an instance" })?;
        #[cfg(feature = "component")]
        if let Some(component) = program.component() {
            return match self.instantiate_component(component) {
                Ok(()) => self.instantiated(),
                Err(halt) => Err(self.stop_of(&halt)),
            };
        }
        let module = program.module().ok_or_else(|| Stop::Convention("there is no module".into()))?;
        self.provide_imports(module)?;
        let instance = self.slot.instantiate(&module.module).map_err(|error| self.stopped_by(error))?;
        self.instance = Some(instance);
        if let Some(traced) = &module.traced {
            self.trace(instance, traced)?;
        }
        let memory = instance.get_export(&*self.slot, "memory").and_then(Extern::into_memory);
        let host = self.slot.data_mut();
        host.memory = memory;
        host.limiter.sealed = true;
        for name in module.start.as_deref().into_iter().chain(initializers.iter().copied()) {
            let Some(func) = self.function(name) else { continue };
            let ty = func.ty(&*self.slot);
            let zeroes =
                |types: &[ValType]| types.iter().map(|ty| Val::default_for_ty(*ty)).collect::<Vec<_>>();
            let (params, mut results) = (zeroes(ty.params()), zeroes(ty.results()));
            if let Ended::Exited(code) = self.call(func, &params, &mut results)? {
                return Err(Stop::Exit(code));
            }
        }
        self.instantiated()
    }

    /// The instance is made.
    fn instantiated(&mut self) -> Result<(), Stop> {
        let elapsed = self.started.elapsed();
        self.check_elapsed(elapsed)?;
        self.instantiated = Some(elapsed);
        self.ended_well = true;
        Ok(())
    }

    /// Provides what the module imports. A used slot has it: its memory is zero already.
    fn provide_imports(&mut self, module: &CoreModule) -> Result<(), Stop> {
        let program = self.program;
        let declared_bytes = program.declared_bytes();
        if !self.slot.is_new() {
            let reserved_bytes = self.slot.capacity();
            let is_allowed = self.slot.data_mut().limiter.begin(declared_bytes, reserved_bytes);
            // Such a slot is not taken for a guest that may not have its memory.
            return if is_allowed { Ok(()) } else { Err(Stop::NoMemory { what: "an instance" }) };
        }
        self.check_bulk(declared_bytes as u64, FRESH_BYTES_PER_MS)?;
        let memory = module.memory.map(|ty| (ty, self.region.take()));
        self.slot.import(&module.imports, memory).map_err(|error| self.stopped_by(error))
    }

    /// Gives the first slice to a reused instance.
    pub fn begin(&mut self) -> Result<(), Stop> {
        self.issue(0)
    }

    /// The exported function `name`.
    pub fn function(&self, name: &str) -> Option<Func> {
        self.instance?.get_func(&*self.slot, name)
    }

    /// The exported memory.
    pub fn memory(&self) -> Option<Memory> {
        self.slot.data().memory
    }

    /// The bytes of the exported memory; empty without one.
    pub fn bytes(&self) -> &[u8] {
        self.memory().map_or(&[], |memory| memory.data(&*self.slot))
    }

    /// The bytes of the exported memory, writable.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        match self.memory() {
            Some(memory) => memory.data_mut(&mut *self.slot),
            None => &mut [],
        }
    }

    /// The host's data for the guest.
    pub fn host(&mut self) -> &mut Host {
        self.slot.data_mut()
    }

    /// Prevents that the instance is kept for another call.
    pub fn let_go(&mut self) {
        self.instance = None;
        #[cfg(feature = "component")]
        {
            self.live = None;
        }
    }

    /// Calls `func` until it returns, exits or is stopped. Parameters must match its type.
    pub fn call(&mut self, func: Func, params: &[Val], results: &mut [Val]) -> Result<Ended, Stop> {
        self.ended_well = false;
        let ended = self.run(func, params, results)?;
        self.ended_well = true;
        Ok(ended)
    }

    fn run(&mut self, func: Func, params: &[Val], results: &mut [Val]) -> Result<Ended, Stop> {
        let mut state = func.call_resumable(&mut *self.slot, params, results);
        loop {
            state = match state {
                Ok(ResumableCall::Finished) => {
                    self.settle()?;
                    return Ok(Ended::Returned);
                }
                Ok(ResumableCall::HostTrap(trap)) => match trap.host_error().downcast_ref::<Halt>() {
                    Some(Halt::Pause(answer)) => {
                        let answer = answer.0.clone();
                        self.settle()?;
                        trap.resume(&mut *self.slot, answer.as_slice(), results)
                    }
                    Some(Halt::Later(call)) => match self.later(call) {
                        Ok(answer) => trap.resume(&mut *self.slot, answer.0.as_slice(), results),
                        Err(halt) => return self.ended(&halt),
                    },
                    #[cfg(feature = "component")]
                    Some(Halt::Component(core)) => match self.called_out(*core) {
                        Ok(answer) => trap.resume(&mut *self.slot, answer.as_slice(), results),
                        Err(halt) => return self.ended(&halt),
                    },
                    Some(Halt::Wait(wait, Some(again))) => match self.wait(*wait, again) {
                        Ok(answer) => trap.resume(&mut *self.slot, &[answer], results),
                        Err(halt) => return self.ended(&halt),
                    },
                    _ => return self.halted(trap.into_host_error()),
                },
                Ok(ResumableCall::OutOfFuel(paused)) => {
                    self.next_slice(paused.required_fuel())?;
                    paused.resume(&mut *self.slot, results)
                }
                Err(error) => return self.failed(error, results),
            };
        }
    }

    /// A call ended with an error. If it called a function of the host, with no guest in between, that is done now.
    fn failed(&mut self, error: Error, results: &mut [Val]) -> Result<Ended, Stop> {
        #[cfg(feature = "component")]
        if let Some(Halt::Component(core)) = error.downcast_ref::<Halt>() {
            return match self.called_out(*core) {
                Ok(answer) => {
                    results.iter_mut().zip(answer).for_each(|(result, answer)| *result = answer);
                    Ok(Ended::Returned)
                }
                Err(halt) => self.ended(&halt),
            };
        }
        #[cfg(not(feature = "component"))]
        let _ = results;
        self.halted(error)
    }

    /// Call before `bytes` are copied out of the guest. Refuses if that would take too long.
    pub fn before_copy(&self, bytes: usize) -> Result<(), Stop> {
        if bytes as u64 >= BULK_BYTES_PER_MS {
            self.check_bulk(bytes as u64, BULK_BYTES_PER_MS)
        } else {
            Ok(())
        }
    }

    /// Call after that: late results are discarded. What takes less than a millisecond does not need a look at
    /// the clock.
    pub fn after_copy(&self, bytes: usize) -> Result<(), Stop> {
        if bytes as u64 >= BULK_BYTES_PER_MS { self.check_deadline(0) } else { Ok(()) }
    }

    /// Ends the run. Returns what it used, and the context with its outputs. The next run may use the slot.
    pub fn finish(mut self) -> (Usage, WasiCtx) {
        let usage = self.usage();
        let wasi = self.slot.data_mut().close();
        let sizes = (self.program.info().instance_bytes as usize, self.program.declared_bytes());
        let now = self.started + usage.instantiate + usage.run;
        #[cfg(feature = "component")]
        if self.live.is_some() {
            return (usage, wasi);
        }
        self.program.spares.keep(self.slot, self.ended_well, sizes, now);
        (usage, wasi)
    }

    /// Returns what the run used. Its outputs are complete then.
    pub(super) fn usage(&mut self) -> Usage {
        let total = self.started.elapsed();
        // A run that was stopped during instantiation spent all its time there.
        let instantiate = self.instantiated.unwrap_or(total);
        let fuel = self.fuel_used();
        let exact_pages = self.memory().map(|memory| memory.size(&*self.slot) as u32);
        let host = self.slot.data_mut();
        host.wasi.files.stdout.flush();
        host.wasi.files.stderr.flush();
        let peak_pages = exact_pages.unwrap_or(host.limiter.peak_pages());
        let denied_growths = host.limiter.denials;
        Usage { fuel, peak_pages, denied_growths, instantiate, run: total - instantiate }
    }

    /// Flushes output, at least once for each slice and before any wait.
    pub(super) fn let_output_through(&mut self) {
        let files = &mut self.slot.data_mut().wasi.files;
        files.stdout.let_through();
        files.stderr.let_through();
    }

    fn halted(&mut self, error: Error) -> Result<Ended, Stop> {
        match error.downcast_ref::<Halt>() {
            Some(halt) => self.ended(halt),
            None => Err(self.stopped_by(error)),
        }
    }

    /// How the halt of an instantiation stops the run.
    #[cfg(feature = "component")]
    fn stop_of(&mut self, halt: &Halt) -> Stop {
        match self.ended(halt) {
            Ok(Ended::Exited(code)) => Stop::Exit(code),
            Ok(Ended::Returned) => Stop::Convention("an instantiation ended in no way".into()),
            Err(stop) => stop,
        }
    }

    pub(super) fn ended(&mut self, halt: &Halt) -> Result<Ended, Stop> {
        match halt {
            Halt::Exit(code) => {
                self.settle()?;
                // A guest that has exited is not called again, even after a successful exit.
                self.instance = None;
                Ok(Ended::Exited(*code))
            }
            Halt::Stop(stop) => Err(stop.clone()),
            // The panic continues here: no handler of the interpreter is on the stack.
            Halt::Panicked => std::panic::resume_unwind(Box::new(HostPanic)),
            // Only for an import that is exported again and called from outside. There is nothing to resume.
            Halt::Pause(_) | Halt::Wait(..) | Halt::Later(_) => {
                Err(Stop::Convention("an exported import costs more than a slice, or has to wait".into()))
            }
            #[cfg(feature = "component")]
            Halt::Component(_) => Err(Stop::Convention("an exported import is called from outside".into())),
        }
    }

    pub(super) fn stopped_by(&mut self, error: Error) -> Stop {
        if let Some(halt) = error.downcast_ref::<Halt>() {
            return match self.ended(halt) {
                Ok(Ended::Exited(code)) => Stop::Exit(code),
                Ok(Ended::Returned) => Stop::Trap(trap::text(&error)),
                Err(stop) => stop,
            };
        }
        trap::stop(&error, self.slot.data().limiter.denied, self.fuel_limit)
    }
}
