//! The gateway as one node of a fleet, by NATS (cargo feature `nats`). Only this folder knows NATS.
//!
//! One thread of its own has the connection and all that goes on there; requests go into the gateway as HTTP requests from
//! inside of the process do, so that the same admission, limits, policies, metrics and logs hold for them.

pub mod config;
#[cfg(feature = "nats")]
pub(crate) mod connect;
#[cfg(feature = "nats")]
pub(crate) mod jobs;
#[cfg(feature = "nats")]
pub(crate) mod local;
#[cfg(feature = "nats")]
pub(crate) mod message;
#[cfg(feature = "nats")]
pub(crate) mod node;
#[cfg(feature = "nats")]
pub mod setup;
pub mod subject;
#[cfg(feature = "nats")]
pub mod thread;

pub use config::{Access, FleetConfig};
#[cfg(feature = "nats")]
pub use thread::Fleet;
