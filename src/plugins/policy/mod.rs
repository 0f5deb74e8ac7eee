//! Policy: what one plug-in is allowed and given, within what the server allows. Its file is read in `file.rs`.

pub(crate) mod file;
pub(crate) mod plugin;
pub(crate) mod server;

pub use file::{At, Draft, POLICY_BYTES_MAX, read};
pub use plugin::{Access, Policy};
pub use server::ServerPolicy;
