//! Plug-ins by name: the registry, the folder they come from, their policies, deployment.

pub(crate) mod beneath;
pub mod catalog;
pub mod deploy;
pub mod examples;
pub mod files;
pub mod folder;
pub mod policy;
pub mod registry;
pub mod signature;
pub mod stats;
pub mod watch;
