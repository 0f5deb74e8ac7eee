//! Policies: the rights and environment of one plug-in, within the server's bounds. `file.rs` parses them.

pub(crate) mod at;
mod dirs;
pub(crate) mod file;
pub(crate) mod plugin;
pub(crate) mod server;

pub use at::At;
pub use file::{Draft, POLICY_BYTES_MAX, read};
pub use plugin::{Access, Policy};
pub use server::ServerPolicy;
