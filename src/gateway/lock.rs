//! Locks that a panic does not poison.

use std::sync::{Mutex, MutexGuard};

/// A lock whose holder panicked still guards sound data: every change under these locks is one step.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
