//! Warm instances: kept and reused between calls, for guests whose start-up costs more than their work.
//!
//! Such a guest can see everything that earlier calls left in its memory, globals and tables. An instance
//! serves one call at a time. It is kept only if its call succeeded and nothing was denied.

use super::parked::Parked;
use crate::base::limits::{INSTANCE_BYTES, WarmLimits};
use crate::base::lock::lock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

/// Bytes that the kept instances of all pools take.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    used: AtomicUsize,
}

impl Budget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> Arc<Budget> {
        Arc::new(Budget { limit, used: AtomicUsize::new(0) })
    }

    /// Bytes in use.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> bool {
        let grown = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown).is_ok()
    }
}

/// An instance, and its number of uses.
pub struct Warm {
    pub(crate) parked: Parked,
    uses: u32,
}

struct Kept {
    warm: Warm,
    since: Instant,
    bytes: usize,
}

/// The kept instances of one plug-in.
pub struct Pool {
    kept: Mutex<Vec<Kept>>,
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

    /// An empty pool.
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
        let kept = self.lock().pop()?;
        self.budget.used.fetch_sub(kept.bytes, Ordering::Relaxed);
        Some(kept.warm)
    }

    /// Keeps an instance after a call (its first one if `before` is `None`), or drops it if there are enough,
    /// or it was used enough.
    pub(crate) fn keep(&self, parked: Parked, before: Option<u32>) {
        let uses = before.unwrap_or(0) + 1;
        let bytes = parked.memory_bytes() + INSTANCE_BYTES;
        let mut kept = self.lock();
        if uses < self.limits.uses && kept.len() < self.limits.instances && self.budget.take(bytes) {
            kept.push(Kept { warm: Warm { parked, uses }, since: Instant::now(), bytes });
        }
    }

    /// Drops what has been idle for too long.
    pub fn expire(&self, now: Instant) {
        let mut gone = Vec::new();
        let mut kept = self.lock();
        // The longest idle one comes first.
        let is_old = |kept: &Kept| now.saturating_duration_since(kept.since) >= self.limits.idle;
        let old = kept.iter().take_while(|kept| is_old(kept)).count();
        gone.extend(kept.drain(..old));
        drop(kept);
        let bytes: usize = gone.iter().map(|kept| kept.bytes).sum();
        self.budget.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Kept>> {
        lock(&self.kept)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let bytes: usize = self.lock().iter().map(|kept| kept.bytes).sum();
        self.budget.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Warm {
    /// Number of its uses.
    pub(crate) fn uses(&self) -> u32 {
        self.uses
    }
}
