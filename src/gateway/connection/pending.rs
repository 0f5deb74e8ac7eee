//! A request that waits for its response, and the tasks of workers.

use super::conn::Conn;
use crate::gateway::http::client::Client;
use crate::gateway::http::message::{Request, Response};
use crate::gateway::scheduling::share::Share;
use crate::gateway::scheduling::task::{Run, Task};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

/// A whole request that waits for its response. Its connection stays claimed.
pub struct PendingRequest {
    /// Where the response goes.
    pub conn: Arc<Conn>,
    /// The request.
    pub request: Request,
    /// When it was whole.
    pub begin: Instant,
    /// Whether it is admitted: it counts as running.
    pub is_admitted: bool,
    /// Whether it goes through the lane of its worker: not if another process serves it.
    pub uses_lane: bool,
    /// Whether it was offered to other gateways.
    pub was_offered: bool,
    /// The plug-in and its `workers`, if its policy sets them.
    pub plugin_limit: Option<(String, usize)>,
}

impl PendingRequest {
    /// The request, which is whole now.
    pub fn new(conn: Arc<Conn>, request: Request) -> PendingRequest {
        PendingRequest {
            conn,
            request,
            begin: Instant::now(),
            is_admitted: false,
            uses_lane: true,
            was_offered: false,
            plugin_limit: None,
        }
    }
}

impl Run for Box<PendingRequest> {
    fn client(&self) -> Client {
        self.request.client
    }

    fn plugin_limit(&self) -> Option<&(String, usize)> {
        self.plugin_limit.as_ref()
    }

    fn since(&self) -> Instant {
        self.begin
    }

    fn patience(&self) -> Option<Duration> {
        self.request.timeout
    }
}

/// A task for a worker.
pub enum Work {
    /// Read from a connection, which is claimed.
    Advance(Arc<Conn>),
    /// Serve a request: one that was queued and is admitted now, or one that a worker had read ahead before it took long.
    Serve(Box<PendingRequest>),
    /// Refuse a request that has waited too long, or that made room for another one.
    Refuse(Box<PendingRequest>),
    /// Send the response of another gateway; without one, the request goes on here.
    Answer(Box<PendingRequest>, Option<Box<Response>>),
    /// Report that events are polled and tasks are taken up.
    Heartbeat(SyncSender<()>),
}

impl Task for Work {
    fn client(&self) -> Client {
        match self {
            Work::Advance(conn) => conn.peer,
            Work::Serve(pending) | Work::Refuse(pending) | Work::Answer(pending, _) => pending.request.client,
            Work::Heartbeat(_) => Client::nobody(),
        }
    }

    fn share(&self) -> Option<&Arc<Share>> {
        match self {
            Work::Advance(conn) => Some(&conn.share),
            _ => None,
        }
    }

    fn enqueued(&self) {
        if let Work::Advance(conn) = self {
            conn.enter_line();
        }
    }
}
