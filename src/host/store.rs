//! The data of an instance's store: the WASI context, the host's data for an Extism plug-in, the growth
//! limiter, and the fuel that host calls still owe.

use crate::base::heap;
use crate::base::limits::{BULK_BYTES_PER_FUEL, HOST_CALL_FUEL, Limits, PAGE_BYTES};
use crate::base::outcome::{Denied, Stop};
use crate::host::extism::memory::Blocks;
use crate::host::extism::vars::Vars;
use crate::host::responses::{Last, Sessions};
use crate::host::tracer::Tracer;
use crate::host::wasi::abi::{Fault, Wait};
use crate::host::wasi::ctx::{Call, WasiCtx};
use crate::module::trace::names::HOST_FUNCTIONS;
use std::fmt;
use wasmi::errors::{HostError, MemoryError, TableError};
use wasmi::{Memory, ResourceLimiter, StoreContextMut, StoreLimits, StoreLimitsBuilder, Val};
use wasmi_core::LimiterError;

/// The data of a store.
pub struct Host {
    /// The guest's WASI state.
    pub wasi: WasiCtx,
    /// The guest's memory, known once it is instantiated.
    pub memory: Option<Memory>,
    /// The limiter of growth.
    pub limiter: Limiter,
    /// Blocks of an Extism plug-in; they last for a call.
    pub blocks: Blocks,
    /// Variables of an Extism plug-in; they last as long as the instance.
    pub vars: Vars,
    /// The last response to a request of an Extism plug-in.
    pub http: Last,
    /// Responses that the guest has handles of.
    pub sessions: Sessions,
    /// The core values that a component's module has called a function with.
    pub component_args: Vec<u64>,
    /// The calls of a guest that is traced.
    pub tracer: Option<Box<Tracer>>,
    /// Fuel of all slices so far.
    pub fuel_issued: u64,
    /// Fuel of host calls that the current slice could not pay.
    pub fuel_owed: u64,
}

impl Host {
    /// The initial data of an instance.
    pub fn new(wasi: WasiCtx, limits: &Limits) -> Host {
        Host {
            wasi,
            memory: None,
            limiter: Limiter::new(limits),
            blocks: Blocks::default(),
            vars: Vars::default(),
            http: Last::default(),
            sessions: Sessions::default(),
            component_args: Vec::new(),
            tracer: None,
            fuel_issued: 0,
            fuel_owed: 0,
        }
    }

    /// The data for another instance, with this context. Returns the context of the last one.
    pub fn renew(&mut self, wasi: WasiCtx, limits: &Limits) -> WasiCtx {
        std::mem::replace(self, Host::new(wasi, limits)).wasi
    }

    /// Frees what an instance kept at the host. Returns the context, whose outputs may still be needed.
    pub fn close(&mut self) -> WasiCtx {
        self.memory = None;
        (self.blocks, self.vars) = (Blocks::default(), Vars::default());
        (self.http, self.sessions) = (Last::default(), Sessions::default());
        std::mem::replace(&mut self.wasi, WasiCtx::closed())
    }

    /// Frees the blocks, including input, output and error, and what HTTP responses left.
    ///
    /// `kept_bytes` is what else the host keeps of the guest.
    pub fn clear_blocks(&mut self, kept_bytes: usize) {
        self.blocks = Blocks::default();
        (self.http, self.sessions) = (Last::default(), Sessions::default());
        self.limiter.outside_bytes = self.vars.bytes() + kept_bytes;
    }

    /// Fuel used so far, if `left` is left of the slices.
    pub fn fuel_used(&self, left: u64) -> u64 {
        (self.fuel_issued - left).saturating_add(self.fuel_owed)
    }
}

