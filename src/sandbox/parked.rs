//! Warm instances between two calls.

use super::instance::Sandbox;
use crate::base::limits::{INSTANCE_BYTES, Limits};
use crate::base::outcome::Usage;
use crate::host::wasi::ctx::WasiCtx;
#[cfg(feature = "component")]
use crate::sandbox::component::live::Live;
use crate::sandbox::program::Program;
use crate::sandbox::slot::Slot;
use std::time::{Duration, Instant};
use wasmi::Instance;

/// A warm instance between two calls.
pub struct Parked {
    slot: Box<Slot>,
    instance: Option<Instance>,
    #[cfg(feature = "component")]
    live: Option<Box<Live>>,
    instance_bytes: usize,
}

impl Parked {
    /// Bytes of its memory, exported or not; of its module's declarations beyond the usual; and of what the
    /// host keeps for an Extism plug-in.
    pub fn memory_bytes(&self) -> usize {
        let host = self.slot.data();
        host.limiter.memory_bytes() + host.vars.bytes() + self.instance_bytes
    }
}

impl<'a> Sandbox<'a> {
    /// Reuses an instance for another call, with new limits, a new context and a new deadline.
    pub fn wake(
        parked: Parked,
        program: &'a Program,
        limits: &Limits,
        mut wasi: WasiCtx,
        when_long: Option<&'a dyn Fn()>,
    ) -> Sandbox<'a> {
        let mut slot = parked.slot;
        let started = Instant::now();
        wasi.start(started, program.reads_clocks);
        #[cfg(feature = "component")]
        let live = parked.live.map(|mut live| {
            live.runs = live.runs.saturating_add(1);
            wasi.run = live.runs;
            live
        });
        let host = slot.data_mut();
        host.wasi = wasi;
        (host.fuel_issued, host.fuel_owed) = (0, 0);
        slot.set_fuel(0);
        Sandbox {
            instance: parked.instance,
            #[cfg(feature = "component")]
            live,
            instantiated: Some(Duration::ZERO),
            ..Sandbox::around(slot, program, limits, (started, when_long))
        }
    }

    /// Ends the run. If nothing was denied, keeps the instance for another.
    pub fn park(mut self) -> (Usage, Option<Parked>) {
        let usage = self.usage();
        let host = self.slot.data_mut();
        // Closes what the run had open.
        host.wasi.files.close_all();
        #[cfg(feature = "component")]
        host.clear_blocks(self.live.as_ref().map_or(0, |live| live.handle_bytes()));
        #[cfg(not(feature = "component"))]
        host.clear_blocks(0);
        let was_denied = host.limiter.denied.is_some();
        self.slot.release_tail();
        let instance_bytes = self.program.info().instance_bytes as usize;
        #[cfg(feature = "component")]
        let (is_component, live_bytes) = match &self.live {
            Some(live) => (live.is_idle(), live.bytes()),
            None => (false, 0),
        };
        #[cfg(not(feature = "component"))]
        let (is_component, live_bytes) = (false, 0);
        let is_kept = (self.instance.is_some() || is_component) && !was_denied;
        let parked = is_kept.then(|| Parked {
            slot: self.slot,
            instance: self.instance,
            #[cfg(feature = "component")]
            live: self.live,
            instance_bytes: instance_bytes.saturating_sub(INSTANCE_BYTES) + live_bytes,
        });
        (usage, parked)
    }
}
