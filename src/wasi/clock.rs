//! Clocks.

use super::Call;
use super::abi::{Errno, Fault, clock_id};
use super::memory::write_u64;

/// The resolution told to guests, in nanoseconds: what the system's clocks count in.
const RESOLUTION_NS: u64 = 1;

/// `clock_res_get(id, out)`: the clock's resolution in nanoseconds. EINVAL for an unknown clock, EFAULT.
pub fn clock_res_get(call: &mut Call<'_>, id: u32, out: u32) -> Result<(), Fault> {
    if id > clock_id::THREAD_CPUTIME {
        return Err(Errno::Inval.into());
    }
    Ok(write_u64(call.memory, out, RESOLUTION_NS)?)
}

/// `clock_time_get(id, precision, out)`: the time in nanoseconds. The CPU-time clocks give the run's
/// wall-clock time: a run has one thread, which works all the time. EINVAL for an unknown clock, EFAULT.
pub fn clock_time_get(call: &mut Call<'_>, id: u32, _precision: u64, out: u32) -> Result<(), Fault> {
    let now = match id {
        clock_id::REALTIME => call.ctx.realtime_ns(),
        clock_id::MONOTONIC | clock_id::PROCESS_CPUTIME | clock_id::THREAD_CPUTIME => call.ctx.monotonic_ns(),
        _ => return Err(Errno::Inval.into()),
    };
    Ok(write_u64(call.memory, out, now)?)
}
