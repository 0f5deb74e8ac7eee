//! What a server allows all of its plug-ins.

use crate::base::limits::Limits;
use crate::plugins::signature::TrustedKey;
use std::path::PathBuf;

/// What holds for every plug-in of a server.
#[derive(Debug, Clone, Default)]
pub struct ServerPolicy {
    /// The limits of every run; policies only tighten them.
    pub limits: Limits,
    /// Directories within which policies may open some to their plug-ins. None: they may open none.
    pub dirs_within: Vec<PathBuf>,
    /// If there are any, only modules load that carry a signature by one of them.
    pub trusted_keys: Vec<TrustedKey>,
}

impl ServerPolicy {
    /// These directories, by the names that they are given and by their real ones. One that lies in another is left
    /// out: it can be opened by way of that, and who may write in that could put a link in its place.
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
