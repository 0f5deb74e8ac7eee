//! The access log.

use super::counters::outcome;
use crate::base::escape::cut;
use crate::base::limits::{LOG_METHOD_BYTES_MAX, LOG_TARGET_BYTES_MAX};
use crate::gateway::http::message::{Request, Response};
use crate::plugins::registry::Plugin;
use log::Record;
use log::kv::Value;
use std::time::Instant;

/// What the log calls the lines about requests.
const ACCESS: &str = "fuelbox::access";

/// One line for each request: address, method, path, status, bytes, fuel, time, what came of it, and its name.
pub fn log(request: &Request, response: &Response, plugin: Option<&Plugin>, begin: Instant) {
    if !log::log_enabled!(target: ACCESS, log::Level::Info) {
        return;
    }
    let Response { status, body, fuel, kind, sent_bytes, .. } = response;
    let Request { method, target, id, .. } = request;
    let bytes = sent_bytes + body.len() as u64;
    let (method, target) = (cut(method, LOG_METHOD_BYTES_MAX), cut(target, LOG_TARGET_BYTES_MAX));
    let outcome = outcome(*kind);
    let (id, ms) = (&**id, begin.elapsed().as_secs_f64() * 1000.0);
    let client = if request.client.is_inside() { "nats".into() } else { request.client.address.to_string() };
    let message = format!("{method} {target} {status}");
    let mut fields: Vec<(&str, Value<'_>)> = vec![
        ("message", message.as_str().into()),
        ("request_id", id.into()),
        ("client", client.as_str().into()),
        ("method", method.as_str().into()),
        ("path", target.as_str().into()),
        ("status", (*status).into()),
        ("outcome", outcome.into()),
        ("bytes", bytes.into()),
        ("ms", ((ms * 1000.0).round() / 1000.0).into()),
    ];
    fields.extend(plugin.map(|plugin| ("plugin", plugin.name.as_str().into())));
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
