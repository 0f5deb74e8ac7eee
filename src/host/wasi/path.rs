//! Calls with a path beneath an open directory. `dir.rs` resolves the paths.
//!
//! Every call can return EBADF and ENOTDIR for the descriptor; EFAULT, EILSEQ, EINVAL (NUL) and ENAMETOOLONG
//! for the path; ENOTCAPABLE for a dropped right; EPERM for a path that leads out of the directory; and EACCES,
//! ELOOP, ENOENT, EIO from the host. Calls that change something can also return EROFS, EDQUOT and ENOSPC.

use super::abi::{Errno, Fault, SYMLINK_FOLLOW, fdflags, oflags, rights};
use super::at;
use super::at::directory;
use super::ctx::Call;
use super::dir::{Filestat, Opening, new_times, remove_dir, rename, set_path_times};
use super::memory::{path, slice, slice_mut, write, write_u32};

type Result = std::result::Result<(), Fault>;

/// Whether `lookupflags` ask to follow a link at the end. EINVAL for an unknown flag.
fn follows(flags: u32) -> std::result::Result<bool, Errno> {
    if flags & !SYMLINK_FOLLOW != 0 { Err(Errno::Inval) } else { Ok(flags & SYMLINK_FOLLOW != 0) }
}

/// `path_create_directory(fd, path, len)`. EEXIST.
pub fn path_create_directory(call: &mut Call<'_>, fd: u32, at: u32, len: u32) -> Result {
    let dir = directory(call.ctx, fd, rights::PATH_CREATE_DIRECTORY)?;
    let path = path(call.memory, at, len)?;
    Ok(at::create_directory(call.ctx, &dir, path)?)
}

/// `path_filestat_get(fd, flags, path, len, out)`: the 64 bytes of `filestat`.
pub fn path_filestat_get(call: &mut Call<'_>, fd: u32, flags: u32, at: u32, len: u32, out: u32) -> Result {
    slice(call.memory, out, super::abi::FILESTAT_BYTES as u32)?;
    let stat = filestat(call, fd, flags, (at, len))?;
    Ok(write(call.memory, out, &stat.to_bytes())?)
}

/// What the guest gets to see of a path.
pub fn filestat(
    call: &mut Call<'_>,
    fd: u32,
    flags: u32,
    (at, len): (u32, u32),
) -> std::result::Result<Filestat, Fault> {
    let dir = directory(call.ctx, fd, rights::PATH_FILESTAT_GET)?;
    let path = path(call.memory, at, len)?;
    let stat = Filestat::of_path(&dir, path, follows(flags)?)?;
    Ok(call.ctx.shown(stat))
}

/// `path_filestat_set_times(fd, flags, path, len, atim, mtim, fst_flags)`. EINVAL for flags that contradict
/// each other.
#[allow(clippy::too_many_arguments)]
pub fn path_filestat_set_times(
    call: &mut Call<'_>,
    fd: u32,
    flags: u32,
    at: u32,
    len: u32,
    atim: u64,
    mtim: u64,
    fst_flags: u32,
) -> Result {
    let times = new_times(atim, mtim, fst_flags)?;
    let dir = directory(call.ctx, fd, rights::PATH_FILESTAT_SET_TIMES)?;
    let path = path(call.memory, at, len)?;
    Ok(set_path_times(&dir, path, follows(flags)?, times)?)
}

/// `path_link(old_fd, old_flags, old_path, old_len, new_fd, new_path, new_len)`: a hard link. EEXIST, EPERM
/// for a directory, EXDEV; EINVAL to follow a link to what is linked. From a read-only directory nothing is
/// linked: by the new name it could be changed.
#[allow(clippy::too_many_arguments)]
pub fn path_link(
    call: &mut Call<'_>,
    old_fd: u32,
    old_flags: u32,
    old_at: u32,
    old_len: u32,
    new_fd: u32,
    new_at: u32,
    new_len: u32,
) -> Result {
    let old_dir = directory(call.ctx, old_fd, rights::PATH_LINK_SOURCE)?;
    let new_dir = directory(call.ctx, new_fd, rights::PATH_LINK_TARGET)?;
    let old = path(call.memory, old_at, old_len)?;
    let new = path(call.memory, new_at, new_len)?;
    let follow = follows(old_flags)?;
    Ok(at::link(call.ctx, (&old_dir, old, follow), (&new_dir, new))?)
}

