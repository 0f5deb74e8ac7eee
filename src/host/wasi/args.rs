//! Arguments and environment.

use super::abi::{Errno, Fault};
use super::ctx::Call;
use super::memory::{slice_mut, write, write_u32};

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
