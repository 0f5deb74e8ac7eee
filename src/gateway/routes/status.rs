//! Whether the gateway is to be given work, and what is said when a request was lost inside it.

use crate::gateway::http::message::{Response, TEXT};
use crate::gateway::http::problem::{LANE, NOT_READY};
use crate::gateway::http::route::Route;
use crate::gateway::http::service::Status;
use crate::runner::Runner;

/// Whether a balancer should send requests here. That this is asked at all shows a lane that works.
pub fn readiness(status: &Status, runner: &Runner) -> Response {
    if status.is_stopping {
        return Response::problem(NOT_READY, "draining: the gateway is stopping");
    }
    if !runner.catalog().is_loaded() {
        return Response::problem(NOT_READY, "plug-ins: none have been loaded yet");
    }
    Response::new(200, TEXT, "ready\n")
}

/// The response to a request whose lane broke.
pub fn lost(route: Route) -> Response {
    match route {
        Route::Ready => Response::problem(NOT_READY, "lanes: the way to the handler is broken"),
        _ => Response::problem(LANE, "the request was lost inside the gateway; try again"),
    }
}
