//! Clocks: their resolution and the time.

use super::abi::Fault;
use super::ctx::Call;
use super::memory::write_u64;

type Result = std::result::Result<(), Fault>;

/// `clock_res_get(id, out)`: the clock's resolution in nanoseconds. EINVAL for an unknown clock, EFAULT.
pub fn clock_res_get(call: &mut Call<'_>, id: u32, out: u32) -> Result {
    Ok(write_u64(call.memory, out, call.ctx.clock.resolution(id)?)?)
}

/// `clock_time_get(id, precision, out)`: the time in nanoseconds; the precision is always the best there is.
/// EINVAL for an unknown clock, EFAULT.
pub fn clock_time_get(call: &mut Call<'_>, id: u32, _precision: u64, out: u32) -> Result {
    Ok(write_u64(call.memory, out, call.ctx.clock.now(id)?)?)
}
