//! An instance under its limits: fuel in slices, with a check of the deadline between slices, and memory by the
//! limiter.
//!
//! Knows no calling convention. These transfer bytes through [`Sandbox::call`] and the memory.

use crate::base::heap;
use crate::base::limits::{
    BULK_BYTES_PER_FUEL, BULK_BYTES_PER_MS, BULK_OVERRUN_MS, FRESH_BYTES_PER_MS, INSTANCE_BYTES, Limits,
    PAGE_BYTES, SLICE_FUEL, UNCHECKED_SLICE_FUEL,
};
use crate::base::outcome::{Stop, Usage};
use crate::host::functions;
use crate::host::store::{Again, Answer, Halt, Host};
use crate::host::wasi::abi::Wait;
use crate::host::wasi::ctx::WasiCtx;
use crate::sandbox::program::Program;
use crate::sandbox::{tail_calls, trap};
use std::time::{Duration, Instant};
use wasmi::{AsContextMut, Error, Extern, Func, Instance, Memory, ResumableCall, Store, Val, ValType};

/// How a call into the guest ended.
pub enum Ended {
    /// It returned. The results are written.
    Returned,
    /// The guest called `proc_exit`.
    Exited(u32),
}

/// A live instance of a program, for one run.
pub struct Sandbox<'a> {
    pub(super) store: Store<Host>,
    pub(super) instance: Option<Instance>,
    pub(super) instance_bytes: usize,
    pub(super) fuel_limit: u64,
    pub(super) fuel_unissued: u64,
    pub(super) slice_fuel: u64,
    pub(super) deadline: Option<Duration>,
    pub(super) started: Instant,
    pub(super) instantiated: Option<Duration>,
    pub(super) when_long: Option<&'a dyn Fn()>,
}

