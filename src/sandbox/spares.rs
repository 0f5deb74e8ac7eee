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
use crate::base::share::{Quota, Share};
use crate::sandbox::region::Region;
use crate::sandbox::slot::Slot;
use std::sync::Mutex;
use std::time::Instant;

/// Of the spares of this process.
static QUOTA: Quota = Quota::new(SPARE_BYTES_MAX);

enum What {
    Slot(Box<Slot>),
    Region(Region),
}

struct Spare {
    what: What,
    since: Instant,
    _share: Share,
}

/// The spares of one program.
#[derive(Default)]
pub struct Spares(Mutex<Vec<Spare>>);

/// What a run begins with.
#[derive(Default)]
pub enum Begin {
    /// Nothing is there.
    #[default]
    Afresh,
    /// A region.
    Region(Region),
    /// A slot, whose memory is zero.
    Slot(Box<Slot>),
}

impl Spares {
    /// What was used last and has `capacity` bytes for the memory. Without a memory, that is 0.
    pub fn take(&self, capacity: usize) -> Begin {
        let mut spares = lock(&self.0);
        let fits = |spare: &Spare| match &spare.what {
            What::Slot(slot) => slot.capacity() >= capacity,
            What::Region(region) => capacity > 0 && region.len() >= capacity,
        };
        let Some(last) = spares.iter().rposition(fits) else { return Begin::Afresh };
        let spare = spares.remove(last);
        drop(spares);
        match spare.what {
            What::Slot(slot) => Begin::Slot(slot),
            What::Region(region) => Begin::Region(region),
        }
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
            return self.push(What::Slot(slot), bytes, now);
        }
        // Of a memory that grew, all pages are in use. The interpreter zeroes them for the next guest, as if they were new.
        let bytes = slot.memory_bytes();
        if ended_well && bytes > declared_bytes && bytes <= REGION_KEPT_BYTES {
            slot.release_tail();
            let Some(region) = slot.into_region() else { return };
            self.push(What::Region(region), bytes, now);
        }
    }

    fn push(&self, what: What, bytes: usize, now: Instant) {
        let Some(share) = QUOTA.take(bytes) else { return };
        let spare = Spare { what, since: now, _share: share };
        let mut spares = lock(&self.0);
        spares.push(spare);
        let gone = expired(&mut spares, now);
        drop(spares);
        drop(gone);
    }

    /// Drops what was not used for a second.
    pub fn expire(&self, now: Instant) {
        let gone = expired(&mut lock(&self.0), now);
        drop(gone);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        lock(&self.0).is_empty()
    }
}

/// Takes out what has been idle for too long; the longest idle comes first.
fn expired(spares: &mut Vec<Spare>, now: Instant) -> Vec<Spare> {
    let is_old = |spare: &Spare| now.saturating_duration_since(spare.since) >= SPARE_IDLE;
    let old = spares.iter().take_while(|spare| is_old(spare)).count();
    spares.drain(..old).collect()
}
