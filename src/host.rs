//! What an instance's store carries beside wasm state: the WASI context, the growth limiter and the fuel
//! that host calls still owe.

use crate::limits::{BULK_BYTES_PER_FUEL, HOST_CALL_FUEL, Limits, PAGE_BYTES};
use crate::outcome::{Denied, Stop};
use crate::wasi::ctx::WasiCtx;
use std::fmt;
use wasmi::errors::{HostError, MemoryError, TableError};
use wasmi::{Caller, Memory, ResourceLimiter, StoreLimits, StoreLimitsBuilder};
use wasmi_core::LimiterError;

/// The data of a store.
pub struct Host {
    /// The guest's view of the world.
    pub wasi: WasiCtx,
    /// The guest's memory, known once it is instantiated.
    pub memory: Option<Memory>,
    /// The limiter that the store asks before anything grows.
    pub limiter: Limiter,
    /// Fuel for host calls that the current slice could not pay.
    pub fuel_owed: u64,
}

/// Why a host function ended the run, carried through the interpreter.
#[derive(Debug)]
pub enum Halt {
    /// The guest asked to end with this code.
    Exit(u32),
    /// The guest is stopped.
    Stop(Stop),
    /// The call waited until the deadline.
    Deadline,
    /// The call is done, but the slice could not pay for it. Not an end: the run goes on with this result
    /// once the next slice has been issued, which is when budget and deadline are looked at. A guest whose
    /// calls follow each other without a branch would otherwise never come to that.
    Pause(i32),
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Halt::Exit(code) => write!(f, "exit with code {code}"),
            Halt::Stop(stop) => stop.fmt(f),
            Halt::Deadline => f.write_str("deadline passed in a host call"),
            Halt::Pause(_) => f.write_str("a host call cannot be paid for"),
        }
    }
}

impl HostError for Halt {}

/// Charges a host call that moved `bytes` to the guest's fuel. False if the present slice cannot pay.
#[must_use]
pub fn charge(caller: &mut Caller<'_, Host>, bytes: u64) -> bool {
    let cost = HOST_CALL_FUEL + bytes / u64::from(BULK_BYTES_PER_FUEL);
    let fuel = caller.get_fuel().unwrap_or(0);
    let paid = cost.min(fuel);
    // Fuel metering is always on (engine.rs), so this cannot fail.
    let _ = caller.set_fuel(fuel - paid);
    let owed = &mut caller.data_mut().fuel_owed;
    *owed += cost - paid;
    *owed == 0
}

/// `StoreLimits` that remembers what it denied and how far memory got.
pub struct Limiter {
    limits: StoreLimits,
    memory_pages: u32,
    /// Set when the instance stands. From then on tables do not grow: in wasmi 2.0.0 a `table.grow` that
    /// runs out of fuel leaves no resume point, and resuming would replay code on changed slots.
    pub sealed: bool,
    /// What was refused last.
    pub denied: Option<Denied>,
    memory_bytes: usize,
    memory_bytes_before: usize,
    /// Bytes of a growth that the slice could not pay for and that is about to be tried again.
    pub growth_unpaid: u64,
}

impl Limiter {
    /// A limiter for one instance with one memory.
    pub fn new(limits: &Limits) -> Limiter {
        Limiter {
            limits: StoreLimitsBuilder::new()
                .memory_size(limits.memory_bytes())
                .table_elements(limits.table_elements as usize)
                .instances(1)
                .memories(1)
                .build(),
            memory_pages: limits.memory_pages,
            sealed: false,
            denied: None,
            memory_bytes: 0,
            memory_bytes_before: 0,
            growth_unpaid: 0,
        }
    }

    /// Pages that memory has reached.
    pub fn peak_pages(&self) -> u32 {
        (self.memory_bytes / PAGE_BYTES) as u32
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, LimiterError> {
        let allowed = self.limits.memory_growing(current, desired, maximum)?;
        if allowed {
            self.memory_bytes_before = current;
            self.memory_bytes = desired;
        } else {
            let wanted = (desired / PAGE_BYTES) as u64;
            self.denied = Some(Denied::Pages { wanted, limit: self.memory_pages });
        }
        Ok(allowed)
    }

    fn memory_grow_failed(&mut self, _error: &MemoryError) -> Result<(), LimiterError> {
        // Also called when the slice could not pay for the growth; it is tried again after refuelling.
        self.growth_unpaid = (self.memory_bytes - self.memory_bytes_before) as u64;
        self.memory_bytes = self.memory_bytes_before;
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, LimiterError> {
        if self.sealed {
            self.denied = Some(Denied::Table { wanted: desired as u64 });
            return Ok(false);
        }
        self.limits.table_growing(current, desired, maximum)
    }

    fn table_grow_failed(&mut self, error: &TableError) -> Result<(), LimiterError> {
        self.limits.table_grow_failed(error)
    }

    fn instances(&self) -> usize {
        self.limits.instances()
    }

    fn tables(&self) -> usize {
        self.limits.tables()
    }

    fn memories(&self) -> usize {
        self.limits.memories()
    }
}
