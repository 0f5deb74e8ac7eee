//! What is run, and what a process is told of it.

use super::config::Isolation;
use super::pool::Sealed;
use super::wire::Binding;
use crate::abi::FromPolicy;
use crate::abi::given::Environment;
use crate::base::cancel::Cancel;
use crate::base::limits::{Limits, WarmLimits};
use crate::host::guest_log::TARGET;
use log::Level;
use std::sync::Arc;

/// What is run: a plug-in's module under its policy.
pub struct Spec<'a> {
    /// Its name.
    pub name: &'a str,
    /// The module.
    pub sealed: &'a Arc<Sealed>,
    /// The limits.
    pub limits: &'a Limits,
    /// What the policy gives.
    pub policy: FromPolicy<'a>,
    /// How instances are kept, if they are.
    pub warm: Option<&'a WarmLimits>,
    /// What cancels the run.
    pub cancel: Option<&'a Cancel>,
}

/// What a process is told of a plug-in with this name, these limits, and what its policy gives.
pub fn binding(
    config: &Isolation,
    (name, limits): (&str, &Limits),
    (policy, warm): (&FromPolicy<'_>, Option<&WarmLimits>),
    module_bytes: usize,
) -> Binding {
    let levels = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error];
    let shown = levels.into_iter().find(|level| log::log_enabled!(target: TARGET, *level));
    Binding {
        name: name.into(),
        limits: limits.clone(),
        convention: policy.convention,
        args: policy.args.to_vec(),
        environment: Environment::from(policy.guest_env),
        dirs: policy.guest_env.dirs.iter().map(|dir| (dir.guest.clone(), dir.read_only)).collect(),
        warm: warm.cloned(),
        module_bytes,
        is_traced: policy.is_traced,
        tries_all: false,
        log_level: shown.map_or(0, |level| level as usize),
        has_faults: config.has_faults,
        is_weak: config.weak,
    }
}
