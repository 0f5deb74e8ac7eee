//! Plug-ins by name: the registry, their folder, policies, deployment.

pub(crate) mod beneath;
pub(crate) mod catalog;
pub mod code;
pub(crate) mod deploy;
pub mod examples;
pub mod files;
pub mod folder;
pub(crate) mod former;
pub mod policy;
pub mod registry;
pub(crate) mod rollback;
pub mod signature;
pub(crate) mod stats;
pub(crate) mod together;
pub(crate) mod versions;
pub mod watch;
pub(crate) mod write;
