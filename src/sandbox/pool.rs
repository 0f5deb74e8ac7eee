//! Warm instances: kept and reused between calls, for guests whose start-up costs more than their work.
//!
//! Such a guest can see everything that earlier calls left in its memory, globals and tables. An instance
//! serves one call at a time. It is kept only if its call succeeded and nothing was denied.

use super::kept::{Kept, expired};
use super::parked::Parked;
use crate::base::limits::{INSTANCE_BYTES, WarmLimits};
use crate::base::lock::lock;
pub use crate::base::share::Budget;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

/// An instance, and its number of uses.
pub struct Warm {
    pub(crate) parked: Parked,
    uses: u32,
}

/// The kept instances of one plug-in.
pub struct Pool {
    kept: Mutex<Vec<Kept<Warm>>>,
    limits: WarmLimits,
    budget: Arc<Budget>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("kept", &self.lock().len()).finish_non_exhaustive()
    }
}

impl Pool {
    /// Its limits.
    #[cfg(feature = "isolation")]
    pub fn limits(&self) -> &WarmLimits {
        &self.limits
    }

    /// An empty pool, whose instances take of `budget`, as those of other pools may.
    pub fn new(limits: &WarmLimits, budget: &Arc<Budget>) -> Pool {
        Pool { kept: Mutex::new(Vec::new()), limits: limits.clone(), budget: Arc::clone(budget) }
    }

    /// The maximum number of kept instances.
    pub fn most(&self) -> usize {
        self.limits.instances
    }

    /// The number of kept instances.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether no instance is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the most recently used instance, so that superfluous ones become idle.
    pub(crate) fn take(&self) -> Option<Warm> {
        self.lock().pop().map(|kept| kept.what)
    }

    /// Keeps an instance after a call (its first one if `before` is `None`), or drops it if there are enough,
    /// or it was used enough.
    pub(crate) fn keep(&self, parked: Parked, before: Option<u32>) {
        let uses = before.unwrap_or(0) + 1;
        let bytes = parked.memory_bytes() + INSTANCE_BYTES;
        let mut kept = self.lock();
        if uses < self.limits.uses
            && kept.len() < self.limits.instances
            && let Some(share) = self.budget.take(bytes)
        {
            kept.push(Kept::new(Warm { parked, uses }, share, Instant::now()));
        }
    }

    /// Drops what has been idle for too long.
    pub fn expire(&self, now: Instant) {
        // They are dropped after the lock.
        let gone = expired(&mut self.lock(), now, self.limits.idle);
        drop(gone);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Kept<Warm>>> {
        lock(&self.kept)
    }
}

impl Warm {
    /// Number of its uses.
    pub(crate) fn uses(&self) -> u32 {
        self.uses
    }
}
