//! Resource limits, and Landlock: of the file system nothing but the guests' directories, and no network.

use super::rules::Rules;
use crate::base::heap;
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, LandlockStatus, PathBeneath, RestrictSelfAttr, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope, make_bitflags,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;

/// The rights that are taken away. A kernel with an older ABI takes away those it knows; later ones were not tried.
const RIGHTS: ABI = ABI::V6;

/// What the kernel enforces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enforced {
    /// The version of Landlock's ABI by which it does so; `None` if Landlock does nothing.
    pub landlock: Option<u32>,
}

/// Lowers the resource limits, and takes the file system and the network away as far as the kernel can. Landlock holds
/// for the calling thread and for those that it makes later; since ABI 8, for all threads.
///
/// # Errors
/// What the kernel says of a limit or a rule. A kernel without Landlock is no error.
pub fn files(rules: &Rules<'_>) -> io::Result<Enforced> {
    lower(Resource::Nofile, rules.descriptors)?;
    if let Some(most) = rules.file_bytes {
        lower(Resource::Fsize, most)?;
    }
    prepare();
    landlock(rules).map_err(|error| io::Error::other(format!("Landlock: {error}")))
}

/// Asks what is asked only once and needs files of /proc.
fn prepare() {
    heap::prepare();
    // The vDSO, by which rustix reads clocks without a system call. It looks for it at the first reading.
    let _ = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
}

/// Lowers both the limit and how far it can be raised again.
pub(super) fn lower(resource: Resource, most: u64) -> io::Result<()> {
    let now = getrlimit(resource);
    let least = |limit: Option<u64>| Some(limit.map_or(most, |limit| limit.min(most)));
    Ok(setrlimit(resource, Rlimit { current: least(now.current), maximum: least(now.maximum) })?)
}

fn landlock(rules: &Rules<'_>) -> Result<Enforced, landlock::RulesetError> {
    let mut ruleset = Ruleset::default().handle_access(AccessFs::from_all(RIGHTS))?;
    if !rules.has_network {
        ruleset = ruleset.handle_access(AccessNet::from_all(RIGHTS))?;
    }
    let mut ruleset = ruleset.scope(Scope::from_all(RIGHTS))?.create()?.all_threads(true)?;
    for (dir, is_read_only) in &rules.dirs {
        ruleset = ruleset.add_rule(PathBeneath::new(dir, rights(*is_read_only)))?;
    }
    let status = ruleset.restrict_self()?;
    let landlock = match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, _) => None,
        (_, LandlockStatus::Available { effective_abi, .. }) => Some(effective_abi as u32),
        _ => None,
    };
    Ok(Enforced { landlock })
}

/// What is left in a guest's directory. Nothing is executed, and no device is made or controlled.
fn rights(is_read_only: bool) -> BitFlags<AccessFs> {
    let reading = make_bitflags!(AccessFs::{ReadFile | ReadDir});
    if is_read_only {
        return reading;
    }
    // The rights to make sockets and named pipes are needed to rename what is there; the filter lets nobody make one.
    reading
        | make_bitflags!(AccessFs::{
            WriteFile | Truncate | Refer | RemoveDir | RemoveFile | MakeDir | MakeReg | MakeSym | MakeSock | MakeFifo
        })
}
