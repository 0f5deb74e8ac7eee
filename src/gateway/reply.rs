//! Answers of the door's own, and the access log.

use super::conn::Conn;
use super::door::Door;
use super::message::Response;
use super::problem::{self, BUSY, Kind, LANE};
use super::ready::Ready;
use super::request_id::REQUEST_ID;
use crate::plugins::Plugin;
use std::sync::Arc;
use std::time::Instant;

/// Seconds after which a client that found no place may try again.
const RETRY_AFTER: &str = "1";

/// No place among the running guests became free in time.
pub fn busy() -> Response {
    problem::response(BUSY, "no guest ended in time; try again").with("Retry-After", RETRY_AFTER)
}

/// A lane broke under the request.
pub fn lost() -> Response {
    problem::response(LANE, "the request was lost inside the gateway; try again")
}

/// The response with the name of its request, which is nobody else's to set.
pub fn identified(mut response: Response, id: &str) -> Response {
    response.headers.push((REQUEST_ID.into(), id.into()));
    response
}

/// The response as bytes, for what does not go through a lane.
pub fn render(response: &Response, is_head: bool, out: &mut Vec<u8>) {
    use std::io::Write;
    let reason = tiny_http::StatusCode(response.status).default_reason_phrase();
    // Writing to a Vec does not fail.
    let _ = write!(
        out,
        "HTTP/1.1 {} {reason}\r\nServer: {}\r\nDate: {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n",
        response.status,
        super::SERVER,
        httpdate::HttpDate::from(std::time::SystemTime::now()),
        response.content_type,
        response.body.len(),
    );
    for (name, value) in &response.headers {
        let _ = write!(out, "{name}: {value}\r\n");
    }
    out.extend_from_slice(b"\r\n");
    if !is_head {
        out.extend_from_slice(&response.body);
    }
}

/// What is noted of a response.
#[derive(Default)]
pub struct Noted {
    status: u16,
    bytes: usize,
    fuel: Option<u64>,
    kind: Option<Kind>,
    plugin: Option<Arc<Plugin>>,
}

impl Noted {
    /// What is noted of `response`.
    pub fn of(response: &Response) -> Noted {
        Noted {
            status: response.status,
            bytes: response.body.len(),
            fuel: response.fuel,
            kind: response.kind,
            plugin: response.plugin.clone(),
        }
    }
}

/// Counts and logs a request that has been answered.
pub fn note(door: &Door, conn: &Conn, ready: &Ready, noted: &Noted, begin: Instant) {
    door.tally.count(noted.plugin.as_deref(), &ready.target, noted.kind);
    log_access(conn, ready, noted, begin);
}

/// One line for each request: address, method, path, status, bytes, fuel, time.
fn log_access(conn: &Conn, ready: &Ready, noted: &Noted, begin: Instant) {
    if !log::log_enabled!(target: "fuelbox::access", log::Level::Info) {
        return;
    }
    let Noted { status, bytes, fuel, .. } = noted;
    let method = &ready.method;
    log::info!(
        target: "fuelbox::access",
        "{} {method} {} {status} {bytes} bytes {} fuel {:.3} ms",
        conn.client,
        ready.target.escape_debug(),
        fuel.map_or_else(|| "-".into(), |fuel| fuel.to_string()),
        begin.elapsed().as_secs_f64() * 1000.0,
    );
}
