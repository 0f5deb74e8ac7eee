//! A store for instances, one after the other, and the region that their memory is in.
#![allow(unsafe_code)]

use crate::host::linker::Imported;
use crate::host::store::Host;
use crate::sandbox::region::{self, Region};
use std::ops::Range;
use wasmi::{
    AsContext, AsContextMut, Error, Extern, Instance, Memory, MemoryType, Module, Store, StoreContext,
    StoreContextMut,
};

/// After this use, it is found out for the first time which pages instances use. After the first use, all pages may be in
/// use, because the interpreter zeroes a memory that it makes.
const LEARNS_FIRST: u32 = 2;

/// After so many times more uses, it is found out again.
const LEARNS_EVERY: u32 = 8;

/// A store, and the region that the memory of its instances is in. It is never given away, only borrowed: so nothing of
/// the store is left when the region goes.
pub struct Slot {
    // Fields are dropped in their order: the store before the region.
    store: Store<Host>,
    region: Option<Region>,
    memory: Option<Memory>,
    /// What the module imports. Empty before the first instance.
    imports: Vec<Extern>,
    /// Ranges of the memory that instances are known to use.
    used: Vec<Range<usize>>,
    uses: u32,
    learns_at: u32,
    /// Whether pages after the memory may be in use, by a larger memory that was in the region before.
    has_tail: bool,
}

impl AsContext for Slot {
    type Data = Host;
    fn as_context(&self) -> StoreContext<'_, Host> {
        self.store.as_context()
    }
}

impl AsContextMut for Slot {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, Host> {
        self.store.as_context_mut()
    }
}

impl Slot {
    /// A slot without an instance.
    pub fn new(mut store: Store<Host>) -> Slot {
        store.limiter(|host| &mut host.limiter);
        Slot {
            store,
            region: None,
            memory: None,
            imports: Vec::new(),
            used: Vec::new(),
            uses: 0,
            learns_at: LEARNS_FIRST,
            has_tail: true,
        }
    }

    /// Whether it has had no instance yet.
    pub fn is_new(&self) -> bool {
        self.uses == 0
    }

    /// Instances that it has had.
    pub fn uses(&self) -> u32 {
        self.uses
    }

    /// The host's data.
    pub fn data(&self) -> &Host {
        self.store.data()
    }

    /// The same, writable.
    pub fn data_mut(&mut self) -> &mut Host {
        self.store.data_mut()
    }

    /// Fuel that is left. Fuel metering is always on (`sandbox/engine.rs`), so there is a number.
    pub fn fuel(&self) -> u64 {
        self.store.get_fuel().unwrap_or(0)
    }

    /// Sets the fuel that is left.
    pub fn set_fuel(&mut self, fuel: u64) {
        // Fails only without fuel metering.
        let _ = self.store.set_fuel(fuel);
    }

    /// Bytes of its region; 0 without one.
    pub fn capacity(&self) -> usize {
        self.region.as_ref().map_or(0, Region::len)
    }

    /// Makes what a module imports: `functions`, and then a memory of this type, in a region if there is one.
    ///
    /// # Errors
    /// The limiter denied the memory, or the system has none.
    pub fn import(
        &mut self,
        functions: &[Imported],
        memory: Option<(MemoryType, Option<Region>)>,
    ) -> Result<(), Error> {
        self.imports =
            functions.iter().map(|function| Extern::Func(function.create(&mut self.store))).collect();
        let Some((ty, region)) = memory else { return Ok(()) };
        let memory = match region {
            Some(region) if self.region.is_none() => {
                let region = self.region.insert(region);
                self.store.data_mut().limiter.reserved_bytes = region.len();
                // SAFETY: only the store's memory has the slice. The region stays where it is, in a field that is never
                // replaced while it is there, until the slot is dropped; and before it, the store is.
                Memory::new_static(&mut self.store, ty, unsafe { region.bytes() })
            }
            _ => Memory::new(&mut self.store, ty),
        }?;
        self.memory = Some(memory);
        self.imports.push(Extern::Memory(memory));
        Ok(())
    }

    /// Makes an instance.
    ///
    /// # Errors
    /// The limiter denied something, or a segment does not fit.
    pub fn instantiate(&mut self, module: &Module) -> Result<Instance, Error> {
        self.uses += 1;
        Instance::new(&mut self.store, module, &self.imports)
    }

    /// Gives back pages after the memory that a larger one left in use.
    pub fn release_tail(&mut self) {
        if let (Some(region), Some(memory), true) = (&self.region, self.memory, self.has_tail) {
            let (begin, len) = (memory.data_ptr(&self.store), memory.data_size(&self.store));
            // SAFETY: the memory lies in this region. The interpreter refers to no byte after its length: it zeroes them when
            // the memory grows, which needs the store, as this does.
            unsafe { region::release_tail(begin, len, region.len()) };
        }
        self.has_tail = false;
    }

    /// Zeroes the memory, for the next instance. False if that cannot be, because the memory is no longer as an instance
    /// finds it, or lies elsewhere.
    #[must_use]
    pub fn clean(&mut self, declared_bytes: usize) -> bool {
        let Some(memory) = self.memory else { return true };
        self.release_tail();
        let bytes = memory.data_mut(&mut self.store);
        if self.region.is_none() || bytes.len() != declared_bytes {
            return false;
        }
        if self.uses >= self.learns_at {
            self.learns_at = self.uses.saturating_mul(LEARNS_EVERY);
            self.used = region::in_use(bytes).unwrap_or_default();
        }
        region::zero(bytes, &self.used);
        true
    }

    /// Bytes of the memory. 0 without one.
    pub fn memory_bytes(&self) -> usize {
        self.memory.map_or(0, |memory| memory.data_size(&self.store))
    }

    /// Bytes of pages that stay with the process after [`Slot::clean`].
    pub fn resident_bytes(&self) -> usize {
        self.used.iter().map(Range::len).sum()
    }

    /// The region alone.
    pub fn into_region(self) -> Option<Region> {
        let Slot { store, region, .. } = self;
        drop(store);
        region
    }
}
