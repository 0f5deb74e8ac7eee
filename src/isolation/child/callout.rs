//! HTTP calls of a guest in this process, which has no network: the server makes them.

use super::outlet::Frames;
use crate::base::limits::Limits;
use crate::base::lock::lock;
use crate::host::outbound::message::{Answered, OutRequest, Refusal, Why};
use crate::host::outbound::way::Remote;
use crate::isolation::call_wire::{answered, asked};
use crate::isolation::wire::Frame;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// The server.
#[derive(Debug)]
pub struct Server {
    frames: Arc<Mutex<Frames>>,
    /// Bytes of a request's body. The server would take a longer one for a fault of this process.
    request_bytes: usize,
}

impl Server {
    /// Over this connection, for a run under `limits`.
    pub fn new(frames: &Arc<Mutex<Frames>>, limits: &Limits) -> Server {
        Server { frames: Arc::clone(frames), request_bytes: limits.output_bytes }
    }
}

impl Remote for Server {
    /// The time is the server's: it answers in time, or kills this process.
    fn call(&self, request: &OutRequest, body: &[u8], _: Option<Instant>) -> Result<Answered, Refusal> {
        let failed = |what: &str| Refusal::new(Why::Host, format!("the HTTP call cannot be made: {what}"));
        let message = asked(request, body, self.request_bytes)?;
        let mut frames = lock(&self.frames);
        frames.send(Frame::Call, &[&message]);
        let message = frames.called().map_err(|error| failed(&error.to_string()))?;
        drop(frames);
        answered(message)
    }
}
