//! The gateway as one node of a fleet, by NATS (cargo feature `nats`). Only this folder knows NATS.
//!
//! One thread of its own has the connection and all that goes on there; requests go into the gateway as HTTP requests from
//! inside of the process do, so that the same admission, limits, policies, metrics and logs hold for them.

#[cfg(feature = "nats")]
pub(crate) mod admin;
#[cfg(feature = "nats")]
pub(crate) mod bucket;
pub mod config;
#[cfg(feature = "nats")]
pub(crate) mod connect;
#[cfg(feature = "nats")]
pub(crate) mod counted;
#[cfg(feature = "nats")]
pub(crate) mod discovery;
#[cfg(feature = "nats")]
pub(crate) mod execute;
#[cfg(feature = "nats")]
pub(crate) mod intake;
#[cfg(feature = "nats")]
pub mod jobs;
#[cfg(feature = "nats")]
pub(crate) mod local;
#[cfg(feature = "nats")]
pub(crate) mod message;
#[cfg(feature = "nats")]
pub(crate) mod node;
#[cfg(feature = "nats")]
pub(crate) mod setup;
#[cfg(feature = "nats")]
pub(crate) mod shared;
#[cfg(feature = "nats")]
pub(crate) mod spill;
pub mod subject;
#[cfg(all(test, feature = "nats"))]
mod tests;
#[cfg(feature = "nats")]
pub mod thread;

pub use config::{Access, FleetConfig};
#[cfg(feature = "nats")]
pub use thread::Fleet;
