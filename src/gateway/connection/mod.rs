//! The front door: connections, their limits and what makes room for them. It knows no plug-in and no route's handler.

pub(crate) mod admit;
pub mod buffers;
pub mod conn;
pub(crate) mod conns;
pub mod counters;
pub mod door;
pub(crate) mod events;
pub(crate) mod eviction;
pub mod pending;
pub mod phase;
pub(crate) mod poll;
pub(crate) mod read;
pub(crate) mod stream;
pub(crate) mod write;
