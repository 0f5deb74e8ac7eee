//! A request on its way from the door to a lane.

use super::client::Client;
use crate::gateway::http::http1::Head;
use crate::gateway::http::request_id::RequestId;
use crate::gateway::http::tokens::Role;
use crate::gateway::routes::deployment::PLUGINS;
use crate::gateway::routes::execute::{EXECUTE, LISTING};
use crate::gateway::routes::status::METRICS;
use crate::gateway::routes::{console, openapi};
use crate::gateway::workers::lane::Message;

/// How those begin whose answer depends on the headers; so does the console's.
const HEADED: [&str; 4] = [EXECUTE, METRICS, LISTING, openapi::PATH];

/// What a request needs a place at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Among the running guests.
    Guest,
    /// At the desk where plug-ins are changed. It is not among the guests: when they take all places, their
    /// operator must still get in.
    Desk,
}

/// A plug-in's name, and how many of its requests may run at once.
pub type Share = (String, usize);

/// A request that has been received whole (or will have been, while its body comes in).
#[derive(Debug, Clone, Default)]
pub struct Ready {
    /// The method.
    pub method: String,
    /// The target in origin form.
    pub target: String,
    /// The `Content-Type`.
    pub content_type: Option<String>,
    /// Whose it is.
    pub client: Client,
    /// The body.
    pub body: Vec<u8>,
    /// The head as it came, if the answer may depend on it.
    pub head: Vec<u8>,
    /// Whether the connection may go on after the response.
    pub keep_alive: bool,
    /// Its name; empty until the door gives it one, if its client did not.
    pub request_id: RequestId,
    /// What its token allows.
    pub role: Option<Role>,
    /// What it counts as at the gate, if its plug-in may not have all places.
    pub share: Option<Share>,
}

impl Ready {
    /// The request of `client` with this head, which is `raw`; its body comes later.
    pub fn new(head: &Head<'_>, raw: &[u8], client: Client, role: Option<Role>) -> Ready {
        let is_console = head.target.split('?').next() == Some(console::PATH);
        let needs_head = is_console || HEADED.iter().any(|path| head.target.starts_with(path));
        Ready {
            method: head.method.into(),
            target: head.target.into(),
            content_type: head.content_type.map(str::to_string),
            client,
            body: Vec::new(),
            head: if needs_head { raw.to_vec() } else { Vec::new() },
            keep_alive: head.keep_alive,
            request_id: head.request_id.map(RequestId::from).unwrap_or_default(),
            role,
            share: None,
        }
    }

    /// What stands for a request of `client` that begins with `bytes` and has no head that could be read. Whether it is
    /// HEAD is known all the same: then nothing but a head may answer it.
    pub fn unknown(client: Client, bytes: &[u8]) -> Ready {
        let bytes = bytes.strip_prefix(b"\r\n").unwrap_or(bytes);
        let method = if bytes.starts_with(b"HEAD ") { "HEAD" } else { "-" };
        Ready { method: method.into(), target: "-".into(), client, ..Ready::default() }
    }

    /// Bytes that it takes, with those that its message will.
    pub fn held(&self) -> usize {
        let texts = self.method.capacity() + 2 * self.target.capacity() + self.head.capacity();
        let content_type = self.content_type.as_ref().map_or(0, |text| 2 * text.capacity());
        texts + content_type + self.body.capacity()
    }

    /// Turns its body, and a copy of the rest, into what a lane carries.
    pub fn message(&mut self) -> Message {
        let body = std::mem::take(&mut self.body);
        Message::new(&self.method, &self.target, self.content_type.as_deref(), body)
    }

    /// Whether it comes from who may change plug-ins.
    pub fn deploys(&self) -> bool {
        self.role == Some(Role::Deploy)
    }

    /// The place that it needs, if any.
    pub fn place(&self) -> Option<Place> {
        if self.target.starts_with(EXECUTE) {
            return Some(Place::Guest);
        }
        (self.deploys() && self.target.starts_with(PLUGINS)).then_some(Place::Desk)
    }
}
