//! A response that a program gives while it runs: its head is what a CGI program prints, and is checked as that.

use super::cgi_response;
use crate::base::lock::lock;
use crate::base::outcome::Stop;
use crate::gateway::http::cookies;
use crate::gateway::http::stream::{Framing, Stream, Unsent};
use crate::host::reply::{Recipient, Taken, Trailers};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// What came of a response until the run ended.
#[derive(Default)]
pub struct Progress {
    /// Whether it was begun.
    pub has_begun: bool,
    /// Bytes of the body that are to follow, if the head says so.
    pub left: Option<u64>,
    /// Trailers.
    pub trailers: Trailers,
}

/// A response on its way from a program to its client.
pub struct Streamed {
    client: Box<dyn Stream>,
    progress: Arc<Mutex<Progress>>,
    /// The path of the program, which its cookies are held to.
    script: String,
    /// The content type of the policy.
    usual: Option<String>,
}

impl Streamed {
    /// To `client`. The second part tells what came of it.
    pub fn new(
        client: Box<dyn Stream>,
        script: &str,
        usual: Option<&str>,
    ) -> (Streamed, Arc<Mutex<Progress>>) {
        let progress = Arc::<Mutex<Progress>>::default();
        let (script, usual) = (script.to_string(), usual.map(str::to_string));
        (Streamed { client, progress: Arc::clone(&progress), script, usual }, progress)
    }

    /// Begins the response, and gives what there is of its body.
    fn begin(&mut self, first: &[u8]) -> Result<(Vec<u8>, Option<u64>), Stop> {
        let (mut response, length) =
            cgi_response::begun(first, self.usual.as_deref()).map_err(Stop::Convention)?;
        let body = std::mem::take(&mut response.body);
        if length.is_some_and(|length| length < body.len() as u64) {
            return Err(too_long());
        }
        cookies::confine(&mut response, &self.script);
        let framing = length.map_or(Framing::Chunked, Framing::Length);
        self.client.begin(cgi_response::shielded(response), framing).map_err(stop)?;
        Ok((body, length))
    }

    fn send(&mut self, body: &[u8], until: Option<Instant>) -> Result<Taken, Stop> {
        if let Some(left) = &mut lock(&self.progress).left {
            *left = left.checked_sub(body.len() as u64).ok_or_else(too_long)?;
        }
        match self.client.send(body, until) {
            Ok(()) => Ok(Taken::All),
            Err(Unsent::Late) => Ok(Taken::Late),
            Err(unsent) => Err(stop(unsent)),
        }
    }
}

impl Recipient for Streamed {
    fn take(&mut self, piece: &[u8], until: Option<Instant>) -> Result<Taken, Stop> {
        if lock(&self.progress).has_begun {
            return self.send(piece, until);
        }
        let (body, length) = self.begin(piece)?;
        *lock(&self.progress) = Progress { has_begun: true, left: length, trailers: Trailers::new() };
        self.send(&body, until)
    }

    fn trailers(&mut self, trailers: Trailers) {
        lock(&self.progress).trailers = trailers;
    }
}

/// A guest is told when it writes too much. One that has its process may not care.
fn too_long() -> Stop {
    Stop::Convention("the response's body is longer than its content-length".into())
}

fn stop(unsent: Unsent) -> Stop {
    match unsent {
        Unsent::NoRoom => Stop::NoMemory { what: "a response" },
        Unsent::Gone | Unsent::Late => Stop::OutputClosed,
    }
}