/// A host call, to be repeated.
pub type Again = Box<dyn Fn(&mut Call<'_>) -> Result<(), Fault> + Send + Sync>;

/// A host call that may take long: it is made when no handler of the interpreter is on the stack.
pub type Later = Box<dyn Fn(&mut StoreContextMut<'_, Host>) -> Result<Answer, Halt> + Send + Sync>;

/// The result of a host function: nothing, or a number.
#[derive(Debug, Clone)]
pub struct Answer(pub Option<Val>);

impl From<()> for Answer {
    fn from((): ()) -> Answer {
        Answer(None)
    }
}
impl From<i32> for Answer {
    fn from(v: i32) -> Answer {
        Answer(Some(Val::I32(v)))
    }
}
impl From<u64> for Answer {
    fn from(v: u64) -> Answer {
        Answer(Some(Val::I64(v as i64)))
    }
}

/// Why a host function ended or pauses the run. The interpreter carries it as an error.
pub enum Halt {
    /// The guest exited with this code.
    Exit(u32),
    /// The guest is stopped.
    Stop(Stop),
    /// The call is done, but the slice could not pay for it, or it may have taken long. The run continues with
    /// this result after a check of budget and deadline. Otherwise, a guest whose calls follow each other
    /// without a branch would never be checked.
    Pause(Answer),
    /// The call has to wait. The sandbox waits, and then repeats the call.
    Wait(Wait, Option<Again>),
    /// The call waits for something outside, such as a server. The sandbox makes it, and continues the run with the result.
    Later(Later),
    /// A core module of a component called this core function of the plan. The sandbox does what it is for, and continues the
    /// run with the result.
    #[cfg(feature = "component")]
    Component(u32),
    /// Host code panicked. The interpreter's handlers cannot unwind: a panic through them would end the
    /// process.
    Panicked,
}

impl fmt::Debug for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Halt::Exit(code) => write!(f, "exit with code {code}"),
            Halt::Stop(stop) => stop.fmt(f),
            Halt::Pause(_) => f.write_str("a host call is to be paid for"),
            Halt::Wait(..) => f.write_str("a host call has to wait"),
            Halt::Later(_) => f.write_str("a host call waits for something outside"),
            #[cfg(feature = "component")]
            Halt::Component(_) => f.write_str("a component's function is called"),
            Halt::Panicked => f.write_str("a host call panicked"),
        }
    }
}

impl HostError for Halt {}

/// Charges the current host call to the guest's fuel. False if the current slice cannot pay.
#[must_use]
pub fn charge(store: &mut StoreContextMut<'_, Host>) -> bool {
    let fuel = store.get_fuel().unwrap_or(0);
    let host = store.data_mut();
    let bytes = std::mem::take(&mut host.wasi.moved_bytes);
    let extra = std::mem::take(&mut host.wasi.extra_fuel);
    // A function of the embedding program charges what it likes.
    let cost = (HOST_CALL_FUEL + bytes / u64::from(BULK_BYTES_PER_FUEL)).saturating_add(extra);
    let paid = cost.min(fuel);
    host.fuel_owed = host.fuel_owed.saturating_add(cost - paid);
    let is_paid = host.fuel_owed == 0;
    // Fuel metering is always on (`sandbox/engine.rs`), so this cannot fail.
    let _ = store.set_fuel(fuel - paid);
    is_paid
}

/// `StoreLimits` that records denials and the peak of memory.
pub struct Limiter {
    limits: StoreLimits,
    memories: usize,
    memory_pages: u32,
    cap_bytes: usize,
    /// Bytes that the host keeps for the guest outside its memory, under the same limit.
    outside_bytes: usize,
    /// Set after instantiation. From then on, tables do not grow: in wasmi 2.0.0, a `table.grow` that runs out
    /// of fuel leaves no resume point, and resuming would replay code on changed slots.
    pub sealed: bool,
    /// The last denial.
    pub denied: Option<Denied>,
    /// The number of denials.
    pub denials: u32,
    memory_bytes: usize,
    memory_bytes_before: usize,
    /// Bytes for the memory that are reserved already, and cannot be refused.
    pub reserved_bytes: usize,
    /// Bytes of a growth that the slice could not pay for, and that will be retried.
    pub growth_unpaid: u64,
}