/// `path_open(fd, dirflags, path, len, oflags, base, inheriting, fdflags, fd_out)`: opens or makes a file, or
/// opens a directory. EEXIST, EINVAL for unknown or contradicting flags, EISDIR, ELOOP for a link that is
/// not followed, EMFILE, ENOTSUP for a device, pipe or socket.
#[allow(clippy::too_many_arguments)]
pub fn path_open(
    call: &mut Call<'_>,
    fd: u32,
    dirflags: u32,
    at: u32,
    len: u32,
    oflags: u32,
    base: u64,
    inheriting: u64,
    fdflags: u32,
    fd_out: u32,
) -> Result {
    let dir = directory(call.ctx, fd, rights::PATH_OPEN)?;
    let path = path(call.memory, at, len)?;
    slice(call.memory, fd_out, 4)?;
    if oflags & !u32::from(oflags::ALL) != 0 || fdflags & !u32::from(fdflags::ALL) != 0 {
        return Err(Errno::Inval.into());
    }
    let how = Opening {
        oflags: oflags as u16,
        fdflags: fdflags as u16,
        read: base & rights::FD_READ != 0,
        write: base & rights::FD_WRITE != 0,
        follow: follows(dirflags)?,
    };
    let opened = at::open(call.ctx, (fd, &dir), path, how, (base, inheriting))?;
    Ok(write_u32(call.memory, fd_out, opened)?)
}

/// `path_readlink(fd, path, len, buf, buf_len, used_out)`: what a symbolic link says, cut off where the
/// buffer ends. EINVAL for what is no link; EPERM for a link to an absolute path.
pub fn path_readlink(
    call: &mut Call<'_>,
    fd: u32,
    at: u32,
    len: u32,
    buffer: u32,
    buffer_len: u32,
    used_out: u32,
) -> Result {
    let dir = directory(call.ctx, fd, rights::PATH_READLINK)?;
    let path = path(call.memory, at, len)?;
    slice(call.memory, used_out, 4)?;
    slice(call.memory, buffer, buffer_len)?;
    let target = at::read_link(&dir, path)?;
    let n = target.len().min(buffer_len as usize);
    slice_mut(call.memory, buffer, n as u32)?.copy_from_slice(&target[..n]);
    Ok(write_u32(call.memory, used_out, n as u32)?)
}

/// `path_remove_directory(fd, path, len)`. ENOTEMPTY; ENOTDIR for a file.
pub fn path_remove_directory(call: &mut Call<'_>, fd: u32, at: u32, len: u32) -> Result {
    let dir = directory(call.ctx, fd, rights::PATH_REMOVE_DIRECTORY)?;
    Ok(remove_dir(&dir, path(call.memory, at, len)?)?)
}

/// `path_rename(old_fd, old_path, old_len, new_fd, new_path, new_len)`: replaces what the new path names.
/// EISDIR, ENOTDIR, ENOTEMPTY where old and new do not agree; EXDEV between file systems; EINVAL into
/// itself.
pub fn path_rename(
    call: &mut Call<'_>,
    old_fd: u32,
    old_at: u32,
    old_len: u32,
    new_fd: u32,
    new_at: u32,
    new_len: u32,
) -> Result {
    let old_dir = directory(call.ctx, old_fd, rights::PATH_RENAME_SOURCE)?;
    let new_dir = directory(call.ctx, new_fd, rights::PATH_RENAME_TARGET)?;
    let old = path(call.memory, old_at, old_len)?;
    let new = path(call.memory, new_at, new_len)?;
    Ok(rename(&old_dir, old, &new_dir, new)?)
}

/// `path_symlink(old_path, old_len, fd, new_path, new_len)`: a symbolic link that says `old_path`. EEXIST,
/// EPERM for an absolute one. One that says `..` can be made; it is not followed out of the directory.
pub fn path_symlink(
    call: &mut Call<'_>,
    old_at: u32,
    old_len: u32,
    fd: u32,
    new_at: u32,
    new_len: u32,
) -> Result {
    let dir = directory(call.ctx, fd, rights::PATH_SYMLINK)?;
    let old = path(call.memory, old_at, old_len)?;
    let new = path(call.memory, new_at, new_len)?;
    Ok(at::symlink(call.ctx, old, &dir, new)?)
}

/// `path_unlink_file(fd, path, len)`. EISDIR or EPERM for a directory.
pub fn path_unlink_file(call: &mut Call<'_>, fd: u32, at: u32, len: u32) -> Result {
    let dir = directory(call.ctx, fd, rights::PATH_UNLINK_FILE)?;
    Ok(at::unlink(&dir, path(call.memory, at, len)?)?)
}
