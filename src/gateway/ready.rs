//! A request on its way from the door to a lane.

use super::http1::Head;
use super::lane::Message;
use super::own::METRICS;
use super::request_id::RequestId;

/// How the targets of requests begin that run guests.
const EXECUTE: &str = "/execute/";

/// How those begin whose answer depends on the headers.
const HEADED: [&str; 2] = [EXECUTE, METRICS];

/// A request that has been received whole (or will have been, while its body comes in).
#[derive(Debug, Clone, Default)]
pub struct Ready {
    /// The method.
    pub method: String,
    /// The target in origin form.
    pub target: String,
    /// The `Content-Type`.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// The head as it came, if the answer may depend on it.
    pub head: Vec<u8>,
    /// Whether the connection may go on after the response.
    pub keep_alive: bool,
    /// Its name; empty until the door gives it one, if its client did not.
    pub request_id: RequestId,
}

impl Ready {
    /// The request with this head, which is `raw`; its body comes later.
    pub fn new(head: &Head<'_>, raw: &[u8]) -> Ready {
        let needs_head = HEADED.iter().any(|path| head.target.starts_with(path));
        Ready {
            method: head.method.into(),
            target: head.target.into(),
            content_type: head.content_type.map(str::to_string),
            body: Vec::new(),
            head: if needs_head { raw.to_vec() } else { Vec::new() },
            keep_alive: head.keep_alive,
            request_id: head.request_id.map(RequestId::from).unwrap_or_default(),
        }
    }

    /// What stands for a request of which nothing is known.
    pub fn unknown() -> Ready {
        Ready { method: "-".into(), target: "-".into(), ..Ready::default() }
    }

    /// Turns its body, and a copy of the rest, into what a lane carries.
    pub fn message(&mut self) -> Message {
        let body = std::mem::take(&mut self.body);
        Message::new(&self.method, &self.target, self.content_type.as_deref(), body)
    }

    /// Whether it runs a guest, and so needs a place among the running ones.
    pub fn needs_guest(&self) -> bool {
        self.target.starts_with(EXECUTE)
    }
}
