//! The server's bounds for all policies.

use crate::base::limits::Limits;
use crate::host::outbound::allow_list::HttpAllowList;
use crate::plugins::code::Loader;
use crate::plugins::signature::TrustedKey;
use std::path::PathBuf;

/// What holds for every plug-in of a server.
#[derive(Debug, Clone, Default)]
pub struct ServerPolicy {
    /// The limits of every run. Policies can only lower them.
    pub limits: Limits,
    /// Directories inside which policies can open directories. If empty, policies can open none.
    pub dirs_within: Vec<PathBuf>,
    /// URLs that policies can allow. If empty, policies can allow those with public addresses.
    pub http_within: HttpAllowList,
    /// If not empty, only modules with a signature by one of these keys load.
    pub trusted_keys: Vec<TrustedKey>,
    /// Where modules are loaded.
    pub loader: Loader,
}

impl ServerPolicy {
    /// These directories, by their given and their real names. A directory inside another is dropped: it can be
    /// opened through the outer one, and whoever can write there could replace it by a link.
    pub fn settle(dirs: &[PathBuf]) -> Vec<PathBuf> {
        let real: Vec<_> =
            dirs.iter().map(|dir| dir.canonicalize().unwrap_or_else(|_| dir.clone())).collect();
        let is_outermost = |dir: &PathBuf| !real.iter().any(|other| other != dir && dir.starts_with(other));
        let kept = dirs.iter().zip(&real).filter(|(_, real)| is_outermost(real));
        let mut settled: Vec<_> = kept.flat_map(|(given, real)| [given.clone(), real.clone()]).collect();
        settled.sort();
        settled.dedup();
        settled
    }
}
