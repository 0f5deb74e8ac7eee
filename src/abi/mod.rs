//! Calling conventions: how bytes get into a guest and out of it. One file each. Nothing here knows HTTP or flags.

pub(crate) mod bytes;
pub mod command;
pub(crate) mod convention;
pub(crate) mod exports;
pub mod extism;
pub(crate) mod job;
pub mod numeric;
pub mod packed;
pub(crate) mod reserved;

pub use bytes::{call_bytes, pass_bytes, try_instance};
pub use convention::Convention;
pub use job::{CallContext, Job};
pub use reserved::{is_reserved, no_function, offered, passes_bytes};
