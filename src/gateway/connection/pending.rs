//! A whole request that waits for its response, and what workers do.

use super::conn::Conn;
use crate::gateway::http::client::Client;
use crate::gateway::http::message::Request;
use crate::gateway::scheduling::share::Share;
use crate::gateway::scheduling::task::{Run, Task};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

/// A whole request that waits for its response. Its connection stays claimed.
pub struct PendingRequest {
    /// Where the response goes.
    pub conn: Arc<Conn>,
    /// The request.
    pub request: Request,
    /// When it was whole.
    pub begin: Instant,
    /// Whether it may run: it counts among the running guests, or the changes of plug-ins that are being made.
    pub is_admitted: bool,
    /// The plug-in and how many of its guests may run, if that is not as many as may run at all.
    pub plugin_limit: Option<(String, usize)>,
}

impl PendingRequest {
    /// The request, which is whole now.
    pub fn new(conn: Arc<Conn>, request: Request) -> PendingRequest {
        PendingRequest { conn, request, begin: Instant::now(), is_admitted: false, plugin_limit: None }
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
}

/// Something for a worker to do.
pub enum Work {
    /// Look at a connection, which is claimed.
    Look(Arc<Conn>),
    /// Serve a request that has been admitted now, or that another worker had sent to its lane before it was gone for long.
    Serve(Box<PendingRequest>),
    /// Refuse a request that has waited too long, or that makes room for another one.
    Refuse(Box<PendingRequest>),
    /// Say that events are looked for and that tasks are taken up.
    Heartbeat(SyncSender<()>),
}

impl Task for Work {
    fn client(&self) -> Client {
        match self {
            Work::Look(conn) => conn.peer,
            Work::Serve(pending) | Work::Refuse(pending) => pending.request.client,
            Work::Heartbeat(_) => Client::nobody(),
        }
    }

    fn share(&self) -> Option<&Arc<Share>> {
        match self {
            Work::Look(conn) => Some(&conn.share),
            _ => None,
        }
    }

    fn enqueued(&self) {
        if let Work::Look(conn) = self {
            conn.enter_line();
        }
    }
}
