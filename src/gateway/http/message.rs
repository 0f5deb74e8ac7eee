//! A request and a response as values, free of sockets and of any HTTP crate.

use super::problem::Kind;
use super::request_id::RequestId;
use super::tokens::Role;
use crate::plugins::registry::Plugin;
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

    /// Whether its status says that there is no content, and so nothing to say of any (RFC 9110, sections 15.3.5, 15.3.6
    /// and 15.4.5).
    pub fn is_empty_by_status(&self) -> bool {
        matches!(self.status, 204 | 205 | 304)
    }

    /// Whether it has a `Content-Length` as the answer to HEAD, or to another method (RFC 9110, section 8.6). With 204 there
    /// is none; with 304, and HEAD, it would be that of another answer, which is not here: a program may know it.
    pub fn says_length(&self, is_head: bool) -> bool {
        match self.status {
            204 | 304 => false,
            205 => true,
            _ => !(is_head && self.body.is_empty() && self.header("Content-Length").is_none()),
        }
    }

    /// The value of the header `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}
