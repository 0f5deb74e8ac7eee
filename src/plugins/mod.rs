//! Plug-ins by name: the registry, their folder, policies, deployment.

pub(crate) mod beneath;
pub(crate) mod catalog;
pub mod code;
pub(crate) mod deploy;
pub mod examples;
pub mod files;
pub mod folder;
pub mod policy;
pub mod registry;
pub mod signature;
pub(crate) mod stats;
pub mod watch;
