//! Exit and signals.

use super::abi::{Errno, Fault};
use super::ctx::Call;

type Result = std::result::Result<(), Fault>;

/// `proc_exit(code)`: ends the run.
pub fn proc_exit(_call: &mut Call<'_>, code: u32) -> Result {
    Err(Fault::Exit(code))
}

/// `proc_raise(signal)`: ENOSYS, as a guest has no signals.
pub fn proc_raise(_call: &mut Call<'_>, _signal: u32) -> Result {
    Err(Errno::Nosys.into())
}
