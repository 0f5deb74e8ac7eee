//! Arguments, environment, clocks, exit, scheduling and randomness.

use super::Call;
use super::abi::{Errno, Fault, Wait};
use super::memory::{slice_mut, write, write_u32, write_u64};
use crate::base::limits::HOST_CALL_BYTES_MAX;
use std::time::Instant;

type Result = std::result::Result<(), Fault>;

/// `args_get(argv, argv_buf)`: writes a pointer for each argument to `argv` and the arguments, each ended
/// by NUL, to `argv_buf`. EFAULT.
pub fn args_get(call: &mut Call<'_>, argv: u32, buffer: u32) -> Result {
    call.ctx.moved_bytes += write_strings(call.memory, &call.ctx.args, argv, buffer)?;
    Ok(())
}

/// `args_sizes_get(argc_out, size_out)`: how many arguments, and their bytes with NULs. EFAULT.
pub fn args_sizes_get(call: &mut Call<'_>, count: u32, bytes: u32) -> Result {
    call.ctx.extra_fuel += call.ctx.args.len() as u64;
    write_sizes(call.memory, &call.ctx.args, count, bytes)
}

/// `environ_get(environ, environ_buf)`: as `args_get`, for `KEY=VALUE` entries. EFAULT.
pub fn environ_get(call: &mut Call<'_>, environ: u32, buffer: u32) -> Result {
    call.ctx.moved_bytes += write_strings(call.memory, &call.ctx.env, environ, buffer)?;
    Ok(())
}

/// `environ_sizes_get(count_out, size_out)`. EFAULT.
pub fn environ_sizes_get(call: &mut Call<'_>, count: u32, bytes: u32) -> Result {
    call.ctx.extra_fuel += call.ctx.env.len() as u64;
    write_sizes(call.memory, &call.ctx.env, count, bytes)
}

/// `clock_res_get(id, out)`: the clock's resolution in nanoseconds. EINVAL for an unknown clock, EFAULT.
pub fn clock_res_get(call: &mut Call<'_>, id: u32, out: u32) -> Result {
    Ok(write_u64(call.memory, out, call.ctx.clock.resolution(id)?)?)
}

/// `clock_time_get(id, precision, out)`: the time in nanoseconds; the precision is always the best there is.
/// EINVAL for an unknown clock, EFAULT.
pub fn clock_time_get(call: &mut Call<'_>, id: u32, _precision: u64, out: u32) -> Result {
    Ok(write_u64(call.memory, out, call.ctx.clock.now(id)?)?)
}

/// `proc_exit(code)`: ends the run.
pub fn proc_exit(_call: &mut Call<'_>, code: u32) -> Result {
    Err(Fault::Exit(code))
}

/// `proc_raise(signal)`: ENOSYS, as a guest has no signals.
pub fn proc_raise(_call: &mut Call<'_>, _signal: u32) -> Result {
    Err(Errno::Nosys.into())
}

/// `sched_yield()`: a guest has one thread, so there is nothing to yield to.
pub fn sched_yield(_call: &mut Call<'_>) -> Result {
    Ok(())
}

/// `random_get(buf, len)`: fills `buf`. EFAULT; EIO if the system has none.
pub fn random_get(call: &mut Call<'_>, buffer: u32, len: u32) -> Result {
    let filled = std::mem::take(&mut call.ctx.random_filled);
    let rest = slice_mut(call.memory, buffer, len)?.get_mut(filled..).ok_or(Errno::Fault)?;
    let n = rest.len().min(HOST_CALL_BYTES_MAX);
    call.ctx.entropy.fill(&mut rest[..n])?;
    // A generator's byte costs about as much as sixteen copied ones.
    call.ctx.moved_bytes += n as u64 * 16;
    if n < rest.len() {
        // It cannot be short: back here at once for more, when the sandbox has looked at the deadline.
        call.ctx.random_filled = filled + n;
        return Err(Fault::Wait(Wait { until: Some(Instant::now()), stdin: false }));
    }
    Ok(())
}

fn sizes(strings: &[Vec<u8>]) -> std::result::Result<(u32, u32), Errno> {
    let bytes: usize = strings.iter().map(|s| s.len() + 1).sum();
    let count = u32::try_from(strings.len()).map_err(|_| Errno::Overflow)?;
    Ok((count, u32::try_from(bytes).map_err(|_| Errno::Overflow)?))
}

/// The strings are walked through each time, for which the caller has charged.
fn write_sizes(memory: &mut [u8], strings: &[Vec<u8>], count_out: u32, bytes_out: u32) -> Result {
    let (count, bytes) = sizes(strings)?;
    slice_mut(memory, bytes_out, 4)?;
    write_u32(memory, count_out, count)?;
    Ok(write_u32(memory, bytes_out, bytes)?)
}

/// Writes pointers and strings, and gives their bytes.
fn write_strings(
    memory: &mut [u8],
    strings: &[Vec<u8>],
    pointers: u32,
    buffer: u32,
) -> std::result::Result<u64, Fault> {
    let (count, bytes) = sizes(strings)?;
    let list_bytes = count.checked_mul(4).ok_or(Errno::Overflow)?;
    slice_mut(memory, pointers, list_bytes)?;
    slice_mut(memory, buffer, bytes)?;
    let mut at = buffer;
    for (i, string) in strings.iter().enumerate() {
        write_u32(memory, pointers + 4 * i as u32, at)?;
        write(memory, at, string)?;
        at += string.len() as u32;
        write(memory, at, &[0])?;
        at += 1;
    }
    Ok(u64::from(list_bytes) + u64::from(bytes))
}