impl Limiter {
    /// A limiter for one instance at a time, with one memory.
    pub fn new(limits: &Limits) -> Limiter {
        Limiter {
            limits: StoreLimitsBuilder::new()
                .memory_size(limits.memory_bytes())
                // What the module has was counted before (`check_declared`).
                .table_elements(limits.table_elements.max(HOST_FUNCTIONS) as usize)
                // A store has one instance after the other (`sandbox/slot.rs`); a guest cannot make any of these. The memory
                // is imported, and the interpreter counts it for the module as well.
                .instances(usize::MAX)
                .tables(usize::MAX)
                .memories(usize::MAX)
                .build(),
            memories: 2,
            memory_pages: limits.memory_pages,
            cap_bytes: limits.memory_bytes(),
            outside_bytes: 0,
            sealed: false,
            denied: None,
            denials: 0,
            memory_bytes: 0,
            memory_bytes_before: 0,
            reserved_bytes: 0,
            growth_unpaid: 0,
        }
    }

    /// Allows as many memories as a component of so many core instances can have.
    #[cfg(feature = "component")]
    pub fn allow_memories(&mut self, memories: usize) {
        self.memories = memories;
    }

    /// Takes `bytes` for good from what the guest may have.
    pub fn reserve(&mut self, bytes: usize) {
        self.cap_bytes = self.cap_bytes.saturating_sub(bytes);
    }

    /// Counts `bytes` outside the guest's memory. If the limit does not allow them, returns false and records
    /// the denial.
    #[must_use]
    pub fn take_outside(&mut self, bytes: usize) -> bool {
        let wanted = self.memory_bytes.saturating_add(self.outside_bytes).saturating_add(bytes);
        if wanted > self.cap_bytes {
            self.deny_pages(wanted);
            return false;
        }
        self.outside_bytes += bytes;
        true
    }

    /// Releases what `take_outside` counted.
    pub fn give_back(&mut self, bytes: usize) {
        self.outside_bytes -= bytes;
    }

    fn deny_pages(&mut self, wanted: usize) {
        let wanted = wanted.div_ceil(PAGE_BYTES) as u64;
        self.deny(Denied::Pages { wanted, limit: self.memory_pages });
    }

    /// Counts the memory that the guest of a used slot begins with, of which so many bytes are reserved. False if the limit does not allow it.
    #[must_use]
    pub fn begin(&mut self, memory_bytes: usize, reserved_bytes: usize) -> bool {
        self.reserved_bytes = reserved_bytes;
        if memory_bytes > self.cap_bytes {
            self.deny_pages(memory_bytes);
            return false;
        }
        self.memory_bytes = memory_bytes;
        true
    }

    /// Bytes of the guest's memory, exported or not.
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// Peak of memory in pages.
    pub fn peak_pages(&self) -> u32 {
        (self.memory_bytes / PAGE_BYTES) as u32
    }

    fn deny(&mut self, denied: Denied) {
        self.denied = Some(denied);
        self.denials = self.denials.saturating_add(1);
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, LimiterError> {
        // A component has several memories, of which one grows.
        let others = self.memory_bytes.saturating_sub(current);
        let together = desired.saturating_add(others).saturating_add(self.outside_bytes);
        let is_new = desired > current.max(self.reserved_bytes);
        if is_new && together <= self.cap_bytes && heap::check(desired - current).is_err() {
            self.deny(Denied::System { wanted: desired.div_ceil(PAGE_BYTES) as u64 });
            return Ok(false);
        }
        let allowed = self.limits.memory_growing(current, desired, maximum)? && together <= self.cap_bytes;
        if allowed {
            self.memory_bytes_before = self.memory_bytes;
            self.memory_bytes = desired.saturating_add(others);
        } else {
            self.deny_pages(together);
        }
        Ok(allowed)
    }

    fn memory_grow_failed(&mut self, _error: &MemoryError) -> Result<(), LimiterError> {
        // Also called if the slice could not pay for the growth, which is retried with more fuel.
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
            self.deny(Denied::Table { wanted: desired as u64 });
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
        self.memories
    }
}
