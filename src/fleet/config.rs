//! How a node is set up.

use std::path::PathBuf;
use std::time::Duration;

/// Servers that keep a stream, at most (JetStream).
pub const REPLICAS_MAX: u64 = 5;

/// How many nodes are to try a plug-in first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Of a hundred.
    Percent(u32),
    /// That many.
    Nodes(usize),
}

/// How to get into a NATS system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Servers, each as `nats://HOST:PORT` or `tls://HOST:PORT`; a user and a password may come before the host.
    pub servers: Vec<String>,
    /// A file of credentials (`.creds`: a JWT and a seed).
    pub credentials: Option<PathBuf>,
    /// A file with the seed of an nkey.
    pub nkey: Option<PathBuf>,
    /// A file of certificates (PEM) that a server's certificate is checked by, instead of the system's.
    pub ca: Option<PathBuf>,
}

/// A node of a fleet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FleetConfig {
    /// How to get in.
    pub access: Access,
    /// Its name, which no other node has: letters, digits, `-` and `_` ([`crate::fleet::subject::is_token`]).
    pub node: String,
    /// The object store that plug-ins come from.
    pub bucket: Option<String>,
    /// Former versions that are kept of each plug-in that comes from there.
    pub keep_versions: usize,
    /// The work-queue stream that jobs are taken from.
    pub jobs: Option<String>,
    /// The pause before a job that failed is tried again for the first time; those after it are longer. A second without.
    pub job_pause: Option<Duration>,
    /// Whether requests over HTTP that find no free worker are passed on to other nodes.
    pub spill: bool,
}
