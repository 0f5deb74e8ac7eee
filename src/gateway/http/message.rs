//! A request and a response as values, free of sockets and of any HTTP crate.

use super::client::Client;
use super::head::Head;
use super::problem::{BUSY, Kind, METHOD, NO_MEMORY, TOKEN_NEEDED};
use super::reject::NO_MEMORY_DETAIL;
use super::request_id::RequestId;
use super::route::{Class, Route};
use super::tokens::Role;
use crate::plugins::registry::Plugin;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// A request. Its body comes in after its head.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The method, in upper case as sent.
    pub method: String,
    /// The target in origin form: path and query, as sent.
    pub target: String,
    /// The target's route.
    pub route: Route,
    /// The plug-in's own route, if the target is of one.
    pub mount: Option<Mount>,
    /// The `Content-Type`, if one was sent.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// The head as it came, if the route's handler may look at it.
    pub head: Vec<u8>,
    /// What its token allows.
    pub role: Option<Role>,
    /// The client.
    pub client: Client,
    /// How long the client waits for the response, from when the request is whole; none if it does not say so.
    pub timeout: Option<Duration>,
    /// The request ID; empty until the request is whole, if its client sent none.
    pub id: RequestId,
    /// Whether the connection may go on after the response.
    pub keep_alive: bool,
}

/// A route that a plug-in's policy names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The plug-in.
    pub plugin: String,
    /// The function that answers, if the route names one.
    pub function: Option<String>,
    /// The route as the policy has it.
    pub route: String,
    /// Bytes of the target's path that are the route's; what follows is for the plug-in.
    pub script: usize,
}

impl Request {
    /// Has the plug-in of `mount` answer this request, whose head is `raw`.
    pub fn mounted(&mut self, mount: Mount, raw: &[u8]) {
        self.route = Route::Execute;
        self.mount = Some(mount);
        self.head = raw.to_vec();
    }

    /// The request of `client` with this head, which is `raw`; its body comes later.
    pub fn new(head: &Head<'_>, raw: &[u8], client: Client, role: Option<Role>) -> Request {
        Request {
            method: head.method.into(),
            target: head.target.into(),
            route: head.route,
            mount: None,
            content_type: head.content_type.map(str::to_string),
            body: Vec::new(),
            head: if head.route.needs_head() { raw.to_vec() } else { Vec::new() },
            role,
            client,
            timeout: head.timeout,
            id: head.request_id.map(RequestId::from).unwrap_or_default(),
            keep_alive: head.keep_alive,
        }
    }

    /// A stand-in for a request of `client` whose head could not be parsed; it begins with `bytes`. Whether it is HEAD is
    /// known all the same: then the response has no body.
    pub fn unknown(client: Client, bytes: &[u8]) -> Request {
        let bytes = bytes.strip_prefix(b"\r\n").unwrap_or(bytes);
        let method = if bytes.starts_with(b"HEAD ") { "HEAD" } else { "-" };
        Request { method: method.into(), target: "-".into(), client, ..Request::default() }
    }

    /// Bytes that it takes.
    pub fn held(&self) -> usize {
        let content_type = self.content_type.as_ref().map_or(0, String::capacity);
        self.method.capacity()
            + self.target.capacity()
            + content_type
            + self.head.capacity()
            + self.body.capacity()
    }

    /// Whether its token may deploy.
    pub fn deploys(&self) -> bool {
        self.role == Some(Role::Deploy)
    }

    /// Its admission class, if it needs admission.
    pub fn class(&self) -> Option<Class> {
        self.route.class(self.role)
    }

    /// Whether the response must have no body.
    pub fn is_head(&self) -> bool {
        self.method == "HEAD"
    }
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
    /// More of it, if it is a failure of the server.
    pub failure: Option<Box<Failure>>,
    /// The plug-in that it is about, if there is one.
    pub plugin: Option<Arc<Plugin>>,
    /// Trailers, for a client that takes them.
    pub trailers: Vec<(String, String)>,
    /// Whether it is the end of a response that was begun before: the rest of its body, and its trailers.
    pub ends_stream: bool,
    /// Bytes of its body that were sent before.
    pub sent_bytes: u64,
}

/// What the log and the list of failures have of a failure (5xx).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// What happened.
    pub detail: String,
    /// The function that was called.
    pub function: Option<String>,
    /// The last lines of the guest's output.
    pub output: Vec<String>,
    /// The chain of calls in which it was stopped, if its policy has it traced.
    pub trace: Vec<String>,
}

/// `Content-Type` of text.
pub const TEXT: &str = "text/plain; charset=utf-8";
/// `Content-Type` of bytes that are no text.
pub const BYTES: &str = "application/octet-stream";
/// `Content-Type` of JSON.
pub const JSON: &str = "application/json";

/// Seconds after which a client may try again that found all workers busy, or no memory.
const RETRY_AFTER: &str = "1";

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
            failure: None,
            plugin: None,
            trailers: Vec::new(),
            ends_stream: false,
            sent_bytes: 0,
        }
    }

    /// The response for a problem, with `detail` about this occurrence: `application/problem+json` (RFC 9457).
    pub fn problem(kind: Kind, detail: &str) -> Response {
        let body = serde_json::json!({
            "type": kind.urn(),
            "title": kind.title,
            "status": kind.status,
            "detail": detail,
        });
        let response = Response::new(kind.status, "application/problem+json", body.to_string() + "\n");
        let passes = [NO_MEMORY, BUSY].contains(&kind);
        let response = if passes { response.with("Retry-After", RETRY_AFTER) } else { response };
        let failure = (kind.status >= 500).then(|| Failure { detail: detail.into(), ..Failure::default() });
        Response { kind: Some(kind), failure: failure.map(Box::new), ..response }
    }

    /// The response by `answer` if the method is in `allow`, and otherwise 405.
    pub fn only(
        request: &Request,
        allow: &'static str,
        answer: impl FnOnce(&Request) -> Response,
    ) -> Response {
        if allow.split(", ").any(|allowed| allowed == request.method) {
            return answer(request);
        }
        Response::not_allowed(allow)
    }

    /// The response to a request by a method that is not in `allow`.
    pub fn not_allowed(allow: &'static str) -> Response {
        Response::problem(METHOD, &format!("this path takes {allow}")).with("Allow", allow)
    }

    /// The response to a request without the token that is needed (RFC 6750, section 3).
    pub fn token_needed(what: &str) -> Response {
        let detail = format!("{what} needs `Authorization: Bearer TOKEN`");
        Response::problem(TOKEN_NEEDED, &detail).with("WWW-Authenticate", "Bearer realm=\"fuelbox\"")
    }

    /// The response to a request that there is too little memory for.
    pub fn no_memory() -> Response {
        Response::problem(NO_MEMORY, NO_MEMORY_DETAIL)
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
