//! Answers of the door's own, and the access log.

use super::event_loop::Door;
use super::pending::{Place, Ready};
use crate::base::escape::cut;
use crate::base::limits::{LOG_METHOD_BYTES_MAX, LOG_TARGET_BYTES_MAX};
use crate::gateway::http::message::Response;
use crate::gateway::http::problem;
use crate::gateway::http::problem::{BUSY, Kind, LANE, RETRY_AFTER};
use crate::gateway::http::request_id::REQUEST_ID;
use crate::gateway::routes::counters::outcome;
use crate::plugins::registry::Plugin;
use log::Record;
use log::kv::Value;
use std::sync::Arc;
use std::time::Instant;

/// What the log calls the lines about requests.
const ACCESS: &str = "fuelbox::access";

/// No place became free in time for this request, or there is no room for it to wait.
pub fn busy(door: &Door, ready: &Ready) -> Response {
    let what = match ready.place() {
        Some(Place::Desk) => "other changes of plug-ins are being made; try again".into(),
        Some(Place::Guest) | None => {
            let (places, limits) = (door.crowd().places, &door.limits);
            format!(
                "no guest ended in time: {places} run at once (--workers), {} of one client (--client-share), and {} \
                 requests wait (--queue), {:?} at most (--queue-timeout); try again",
                limits.places_of_one(places),
                limits.queue,
                limits.queue_timeout
            )
        }
    };
    problem::response(BUSY, &what).with("Retry-After", RETRY_AFTER)
}

/// A lane broke under the request.
pub fn lost() -> Response {
    problem::response(LANE, "the request was lost inside the gateway; try again")
}

/// The response with the name of its request, which is nobody else's to set, and not to be taken for what it is not:
/// problems, too, tell what guests and clients said.
pub fn identified(mut response: Response, id: &str) -> Response {
    if response.header("X-Content-Type-Options").is_none() {
        response.headers.push(("X-Content-Type-Options".into(), "nosniff".into()));
    }
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
        crate::gateway::SERVER,
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
pub fn note(door: &Door, ready: &Ready, mut noted: Noted, begin: Instant) {
    // The door's own refusals do not know it.
    noted.plugin = noted.plugin.or_else(|| door.tally.plugin_of(&ready.target));
    door.tally.count(noted.plugin.as_deref(), noted.kind);
    if log::log_enabled!(target: ACCESS, log::Level::Info) {
        log_access(ready, &noted, begin);
    }
}

/// One line for each request: address, method, path, status, bytes, fuel, time, what came of it, and its name.
fn log_access(ready: &Ready, noted: &Noted, begin: Instant) {
    let Noted { status, bytes, fuel, kind, plugin } = noted;
    let Ready { method, target, request_id, .. } = ready;
    let (method, target) = (cut(method, LOG_METHOD_BYTES_MAX), cut(target, LOG_TARGET_BYTES_MAX));
    let outcome = outcome(*kind);
    let (id, ms) = (&**request_id, begin.elapsed().as_secs_f64() * 1000.0);
    let (client, message) = (ready.client.address.to_string(), format!("{method} {target} {status}"));
    let mut fields: Vec<(&str, Value<'_>)> = vec![
        ("message", message.as_str().into()),
        ("request_id", id.into()),
        ("client", client.as_str().into()),
        ("method", method.as_str().into()),
        ("path", target.as_str().into()),
        ("status", (*status).into()),
        ("outcome", outcome.into()),
        ("bytes", (*bytes).into()),
        ("ms", ((ms * 1000.0).round() / 1000.0).into()),
    ];
    fields.extend(plugin.as_ref().map(|plugin| ("plugin", plugin.name.as_str().into())));
    fields.extend(fuel.map(|fuel| ("fuel", fuel.into())));
    let fuel = fuel.map_or_else(|| "-".into(), |fuel| fuel.to_string());
    let target = target.escape_debug();
    log::logger().log(
        &Record::builder()
            .level(log::Level::Info)
            .target(ACCESS)
            .key_values(&fields)
            .args(format_args!(
                "{client} {method} {target} {status} {bytes} bytes {fuel} fuel {ms:.3} ms {outcome} {id}"
            ))
            .build(),
    );
}
