//! Responses to HTTP calls that the host keeps for a guest between its calls.

use crate::host::outbound::message::OutResponse;
use std::collections::BTreeMap;

/// What is kept of the last response to an Extism plug-in.
#[derive(Default)]
pub struct Last {
    /// Its status.
    pub status: u16,
    /// Its header fields, as JSON.
    pub headers: Vec<u8>,
}

/// A response of which the guest has a handle.
pub struct Session {
    /// Its head.
    pub response: OutResponse,
    /// Its body.
    pub body: Vec<u8>,
    /// Bytes of the body that were read.
    pub read: usize,
    /// Bytes that it counts for.
    pub cost: usize,
}

/// Responses by their handles.
#[derive(Default)]
pub struct Sessions {
    /// By their handles.
    pub open: BTreeMap<u32, Session>,
    /// The next handle.
    pub next: u32,
}

impl Sessions {
    /// The response with this handle.
    pub fn get(&mut self, handle: u32) -> Option<&mut Session> {
        self.open.get_mut(&handle)
    }
}
