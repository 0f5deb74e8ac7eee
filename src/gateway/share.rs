//! The bytes that are held for a client.

use super::client::ClientKey;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// What a client has of the budget of bytes.
#[derive(Debug)]
pub struct Share {
    /// Whose it is.
    pub key: ClientKey,
    bytes: AtomicUsize,
}

impl Share {
    /// Nothing yet.
    pub fn new(key: ClientKey) -> Share {
        Share { key, bytes: AtomicUsize::new(0) }
    }

    /// Bytes held for it.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// Counts bytes that are held from now on.
    pub fn hold(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Relaxed);
    }

    /// Counts bytes that are not held any more.
    pub fn release(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Relaxed);
    }
}
