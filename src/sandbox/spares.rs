//! What runs of a program leave for the next ones: slots whose memory is zeroed, and regions, which the interpreter zeroes
//! for the next guest. No guest finds a byte of another run in them. How long a page takes to be used first does tell which
//! pages other runs have used (SECURITY.md).
//!
//! They save time and hold little memory: a second after their last use they are dropped, at the next use of the program or
//! by who looks after all programs.

use crate::base::limits::{
    INSTANCE_BYTES_MIN, REGION_KEPT_BYTES, SLOT_BYTES_LARGE_MAX, SLOT_BYTES_MAX, SLOT_BYTES_MIN,
    SPARE_BYTES_MAX, SPARE_IDLE,
};
use crate::base::lock::lock;
use crate::base::share::Budget;
use crate::sandbox::kept::{Kept, expired};
use crate::sandbox::region::Region;
use crate::sandbox::slot::Slot;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Instant;

/// Of the spares of this process.
static BUDGET: LazyLock<Arc<Budget>> = LazyLock::new(|| Budget::new(SPARE_BYTES_MAX));

/// What a run can begin with.
pub enum Spare {
    /// A slot, whose memory is zero.
    Slot(Box<Slot>),
    /// A region.
    Region(Region),
}

/// The spares of one program.
#[derive(Default)]
pub struct Spares(Mutex<Vec<Kept<Spare>>>);

impl Spares {
    /// What was used last and has `capacity` bytes for the memory. Without a memory, that is 0.
    pub fn take(&self, capacity: usize) -> Option<Spare> {
        let fits = |kept: &Kept<Spare>| match &kept.what {
            Spare::Slot(slot) => slot.capacity() >= capacity,
            Spare::Region(region) => capacity > 0 && region.len() >= capacity,
        };
        let mut spares = lock(&self.0);
        let last = spares.iter().rposition(fits)?;
        Some(spares.remove(last).what)
    }

    /// Keeps a slot after a run, or its region. The run ended well if `ended_well`; its instance took `instance_bytes`, and
    /// began with `declared_bytes` of memory.
    pub fn keep(
        &self,
        mut slot: Box<Slot>,
        ended_well: bool,
        (instance_bytes, declared_bytes): (usize, usize),
        now: Instant,
    ) {
        let instances = (INSTANCE_BYTES_MIN + instance_bytes).saturating_mul(slot.uses() as usize + 1);
        let most = (declared_bytes / 2).clamp(SLOT_BYTES_MAX, SLOT_BYTES_LARGE_MAX);
        if ended_well && instances <= most && slot.clean(declared_bytes) {
            let bytes = SLOT_BYTES_MIN + instances + slot.resident_bytes();
            return self.push(Spare::Slot(slot), bytes, now);
        }
        // Of a memory that grew, all pages are in use. The interpreter zeroes them for the next guest, as if they were new.
        let bytes = slot.memory_bytes();
        if ended_well && bytes > declared_bytes && bytes <= REGION_KEPT_BYTES {
            slot.release_tail();
            let Some(region) = slot.into_region() else { return };
            self.push(Spare::Region(region), bytes, now);
        }
    }

    fn push(&self, spare: Spare, bytes: usize, now: Instant) {
        if let Some(share) = BUDGET.take(bytes) {
            lock(&self.0).push(Kept::new(spare, share, now));
        }
        self.expire(now);
    }

    /// Drops what was not used for a second.
    pub fn expire(&self, now: Instant) {
        // They are dropped after the lock.
        let gone = expired(&mut lock(&self.0), now, SPARE_IDLE);
        drop(gone);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        lock(&self.0).is_empty()
    }
}
