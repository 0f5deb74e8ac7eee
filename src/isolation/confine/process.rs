//! What a process can give up at its start: privileges, core dumps, being inspected, being spared.

use super::files::lower;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use std::io;

/// Where the kernel reads how readily it ends this process when memory runs out.
const OOM_SCORE: &str = "/proc/self/oom_score_adj";

/// Half of the highest score: the process goes before others that use as much, but not instead of one that uses
/// nearly everything.
const OOM_SCORE_RAISED: i32 = 500;

/// Nothing that this process executes gives it privileges, and it leaves no core dump, which would hold what guests
/// were given.
pub fn privileges() -> io::Result<()> {
    rustix::thread::set_no_new_privs(true)?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(())
}

/// As [`privileges`]. Also, the process has at most so many bytes of address space; the kernel ends this process earlier than others when memory runs out, and other processes
/// of the same user cannot inspect it.
pub fn early(address_bytes: u64) -> io::Result<()> {
    // First: of a process that is not dumpable, /proc belongs to root. Without /proc it is as it was.
    let _ = raise_oom_score();
    privileges()?;
    lower(Resource::As, address_bytes)?;
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

fn raise_oom_score() -> io::Result<()> {
    let now = std::fs::read_to_string(OOM_SCORE)?.trim().parse().unwrap_or(0);
    // Lowering it would need a privilege.
    if now < OOM_SCORE_RAISED { std::fs::write(OOM_SCORE, OOM_SCORE_RAISED.to_string()) } else { Ok(()) }
}
