//! A request and a response as values, free of sockets and of any HTTP crate.

use super::problem::Kind;
use super::request_id::RequestId;
use super::tokens::Role;
use crate::plugins::Plugin;
use std::borrow::Cow;
use std::sync::Arc;

/// A request whose body has been read.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The method, in upper case as sent.
    pub method: String,
    /// The path and query, as sent.
    pub target: String,
    /// The `Content-Type`, if one was sent.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// The head as it came, of requests whose answer may depend on it.
    pub head: Vec<u8>,
    /// What its token allows.
    pub role: Option<Role>,
    /// The client's address, if known.
    pub client: Option<std::net::IpAddr>,
    /// Its name.
    pub id: RequestId,
}

/// A response.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The `Content-Type`.
    pub content_type: Cow<'static, str>,
    /// Other headers.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Fuel that a run used, for the access log.
    pub fuel: Option<u64>,
    /// The problem that it tells of, if any.
    pub kind: Option<Kind>,
    /// The plug-in that it is about, if there is one.
    pub plugin: Option<Arc<Plugin>>,
}

/// `Content-Type` of text.
pub const TEXT: &str = "text/plain; charset=utf-8";
/// `Content-Type` of bytes that are no text.
pub const BYTES: &str = "application/octet-stream";
/// `Content-Type` of JSON.
pub const JSON: &str = "application/json";

impl Response {
    /// A response without extra headers.
    pub fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Response {
        Response {
            status,
            content_type: content_type.into(),
            headers: Vec::new(),
            body: body.into(),
            fuel: None,
            kind: None,
            plugin: None,
        }
    }

    /// The same response with one more header.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Response {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The value of the header `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}
