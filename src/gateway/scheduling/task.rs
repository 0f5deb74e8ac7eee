//! What is scheduled.

use super::share::Share;
use crate::gateway::http::client::Client;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A task for a worker.
pub trait Task: Send {
    /// Whose it is.
    fn client(&self) -> Client;

    /// What is known of that client, where this task knows it.
    fn share(&self) -> Option<&Arc<Share>>;

    /// Called when the task begins to wait for a worker.
    fn enqueued(&self);
}

/// A request to run a guest.
pub trait Run {
    /// Whose it is.
    fn client(&self) -> Client;

    /// The plug-in and how many of its guests may run at once, if that is not as many as may run at all.
    fn plugin_limit(&self) -> Option<&(String, usize)>;

    /// Since when it waits.
    fn since(&self) -> Instant;

    /// How long it is worth waiting at most, if it says so.
    fn patience(&self) -> Option<Duration>;
}
