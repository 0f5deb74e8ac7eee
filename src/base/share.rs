//! Shares of what a process has of something: counted as long as they are held.

use std::sync::atomic::{AtomicUsize, Ordering};

/// A number of bytes that all of the process may hold of something.
#[derive(Debug)]
pub struct Quota {
    limit: usize,
    used: AtomicUsize,
}

impl Quota {
    /// A quota of `limit` bytes.
    pub const fn new(limit: usize) -> Quota {
        Quota { limit, used: AtomicUsize::new(0) }
    }

    /// A share of it. None if not so much is left.
    pub fn take(&'static self, bytes: usize) -> Option<Share> {
        let more = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        let taken = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.ok().map(|_| Share { of: self, bytes })
    }
}

/// A share of a quota, which has it back when this is dropped.
#[derive(Debug)]
pub struct Share {
    of: &'static Quota,
    bytes: usize,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_counted_while_they_are_held() {
        static QUOTA: Quota = Quota::new(10);
        let first = QUOTA.take(6).unwrap();
        assert!(QUOTA.take(5).is_none() && QUOTA.take(usize::MAX).is_none());
        let second = QUOTA.take(4).unwrap();
        assert!(QUOTA.take(1).is_none());
        drop(first);
        assert!(QUOTA.take(7).is_none());
        drop((QUOTA.take(6).unwrap(), second));
        assert!(QUOTA.take(10).is_some());
    }
}
