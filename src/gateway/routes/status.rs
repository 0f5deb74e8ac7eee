//! What the gateway tells of itself: `/metrics`, `/readyz`, `/plugins` and `/openapi.json`. (`/` and `/healthz` need no
//! door; they are in `routes.rs`.)

use super::execute::{LISTING, only};
use super::{listing, metrics, openapi};
use crate::gateway::connection::event_loop::Door;
use crate::gateway::connection::reply::lost;
use crate::gateway::http::http1::values;
use crate::gateway::http::message::{Request, Response, TEXT};
use crate::gateway::http::problem;
use crate::gateway::http::problem::NOT_READY;
use crate::runner::Runner;

/// The path of the metrics.
pub const METRICS: &str = "/metrics";

/// The path of whether there is to be any work for it.
pub const READY: &str = "/readyz";

/// The answer to `request`, if it is about the gateway; `when_long` is called before what may take long.
pub fn answer(door: &Door, request: &Request, when_long: &dyn Fn()) -> Option<Response> {
    let runner = door.tally.runner.as_ref()?;
    if let Some(answer) = door.desk.as_ref().and_then(|desk| desk.answer(runner, request, when_long)) {
        return Some(answer);
    }
    match request.target.split('?').next()? {
        METRICS => Some(only(request, "GET", |request| {
            let text = metrics::open_metrics(door, runner);
            if wants_open_metrics(&request.head) {
                Response::new(200, metrics::OPEN_METRICS, text)
            } else {
                Response::new(200, metrics::CLASSIC, metrics::classic(&text))
            }
        })),
        openapi::PATH => {
            let has_desk = door.desk.is_some();
            Some(only(request, "GET", |request| {
                let text = || openapi::written(runner, has_desk);
                door.tally.openapi.answer(runner, request, text)
            }))
        }
        LISTING => Some(only(request, "GET", |request| {
            door.tally.listing.answer(runner, request, || listing::text(runner))
        })),
        READY => Some(only(request, "GET", |_| readiness(door, runner))),
        _ => None,
    }
}

/// Whether a balancer should send requests here. That this is asked at all shows a lane that works.
fn readiness(door: &Door, runner: &Runner) -> Response {
    if door.is_stopping() {
        return not_ready("draining: the gateway is stopping");
    }
    if !runner.is_loaded() {
        return not_ready("plug-ins: none have been loaded yet");
    }
    Response::new(200, TEXT, "ready\n")
}

/// The answer to a request for `target` whose lane broke.
pub fn without_lane(target: &str) -> Response {
    match target.split('?').next() {
        Some(READY) => not_ready("lanes: the way to the handler is broken"),
        _ => lost(),
    }
}

fn not_ready(what: &str) -> Response {
    problem::response(NOT_READY, what)
}

/// Whether the `Accept` fields of `head` name OpenMetrics, and do not like plain text better (RFC 9110, section
/// 12.5.1). Prometheus names both and likes OpenMetrics better; what names neither gets what any reader knows.
fn wants_open_metrics(head: &[u8]) -> bool {
    let accept = values(head, "accept");
    let ranges = accept.iter().filter_map(|value| std::str::from_utf8(value).ok()).flat_map(|v| v.split(','));
    let (mut open, mut plain) = (0.0, 0.0);
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let best: &mut f32 = match parts.next().unwrap_or_default() {
            name if name.eq_ignore_ascii_case("application/openmetrics-text") => &mut open,
            name if name.eq_ignore_ascii_case("text/plain") => &mut plain,
            _ => continue,
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        let weight = weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
        *best = best.max(weight);
    }
    open > 0.0 && open >= plain
}
