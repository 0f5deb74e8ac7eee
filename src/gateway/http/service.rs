//! The interface between the front door and whatever serves requests.

use super::head::Head;
use super::message::{Mount, Request, Response};
use super::stream::Stream;
use super::tokens::Role;
use crate::abi::Hooks;
use std::time::Instant;

/// Serves requests.
pub trait Service: Send + Sync {
    /// What the bearer of the token in `head` may do.
    fn role(&self, head: &Head<'_>) -> Option<Role>;

    /// Bytes that the body of a request with this head and role may have, where others have `usual`.
    fn body_limit(&self, head: &Head<'_>, role: Option<Role>, usual: usize) -> usize;

    /// The plug-in whose policy has a route to this target.
    fn mount(&self, _target: &str) -> Option<Mount> {
        None
    }

    /// The plug-in that a request is for, if there is one.
    fn plugin(&self, request: &Request) -> Option<String>;

    /// The plug-in that a request is for and how many workers it may have, if it may not have all.
    fn workers_of_plugin(&self, request: &Request) -> Option<(String, usize)>;

    /// Whether a request goes through tiny_http in this process. One for a guest in another process goes through it there.
    fn uses_lane(&self, _request: &Request) -> bool {
        true
    }

    /// The response to a request, whose body and head it may take.
    fn handle(&self, request: &mut Request, context: &Context<'_>) -> Response;

    /// The response to a request that was lost on its way here.
    fn lost(&self, request: &Request) -> Response;

    /// Notes that `request`, which was whole at `begin`, has this response.
    fn answered(&self, request: &Request, response: &Response, begin: Instant);
}

/// What a handler may use of the gateway.
pub struct Context<'a> {
    /// When the request was whole.
    pub begin: Instant,
    /// What is called while the response is made. `when_long`: it takes long. `when_waiting`: the worker waits for a moment.
    pub hooks: Hooks<'a>,
    /// The client of a request, for a response that is sent while it is made.
    pub stream: &'a dyn Fn(&Request) -> Box<dyn Stream>,
    /// The gateway's state.
    pub status: &'a dyn Fn() -> Status,
}

/// A gateway's state, about at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Status {
    /// Whether it is stopping.
    pub is_stopping: bool,
    /// Guests that run.
    pub running: usize,
    /// Guests that may run.
    pub workers: usize,
    /// Guests of one client that may run.
    pub client_workers: usize,
    /// Requests that wait for a worker.
    pub queued: usize,
    /// Requests that may wait.
    pub queue_limit: usize,
    /// Open connections.
    pub connections: usize,
    /// Connections that may be open.
    pub connections_limit: usize,
    /// Clients that have a connection.
    pub clients: usize,
    /// Connections that one client may have open.
    pub client_connections_limit: usize,
    /// Bytes of requests and unsent responses.
    pub buffered: usize,
    /// Bytes that these may have.
    pub buffered_limit: usize,
    /// Connections taken so far.
    pub accepted: u64,
    /// Connections closed at once, as there was no room.
    pub refused: u64,
    /// Connections closed so that another has room.
    pub evicted_for_room: u64,
    /// Connections closed for another one of a client that has as many as it may.
    pub evicted_for_share: u64,
    /// Connections closed because the budget for bytes was used up.
    pub evicted_for_budget: u64,
}
