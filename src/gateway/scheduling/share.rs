//! A client's part of the budget of bytes, and whether its requests run guests.

use crate::gateway::http::client::ClientKey;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// A client's part of the budget of bytes.
#[derive(Debug)]
pub struct Share {
    /// Whose it is.
    pub key: ClientKey,
    bytes: AtomicUsize,
    runs_guests: AtomicBool,
}

impl Share {
    /// Nothing yet.
    pub fn new(key: ClientKey) -> Share {
        Share { key, bytes: AtomicUsize::new(0), runs_guests: AtomicBool::new(true) }
    }

    /// Notes whether its last request runs a guest.
    pub fn set_runs_guests(&self, runs: bool) {
        if self.runs_guests() != runs {
            self.runs_guests.store(runs, Relaxed);
        }
    }

    /// Whether its last request ran a guest, as far as is known.
    pub fn runs_guests(&self) -> bool {
        self.runs_guests.load(Relaxed)
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
