//! Requests over HTTP that this gateway has no free worker for, passed on to other nodes (`--spill nats`).
//!
//! They go where requests by NATS go, once: a node that gets one and is full as well passes it on as such, a few times at most.
//! If no node takes it, it waits for a worker here.

use super::execute::{FIELDS_BYTES, Passed, ask_others};
use super::message::{self, FIELDS_MAX, NODE, PROBLEM, STATUS, passes};
use super::node::Node;
use super::shared::{PASSING_MAX, Piece, Work};
use super::subject::{EXECUTE, Target, is_token};
use crate::gateway::http::cookies;
use crate::gateway::http::head::HEADERS_MAX;
use crate::gateway::http::message::{Request, Response};
use crate::gateway::http::overflow::{Answer, Overflow};
use crate::gateway::http::problem::{self, DEADLINE, LANE};
use crate::gateway::routes::cgi_response;
use crate::gateway::routes::execute_target::ExecuteTarget;
use async_nats::header::{HeaderName, HeaderValue};
use async_nats::{Client, HeaderMap, Message};
use bytes::Bytes;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// A request on its way.
struct Order {
    subject: String,
    headers: HeaderMap,
    body: Bytes,
    begin: Instant,
    timeout: Option<Duration>,
    is_head: bool,
    /// The path to the plug-in, which its cookies are held to.
    script: String,
    answer: Answer,
    _piece: Piece,
}

/// Takes requests from the gateway's threads.
pub struct Spill {
    client: Client,
    passing: Arc<Work>,
    orders: Sender<Order>,
}

impl Spill {
    /// What takes requests, and what they come out of.
    pub fn new(client: Client, passing: Arc<Work>) -> (Spill, Orders) {
        let (orders, taken) = mpsc::channel(PASSING_MAX);
        (Spill { client, passing, orders }, Orders(taken))
    }
}

impl Overflow for Spill {
    fn prepare(&self, request: &Request, begin: Instant) -> Option<Box<dyn FnOnce(Answer) + Send>> {
        // A route of a policy says where it is; another node would have the guest believe something else.
        if request.mount.is_some() || request.body.len() + FIELDS_BYTES > self.client.max_payload() {
            return None;
        }
        let target = ExecuteTarget::of(request);
        let subject = Target { plugin: target.name?.into_owned(), function: None }.subject(EXECUTE)?;
        let query = request.target.find('?').map_or("", |at| &request.target[at..]);
        let mut headers = fields(&request.head)?;
        message::set_line(&mut headers, &request.method, &format!("{}{query}", target.path_info));
        if !request.id.is_empty() {
            headers.insert("X-Request-Id", &*request.id);
        }
        let permit = self.orders.clone().try_reserve_owned().ok()?;
        let piece = self.passing.take(PASSING_MAX, request.body.len())?;
        let (body, script) = (Bytes::copy_from_slice(&request.body), target.script.to_string());
        let (timeout, is_head) = (request.timeout, request.is_head());
        Some(Box::new(move |answer| {
            let order =
                Order { subject, headers, body, begin, timeout, is_head, script, answer, _piece: piece };
            permit.send(order);
        }))
    }
}

/// The fields of a request that are passed on.
fn fields(head: &[u8]) -> Option<HeaderMap> {
    let mut parsed = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut parsed);
    request.parse(head.strip_prefix(b"\r\n").unwrap_or(head)).ok()?;
    let mut headers = HeaderMap::new();
    let mut count = 0;
    for field in request.headers.iter().filter(|field| passes(field.name)) {
        count += 1;
        if field.name.eq_ignore_ascii_case("x-request-id") {
            continue;
        }
        headers.append(HeaderName::from_str(field.name).ok()?, message::value_of(field.value)?);
    }
    (count <= FIELDS_MAX).then_some(headers)
}

/// The requests that came.
pub struct Orders(Receiver<Order>);

impl Orders {
    /// Passes them on, until the gateway is gone.
    pub async fn serve(mut self, node: Node) {
        while let Some(order) = self.0.recv().await {
            tokio::spawn(pass_on(node.clone(), order));
        }
    }
}

async fn pass_on(node: Node, order: Order) {
    let Order { subject, headers, body, begin, timeout, is_head, script, answer, _piece } = order;
    match ask_others(&node, subject, (headers, body), (1, timeout, begin)).await {
        Passed::Answered(message) => match response(*message, is_head, &script) {
            Some(response) if response.kind != Some(problem::BUSY) => answer.give(response),
            // All are full: it waits here.
            Some(_) => drop(answer),
            None => answer.give(Response::problem(LANE, "another node gave what is no response")),
        },
        Passed::Late => answer.give(match timeout.filter(|timeout| begin.elapsed() >= *timeout) {
            Some(_) => {
                Response::problem(DEADLINE, "the client's Fuelbox-Timeout passed, and no node had answered")
            }
            None => Response::problem(LANE, "another node took the request, and did not answer"),
        }),
        // Nobody has it.
        Passed::Nobody => drop(answer),
    }
}

