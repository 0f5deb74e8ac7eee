//! Spare processes and their binding.

use super::channel::Lost;
use super::pool::NoProcess;
use super::process::Process;

/// Spare processes that may be found dead, one after the other.
const SPARES_TRIED: u32 = 3;

/// A process by `take`, and whether it was bound before; if not, `bind` has bound it. A spare that is dead has nothing to do
/// with any module: it is given to `drop`, and another one is tried.
pub fn bound(
    take: impl Fn() -> Result<(Process, bool), NoProcess>,
    bind: impl Fn(&mut Process) -> Result<(), Lost>,
    drop: impl Fn(Process),
) -> Result<(Process, bool), NoProcess> {
    for _ in 0..SPARES_TRIED {
        let (mut process, was_bound) = take()?;
        if was_bound || bind(&mut process).is_ok() {
            return Ok((process, was_bound));
        }
        drop(process);
    }
    Err(NoProcess("those that were started died at once".into()))
}
