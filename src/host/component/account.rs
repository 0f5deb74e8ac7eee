//! What the host keeps of a component's data, in bytes: one account for all of its resources.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes that are kept.
#[derive(Clone, Default)]
pub struct Account(Arc<AtomicUsize>);

/// A share of them, given back when it is dropped.
pub struct Kept {
    account: Account,
    bytes: usize,
}

impl Account {
    /// A share without bytes.
    pub fn share(&self) -> Kept {
        Kept { account: self.clone(), bytes: 0 }
    }

    /// Bytes of all shares.
    pub fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Kept {
    /// Bytes of this share.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes `more` bytes, unless all shares had more than `limit` then. Whether it did.
    pub fn grow(&mut self, more: usize, limit: usize) -> bool {
        // A component has one thread.
        let all = self.account.bytes().saturating_add(more);
        if all > limit {
            return false;
        }
        self.account.0.store(all, Ordering::Relaxed);
        self.bytes += more;
        true
    }

    /// Gives `less` bytes back.
    pub fn shrink(&mut self, less: usize) {
        let less = less.min(self.bytes);
        self.bytes -= less;
        self.account.0.fetch_sub(less, Ordering::Relaxed);
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.shrink(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::Account;

    #[test]
    fn shares_have_one_limit() {
        let account = Account::default();
        let (mut a, mut b) = (account.share(), account.share());
        assert!(a.grow(6, 10) && b.grow(4, 10) && !b.grow(1, 10) && b.grow(1, 11));
        assert_eq!(account.bytes(), 11);
        a.shrink(2);
        a.shrink(usize::MAX);
        assert_eq!(account.bytes(), 5);
        assert!(!a.grow(usize::MAX, usize::MAX - 1));
        drop((a, b));
        assert_eq!(account.bytes(), 0);
    }
}