/// A message as a response: as much of it as a program's output could set.
fn response(message: Message, is_head: bool, script: &str) -> Option<Response> {
    let headers = message.headers.unwrap_or_default();
    let text = |name: &str| headers.get(HeaderName::from_str(name).ok()?).map(HeaderValue::as_str);
    let status = text(STATUS)?.parse::<u16>().ok().filter(|status| (200..600).contains(status))?;
    let mut output = format!("Status: {status}\r\n").into_bytes();
    for (name, values) in headers.iter() {
        let name: &str = name.as_ref();
        for value in values.iter().filter(|_| passes(name)) {
            message::value_of(value.as_str().as_bytes())?;
            output.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
    }
    output.extend_from_slice(b"\r\n");
    output.extend_from_slice(&message.payload);
    let mut response = cgi_response::response(output, is_head, None).ok()?;
    // A head that is too long is taken for a part of the body, with the cookies that are in it.
    if response.body.len() > message.payload.len() {
        return None;
    }
    cookies::confine(&mut response, script);
    let kind = text(PROBLEM).unwrap_or_default();
    response.kind = problem::ALL.iter().find(|known| known.status == status && known.urn() == kind).copied();
    response.fuel = text("Fuel-Used").and_then(|fuel| fuel.parse().ok());
    let mut response = cgi_response::shielded(response);
    if let Some(fuel) = response.fuel {
        response = response.with("Fuel-Used", fuel.to_string());
    }
    match text(NODE).filter(|node| is_token(node)) {
        Some(node) => Some(response.with(NODE, node)),
        None => Some(response),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(fields: &[(&str, &str)], body: &'static [u8]) -> Message {
        let mut headers = HeaderMap::new();
        fields.iter().for_each(|(name, value)| headers.append(*name, *value));
        let subject = async_nats::Subject::from_static("_INBOX.x");
        let payload = Bytes::from_static(body);
        let (reply, status, description, length) = (None, None, None, 0);
        Message { subject, reply, payload, headers: Some(headers), status, description, length }
    }

    #[test]
    fn a_message_is_a_response_with_what_a_guest_could_set() {
        let fields = [
            ("Fuelbox-Status", "201"),
            ("Content-Type", "text/html"),
            ("Fuel-Used", "7"),
            ("Server", "forged"),
            ("Fuelbox-Node", "n2"),
            ("Content-Length", "99"),
            ("Transfer-Encoding", "chunked"),
            ("A-B", "c"),
        ];
        let made = response(message(&fields, b"body\r\n\r\n"), false, "/execute/a").unwrap();
        assert_eq!((made.status, &*made.body, made.fuel), (201, &b"body\r\n\r\n"[..], Some(7)));
        assert_eq!((made.header("Fuelbox-Node"), made.header("Fuel-Used")), (Some("n2"), Some("7")));
        assert_eq!((made.header("Server"), made.header("Content-Length")), (None, None));
        assert!(made.header("Content-Security-Policy").is_some(), "a guest's page stays in its sandbox");
        assert_eq!(made.header("Transfer-Encoding"), None);
    }

    #[test]
    fn what_is_no_response_is_none() {
        for status in ["", "0", "99", "100", "199", "600", "x", "200 OK", "65736"] {
            assert!(response(message(&[("Fuelbox-Status", status)], b""), false, "").is_none(), "{status}");
        }
        assert!(response(message(&[], b"HTTP/1.1 200 OK\r\n\r\n"), false, "").is_none());
        let smuggled = [("Fuelbox-Status", "200"), ("A", "b\x01c")];
        assert!(response(message(&smuggled, b""), false, "").is_none());
    }

    #[test]
    fn a_head_that_is_too_long_does_not_become_a_body() {
        let of = |count: usize| {
            let names: Vec<String> = (0..count).map(|n| format!("X-{n}")).collect();
            let mut fields = vec![("Fuelbox-Status", "200")];
            fields.extend(names.iter().map(|name| (name.as_str(), "secret")));
            response(message(&fields, b"body"), false, "")
        };
        assert_eq!(of(90).unwrap().body, b"body");
        assert!(of(101).is_none());
        let long = "v".repeat(200_000);
        assert!(response(message(&[("Fuelbox-Status", "200"), ("A", &long)], b"body"), false, "").is_none());
    }

    #[test]
    fn a_problem_is_known_again() {
        let fields = [("Fuelbox-Status", "503"), ("Fuelbox-Problem", "urn:fuelbox:problem:busy")];
        assert_eq!(response(message(&fields, b""), false, "").unwrap().kind, Some(problem::BUSY));
        let other = [("Fuelbox-Status", "200"), ("Fuelbox-Problem", "urn:fuelbox:problem:busy")];
        assert_eq!(response(message(&other, b""), false, "").unwrap().kind, None);
    }

    #[test]
    fn fields_of_a_request_are_passed_on_but_for_those_of_the_hop() {
        let head = b"POST /execute/a HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer t\r\nFuelbox-Hops: 9\r\n\
            Connection: close\r\nX-Forwarded-For: 192.0.2.1\r\nA: 1\r\nA: 2\r\n\r\n";
        let headers = fields(head).unwrap();
        assert_eq!(headers.len(), 2);
        assert_eq!(headers.get("Authorization").map(HeaderValue::as_str), Some("Bearer t"));
        assert!(fields(b"rubbish").is_none());
    }
}
