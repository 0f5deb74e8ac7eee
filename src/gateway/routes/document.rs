//! Documents about the plug-ins that are written once and kept.

use crate::base::digest::Digest;
use crate::base::heap::{self, NoMemory};
use crate::base::lock::lock;
use crate::gateway::http::conditions::of_version;
use crate::gateway::http::message::{JSON, Request, Response};
use crate::runner::Runner;
use std::sync::Mutex;

/// A document about the plug-ins, in JSON. It is written again only when they have changed: with many it takes a while, and any
/// stranger may ask.
#[derive(Debug, Default)]
pub struct Document(Mutex<Option<(u64, Digest, String)>>);

impl Document {
    /// The answer to a request for it; `write` writes it.
    pub fn answer(
        &self,
        runner: &Runner,
        request: &Request,
        write: impl FnOnce() -> Result<String, NoMemory>,
    ) -> Response {
        // Before the plug-ins are looked at: one that comes meanwhile makes this an old version.
        let version = runner.plugins().version();
        let mut written = lock(&self.0);
        let known = written.take().filter(|(of, ..)| *of == version);
        let known =
            known.map_or_else(|| write().map(|text| (version, Digest::of(text.as_bytes()), text)), Ok);
        let Ok(known) = known else { return Response::no_memory() };
        let (_, digest, text) = written.insert(known);
        of_version(request, *digest, Response::new(200, JSON, ""), || heap::copy(text.as_bytes()))
    }
}
