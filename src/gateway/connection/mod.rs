//! The front door: connections, their limits and what makes room for them.

pub mod client;
pub mod conn;
pub(crate) mod conns;
pub mod event_loop;
pub(crate) mod events;
pub(crate) mod eviction;
pub(crate) mod forwarded;
pub(crate) mod incoming;
pub mod pending;
pub mod phase;
pub mod reply;
pub mod share;
pub mod state;
pub(crate) mod write;