impl<'a> Sandbox<'a> {
    /// A sandbox without an instance. The deadline counts from here.
    pub fn new(
        program: &Program,
        limits: &Limits,
        mut wasi: WasiCtx,
        when_long: Option<&'a dyn Fn()>,
    ) -> Sandbox<'a> {
        let started = Instant::now();
        wasi.start(started, program.reads_clocks);
        let mut store = Store::new(&program.engine, Host::new(wasi, limits));
        store.limiter(|host| &mut host.limiter);
        Sandbox {
            store,
            instance: None,
            instance_bytes: (program.info().instance_bytes as usize).saturating_sub(INSTANCE_BYTES),
            fuel_limit: limits.fuel,
            fuel_unissued: limits.fuel,
            slice_fuel: program.slice_fuel,
            deadline: limits.deadline,
            started,
            instantiated: None,
            when_long,
        }
    }

    /// Instantiates, runs the `start` function, if any, and then the exported functions `initializers` with
    /// zeroes as parameters.
    pub fn instantiate(&mut self, program: &Program, initializers: &[&str]) -> Result<(), Stop> {
        self.issue(0)?;
        heap::check(program.info().instance_bytes as usize)
            .map_err(|_| Stop::NoMemory { what: "an instance" })?;
        let declared = program.info().memory.map_or(0, |memory| memory.min_pages);
        self.check_bulk(declared * PAGE_BYTES as u64, FRESH_BYTES_PER_MS)?;
        let instance = program
            .linker
            .instantiate_and_start(&mut self.store, &program.module)
            .map_err(|error| self.stopped_by(error))?;
        self.check_deadline(0)?;
        self.instance = Some(instance);
        let memory = instance.get_export(&self.store, "memory").and_then(Extern::into_memory);
        let host = self.store.data_mut();
        host.memory = memory;
        host.limiter.sealed = true;
        for name in program.start.as_deref().into_iter().chain(initializers.iter().copied()) {
            let Some(func) = self.function(name) else { continue };
            let ty = func.ty(&self.store);
            let zeroes =
                |types: &[ValType]| types.iter().map(|ty| Val::default_for_ty(*ty)).collect::<Vec<_>>();
            let (params, mut results) = (zeroes(ty.params()), zeroes(ty.results()));
            if let Ended::Exited(code) = self.call(func, &params, &mut results)? {
                return Err(Stop::Exit(code));
            }
        }
        self.instantiated = Some(self.started.elapsed());
        Ok(())
    }

    /// Gives the first slice to a reused instance.
    pub fn begin(&mut self) -> Result<(), Stop> {
        self.issue(0)
    }

    /// The exported function `name`.
    pub fn function(&self, name: &str) -> Option<Func> {
        self.instance?.get_func(&self.store, name)
    }

    /// The exported memory.
    pub fn memory(&self) -> Option<Memory> {
        self.store.data().memory
    }

    /// The bytes of the exported memory; empty without one.
    pub fn bytes(&self) -> &[u8] {
        self.memory().map_or(&[], |memory| memory.data(&self.store))
    }

    /// The bytes of the exported memory, writable.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        match self.memory() {
            Some(memory) => memory.data_mut(&mut self.store),
            None => &mut [],
        }
    }

    /// The host's data for the guest.
    pub fn host(&mut self) -> &mut Host {
        self.store.data_mut()
    }

    /// Prevents that the instance is kept for another call.
    pub fn let_go(&mut self) {
        self.instance = None;
    }

    /// Calls `func` until it returns, exits or is stopped. Parameters must match its type.
    pub fn call(&mut self, func: Func, params: &[Val], results: &mut [Val]) -> Result<Ended, Stop> {
        let mut state = func.call_resumable(&mut self.store, params, results);
        loop {
            state = match state {
                Ok(ResumableCall::Finished) => {
                    self.settle()?;
                    return Ok(Ended::Returned);
                }
                Ok(ResumableCall::HostTrap(trap)) => match trap.host_error().downcast_ref::<Halt>() {
                    Some(Halt::Pause(answer)) => {
                        let (mut answers, mut count) = ([Val::I32(0)], 1);
                        match answer {
                            Answer::None => count = 0,
                            Answer::I32(v) => answers[0] = Val::I32(*v),
                            Answer::I64(v) => answers[0] = Val::I64(*v),
                        }
                        self.settle()?;
                        trap.resume(&mut self.store, &answers[..count], results)
                    }
                    Some(Halt::Wait(wait, Some(again))) => match self.wait(*wait, again) {
                        Ok(answer) => trap.resume(&mut self.store, &[answer], results),
                        Err(halt) => return self.ended(&halt),
                    },
                    _ => return self.halted(trap.into_host_error()),
                },
                Ok(ResumableCall::OutOfFuel(paused)) => {
                    self.next_slice(paused.required_fuel())?;
                    paused.resume(&mut self.store, results)
                }
                Err(error) => return self.halted(error),
            };
        }
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

    /// Ends the run. Returns what it used, and the context with its outputs.
    pub fn finish(mut self) -> (Usage, WasiCtx) {
        let usage = self.usage();
        (usage, self.store.into_data().wasi)
    }

    /// Returns what the run used. Its outputs are complete then.
    pub(super) fn usage(&mut self) -> Usage {
        let total = self.started.elapsed();
        // A run that was stopped during instantiation spent all its time there.
        let instantiate = self.instantiated.unwrap_or(total);
        let fuel = self.fuel_used();
        let exact_pages = self.memory().map(|memory| memory.size(&self.store) as u32);
        let host = self.store.data_mut();
        host.wasi.files.stdout.flush();
        host.wasi.files.stderr.flush();
        let peak_pages = exact_pages.unwrap_or(host.limiter.peak_pages());
        let denied_growths = host.limiter.denials;
        Usage { fuel, peak_pages, denied_growths, instantiate, run: total - instantiate }
    }

    /// Waits for a host call and repeats it until it needs no more waiting. Returns its result.
    fn wait(&mut self, wait: Wait, again: &Again) -> Result<Val, Halt> {
        let mut wait = wait;
        let deadline = self.deadline.and_then(|limit| self.started.checked_add(limit));
        loop {
            if let Some(when_long) = self.when_long {
                when_long();
            }
            self.let_output_through();
            self.store.data_mut().wasi.wait(wait, deadline);
            self.check_deadline(0).map_err(Halt::Stop)?;
            match functions::again(self.store.as_context_mut(), again) {
                Ok((errno, _)) => {
                    self.settle().map_err(Halt::Stop)?;
                    return Ok(Val::I32(errno));
                }
                Err(Halt::Wait(longer, _)) => wait = longer,
                Err(halt) => return Err(halt),
            }
        }
    }

    /// Flushes output, at least once for each slice and before any wait.
    fn let_output_through(&mut self) {
        let files = &mut self.store.data_mut().wasi.files;
        files.stdout.let_through();
        files.stderr.let_through();
    }

    fn next_slice(&mut self, required: u64) -> Result<(), Stop> {
        tail_calls::check().map_err(|error| Stop::Trap(error.to_string()))?;
        self.let_output_through();
        if let Some(when_long) = self.when_long {
            when_long();
        }
        self.issue(required)
    }

    fn fuel_left(&self) -> u64 {
        // Fuel metering is always on (`program.rs`), so there is a number.
        self.store.get_fuel().unwrap_or(0)
    }

    fn fuel_used(&self) -> u64 {
        let used = self.fuel_limit - self.fuel_unissued - self.fuel_left() + self.store.data().fuel_owed;
        used.min(self.fuel_limit)
    }

    /// Fuel of a slice.
    fn slice(&self) -> u64 {
        if tail_calls::is_known_good() { self.slice_fuel } else { self.slice_fuel.min(UNCHECKED_SLICE_FUEL) }
    }

    /// Starts the next slice, with at least `required` and what host calls owe, and checks the deadline.
    fn issue(&mut self, required: u64) -> Result<(), Stop> {
        self.check_deadline(required)?;
        let host = self.store.data_mut();
        host.limiter.growth_unpaid = 0;
        let owed = std::mem::take(&mut host.fuel_owed);
        let left = self.fuel_left();
        let needed = required.saturating_add(owed);
        let slice = needed.saturating_sub(left).max(self.slice()).min(self.fuel_unissued);
        let available = left + slice;
        if available < needed || slice == 0 {
            // All remaining fuel counts as used: it did not suffice for the next step.
            self.fuel_unissued = 0;
            let _ = self.store.set_fuel(0);
            return Err(Stop::OutOfFuel { limit: self.fuel_limit });
        }
        self.fuel_unissued -= slice;
        self.store.data_mut().fuel_issued += slice;
        // Fails only without fuel metering, which is always on (`program.rs`).
        let _ = self.store.set_fuel(available - owed);
        Ok(())
    }

    /// Pays what host calls of the last slice owe, and checks the deadline once more: a result is never on
    /// credit, nor late.
    fn settle(&mut self) -> Result<(), Stop> {
        if self.store.data().fuel_owed == 0 { self.check_deadline(0) } else { self.next_slice(0) }
    }

    fn check_deadline(&self, required: u64) -> Result<(), Stop> {
        let Some(limit) = self.deadline else { return Ok(()) };
        let elapsed = self.started.elapsed();
        if elapsed >= limit {
            return Err(Stop::Deadline { limit, why: None });
        }
        // Only a bulk memory instruction needs more than a slice at once, and it is not interrupted.
        if required > SLICE_FUEL {
            let growth = self.store.data().limiter.growth_unpaid;
            if growth > 0 {
                self.check_bulk(growth, FRESH_BYTES_PER_MS)?;
            } else {
                self.check_bulk(required.saturating_mul(u64::from(BULK_BYTES_PER_FUEL)), BULK_BYTES_PER_MS)?;
            }
        }
        Ok(())
    }

    /// Refuses an uninterruptible operation on `bytes` that would pass the deadline.
    fn check_bulk(&self, bytes: u64, bytes_per_ms: u64) -> Result<(), Stop> {
        let Some(limit) = self.deadline else { return Ok(()) };
        let estimate = Duration::from_millis(bytes / bytes_per_ms);
        let latest = limit.saturating_add(Duration::from_millis(BULK_OVERRUN_MS));
        if self.started.elapsed().saturating_add(estimate) <= latest {
            return Ok(());
        }
        let why = format!("the next step moves {bytes} bytes");
        Err(Stop::Deadline { limit, why: Some(why) })
    }

    fn halted(&mut self, error: Error) -> Result<Ended, Stop> {
        match error.downcast_ref::<Halt>() {
            Some(halt) => self.ended(halt),
            None => Err(self.stopped_by(error)),
        }
    }

    fn ended(&mut self, halt: &Halt) -> Result<Ended, Stop> {
        match halt {
            Halt::Exit(code) => {
                self.settle()?;
                // A guest that has exited is not called again, even after a successful exit.
                self.instance = None;
                Ok(Ended::Exited(*code))
            }
            Halt::Stop(stop) => Err(stop.clone()),
            // Unwinding works here.
            Halt::Panicked => std::panic::resume_unwind(Box::new("a host call panicked")),
            // Only for an import that is exported again and called from outside. There is nothing to resume.
            Halt::Pause(_) | Halt::Wait(..) => {
                Err(Stop::Convention("an exported import costs more than a slice, or has to wait".into()))
            }
        }
    }

    fn stopped_by(&mut self, error: Error) -> Stop {
        if let Some(halt) = error.downcast_ref::<Halt>() {
            return match self.ended(halt) {
                Ok(Ended::Exited(code)) => Stop::Exit(code),
                Ok(Ended::Returned) => Stop::Trap(trap::text(&error)),
                Err(stop) => stop,
            };
        }
        trap::stop(&error, self.store.data().limiter.denied, self.fuel_limit)
    }
}
