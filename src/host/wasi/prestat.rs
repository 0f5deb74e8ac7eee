//! Names of preopened directories.

use super::abi::{Errno, Fault, PRESTAT_BYTES};
use super::ctx::Call;
use super::files::Descriptor;
use super::memory::write;

type Result = std::result::Result<(), Fault>;

/// `fd_prestat_get(fd, out)`: the length of a preopened directory's name in the 8 bytes of `prestat`. EBADF
/// for everything else, which is how a guest learns that there are no more; EFAULT.
pub fn fd_prestat_get(call: &mut Call<'_>, fd: u32, out: u32) -> Result {
    let Descriptor::Dir(dir) = &call.ctx.files.get(fd)?.what else { return Err(Errno::Badf.into()) };
    let name = dir.preopened_as.as_ref().ok_or(Errno::Badf)?;
    let mut prestat = [0; PRESTAT_BYTES];
    prestat[4..8].copy_from_slice(&(name.len() as u32).to_le_bytes());
    Ok(write(call.memory, out, &prestat)?)
}

/// `fd_prestat_dir_name(fd, path, len)`: the name, without a NUL. EBADF, EFAULT, ENAMETOOLONG if `len` is
/// too small, ENOTDIR for what is no preopened directory.
pub fn fd_prestat_dir_name(call: &mut Call<'_>, fd: u32, path: u32, len: u32) -> Result {
    let Descriptor::Dir(dir) = &call.ctx.files.get(fd)?.what else { return Err(Errno::Notdir.into()) };
    let name = dir.preopened_as.as_ref().ok_or(Errno::Notdir)?;
    if name.len() > len as usize {
        return Err(Errno::Nametoolong.into());
    }
    Ok(write(call.memory, path, name.as_bytes())?)
}
