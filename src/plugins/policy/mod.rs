//! Policies: the rights and environment of one plug-in, within the server's bounds. `keys.rs` and `file.rs` parse them.

pub(crate) mod at;
mod dirs;
pub(crate) mod file;
mod keys;
pub(crate) mod plugin;
pub(crate) mod routes;
pub(crate) mod server;

pub use at::{At, table_of};
pub use file::{Draft, POLICY_BYTES_MAX, read};
pub use plugin::{Access, Policy};
pub use routes::{PluginRoute, ROUTES_MAX};
pub use server::ServerPolicy;
