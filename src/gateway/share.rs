//! What one client has of what all share: connections and bytes.

use super::client::ClientKey;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// What a client has.
#[derive(Debug)]
pub struct Share {
    /// Whose it is.
    pub key: ClientKey,
    connections: AtomicUsize,
    bytes: AtomicUsize,
}

impl Share {
    /// Nothing yet.
    pub fn new(key: ClientKey) -> Share {
        Share { key, connections: AtomicUsize::new(0), bytes: AtomicUsize::new(0) }
    }

    /// Open connections.
    pub fn connections(&self) -> usize {
        self.connections.load(Relaxed)
    }

    /// Counts a connection that has been opened.
    pub fn open(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    /// Counts a connection that has been closed.
    pub fn close(&self) {
        self.connections.fetch_sub(1, Relaxed);
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
