//! `fd_readdir`: the entries of a directory.

use super::abi::{DIRENT_BYTES, Errno, Fault, Wait, rights};
use super::ctx::{Call, WasiCtx};
use super::dir::Filestat;
use super::listing::{Found, Listing};
use super::memory::{slice, slice_mut, write_u32};
use crate::base::limits::{ENTRY_FUEL, HOST_CALL_BYTES_MAX};
use cap_std::fs::Dir;
use std::sync::Arc;
use std::time::Instant;

type Result = std::result::Result<(), Fault>;

/// `fd_readdir(fd, buf, len, cookie, used_out)`: entries from `cookie` on, each 24 bytes and its name, the
/// last one cut off where the buffer ends. Less than the whole buffer means that there are no more. EBADF,
/// EFAULT, EINVAL for a buffer of more than 1 MiB, EMFILE, ENOTDIR; ENOMEM if a reproducible run has too many
/// to sort.
pub fn fd_readdir(call: &mut Call<'_>, fd: u32, buffer: u32, len: u32, cookie: u64, used_out: u32) -> Result {
    let sorted = call.ctx.is_reproducible();
    let dir = call.ctx.files.get(fd)?.dir(rights::FD_READDIR)?;
    slice(call.memory, used_out, 4)?;
    slice(call.memory, buffer, len)?;
    // A short answer would tell the guest that it has seen all.
    if len as usize > HOST_CALL_BYTES_MAX {
        return Err(Errno::Inval.into());
    }
    call.ctx.may_have_waited = true;
    let handle = Arc::clone(&dir.dir);
    // From the beginning is from the present state.
    let begun = dir.listing.take().filter(|listing| cookie > 0 || listing.is_sorting());
    let mut listing = match begun {
        Some(listing) => listing,
        None => begin(call.ctx, &handle)?,
    };
    let dev = if sorted { Filestat::of_dir(&handle)?.dev } else { 0 };
    let (mut used, mut next) = (0, cookie);
    while used < len {
        let (entry, read) = listing.entry(&handle, next)?;
        call.ctx.extra_fuel += read * ENTRY_FUEL;
        let entry = match entry {
            Found::Entry(entry) => entry,
            Found::End => break,
            Found::Further => {
                // Back here at once, when the sandbox has looked at the deadline.
                call.ctx.files.get(fd)?.dir(rights::FD_READDIR)?.listing = Some(listing);
                return Err(Fault::Wait(Wait { until: Some(Instant::now()), stdin: false }));
            }
        };
        let Some(following) = next.checked_add(1) else { break };
        let mut head = entry.head(following);
        let ino = call.ctx.shown_inode(dev, entry.ino);
        head[8..16].copy_from_slice(&ino.to_le_bytes());
        for bytes in [&head[..DIRENT_BYTES], &entry.name] {
            let n = bytes.len().min((len - used) as usize);
            slice_mut(call.memory, buffer + used, n as u32)?.copy_from_slice(&bytes[..n]);
            used += n as u32;
        }
        next = following;
    }
    call.ctx.moved_bytes += u64::from(used);
    call.ctx.files.get(fd)?.dir(rights::FD_READDIR)?.listing = Some(listing);
    Ok(write_u32(call.memory, used_out, used)?)
}

/// Begins to read a directory. EMFILE.
pub(crate) fn begin(ctx: &mut WasiCtx, dir: &Dir) -> std::result::Result<Listing, Errno> {
    let sorts = ctx.is_reproducible();
    if !sorts {
        ctx.files.check_room()?;
    }
    Listing::new(dir, sorts.then(|| ctx.files.sorted_bytes()))
}
