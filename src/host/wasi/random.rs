//! Random bytes.

use super::abi::{Errno, Fault, Wait};
use super::ctx::Call;
use super::memory::slice_mut;
use crate::base::limits::HOST_CALL_BYTES_MAX;
use std::time::Instant;

type Result = std::result::Result<(), Fault>;

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
