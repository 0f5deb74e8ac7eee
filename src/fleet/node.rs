//! What all that a node does has in common.

use super::config::FleetConfig;
use super::local::Local;
use crate::runner::Runner;
use std::sync::Arc;
use tokio::sync::watch;

/// A node: its connection, its gateway, and whether it stops.
#[derive(Clone)]
pub struct Node {
    /// How it is set up.
    pub config: Arc<FleetConfig>,
    /// The connection.
    pub client: async_nats::Client,
    /// Changes each time that the connection is lost.
    pub lost: watch::Receiver<()>,
    /// The gateway.
    pub local: Local,
    /// The runner, for the list of plug-ins.
    pub runner: Arc<Runner>,
    /// Whether it takes nothing more.
    pub leaving: watch::Receiver<bool>,
}

impl Node {
    /// Waits until the node takes nothing more.
    pub async fn left(&self) {
        // The sender is there until the thread ends.
        let _ = self.leaving.clone().wait_for(|leaving| *leaving).await;
    }

    /// Whether it takes nothing more.
    pub fn is_leaving(&self) -> bool {
        *self.leaving.borrow()
    }
}
