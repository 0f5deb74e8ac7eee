//! Calling conventions: how bytes get into a guest and out of it. One file each. Nothing here knows HTTP or flags.

pub(crate) mod bytes;
pub mod command;
#[cfg(feature = "component")]
pub(crate) mod component;
pub(crate) mod convention;
pub(crate) mod exports;
pub(crate) mod extism;
#[cfg(feature = "isolation")]
pub mod given;
pub(crate) mod input;
pub(crate) mod job;
mod message;
pub mod numeric;
pub mod packed;
pub(crate) mod reserved;

pub use bytes::{call_bytes, schemas, try_instance};
pub use command::Invocation;
pub use convention::Convention;
pub use input::{Call, FromPolicy, Input};
pub use job::{CallContext, Hooks, Job};
pub use reserved::{is_reserved, no_function, offered, passes_bytes};
