//! Calls with a path beneath an open directory. `dir.rs` resolves the paths.
//!
//! Every call can return EBADF and ENOTDIR for the descriptor; EFAULT, EILSEQ, EINVAL (NUL) and ENAMETOOLONG
//! for the path; ENOTCAPABLE for a dropped right; EPERM for a path that leads out of the directory; and EACCES,
//! ELOOP, ENOENT, EIO from the host. Calls that change something can also return EROFS, EDQUOT and ENOSPC.

use super::abi::{Errno, Fault, SYMLINK_FOLLOW, fdflags, filetype, oflags, rights};
use super::ctx::Call;
use super::dir::{Filestat, Opened, Opening, errno, new_times, open, remove_dir, rename, set_path_times};
use super::files::{Descriptor, Entry, OpenDir, OpenFile};
use super::memory::{path, slice, slice_mut, write, write_u32};
use crate::base::limits::NEW_ENTRY_BYTES;
use cap_std::fs::Dir;
use std::sync::Arc;

type Result = std::result::Result<(), Fault>;

/// The directory `fd`, if it has `right`.
fn directory(call: &mut Call<'_>, fd: u32, right: u64) -> std::result::Result<Arc<Dir>, Errno> {
    call.ctx.may_have_waited = true;
    Ok(Arc::clone(&call.ctx.files.get(fd)?.dir(right)?.dir))
}

/// Whether `lookupflags` ask to follow a link at the end. EINVAL for an unknown flag.
fn follows(flags: u32) -> std::result::Result<bool, Errno> {
    if flags & !SYMLINK_FOLLOW != 0 { Err(Errno::Inval) } else { Ok(flags & SYMLINK_FOLLOW != 0) }
}

fn done(result: std::io::Result<()>) -> Result {
    result.map_err(|error| errno(&error).into())
}

/// Checks before something new is made that the quota allows it.
fn check_quota(call: &Call<'_>) -> std::result::Result<(), Errno> {
    if call.ctx.files.quota < NEW_ENTRY_BYTES { Err(Errno::Dquot) } else { Ok(()) }
}

/// `path_create_directory(fd, path, len)`. EEXIST.
pub fn path_create_directory(call: &mut Call<'_>, fd: u32, at: u32, len: u32) -> Result {
    let dir = directory(call, fd, rights::PATH_CREATE_DIRECTORY)?;
    let path = path(call.memory, at, len)?;
    check_quota(call)?;
    done(dir.create_dir(path))?;
    call.ctx.made(|| Filestat::of_path(&dir, path, false));
    Ok(call.ctx.files.spend(NEW_ENTRY_BYTES)?)
}

/// `path_filestat_get(fd, flags, path, len, out)`: the 64 bytes of `filestat`.
pub fn path_filestat_get(call: &mut Call<'_>, fd: u32, flags: u32, at: u32, len: u32, out: u32) -> Result {
    let dir = directory(call, fd, rights::PATH_FILESTAT_GET)?;
    let path = path(call.memory, at, len)?;
    slice(call.memory, out, super::abi::FILESTAT_BYTES as u32)?;
    let stat = Filestat::of_path(&dir, path, follows(flags)?)?;
    let stat = call.ctx.shown(stat);
    Ok(write(call.memory, out, &stat.to_bytes())?)
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
    let dir = directory(call, fd, rights::PATH_FILESTAT_SET_TIMES)?;
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
    let old_dir = directory(call, old_fd, rights::PATH_LINK_SOURCE)?;
    let new_dir = directory(call, new_fd, rights::PATH_LINK_TARGET)?;
    let old = path(call.memory, old_at, old_len)?;
    let new = path(call.memory, new_at, new_len)?;
    if follows(old_flags)? && Filestat::of_path(&old_dir, old, false)?.filetype == filetype::SYMBOLIC_LINK {
        return Err(Errno::Inval.into());
    }
    check_quota(call)?;
    done(old_dir.hard_link(old, &new_dir, new))?;
    Ok(call.ctx.files.spend(NEW_ENTRY_BYTES)?)
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
    let dir = directory(call, fd, rights::PATH_OPEN)?;
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
    let parent = call.ctx.files.get(fd)?;
    check_opening(parent, how)?;
    let (given_up, read_only) = (parent.given_up_inheriting, parent.read_only);
    call.ctx.files.check_room()?;
    let creates = how.oflags & oflags::CREAT != 0 && Filestat::of_path(&dir, path, how.follow).is_err();
    if creates {
        check_quota(call)?;
    }
    let opened = open(&dir, path, how)?;
    if creates {
        call.ctx.files.spend(NEW_ENTRY_BYTES)?;
        if let Opened::File(file) = &opened {
            call.ctx.made(|| Filestat::of_file(file));
        }
    }
    let (what, possible) = describe(opened, how)?;
    let mut entry = Entry::new(what, base & possible & !given_up, inheriting & !given_up, read_only);
    entry.given_up = given_up;
    entry.given_up_inheriting = given_up;
    let opened_fd = call.ctx.files.insert(entry)?;
    Ok(write_u32(call.memory, fd_out, opened_fd)?)
}

/// Checks that the directory `parent` allows to open like this.
fn check_opening(parent: &Entry, how: Opening) -> std::result::Result<(), Errno> {
    let has = |flag| how.oflags & flag != 0;
    if has(oflags::CREAT) {
        parent.need(rights::PATH_CREATE_FILE)?;
    }
    if has(oflags::TRUNC) {
        parent.need(rights::PATH_FILESTAT_SET_SIZE)?;
    }
    if how.write && parent.read_only {
        return Err(Errno::Rofs);
    }
    let asked = [(how.read, rights::FD_READ), (how.write, rights::FD_WRITE)];
    if asked.iter().any(|(asked, right)| *asked && parent.given_up_inheriting & right != 0) {
        return Err(Errno::Notcapable);
    }
    Ok(())
}

/// What was opened as a descriptor, and the rights that mean something for it.
fn describe(opened: Opened, how: Opening) -> std::result::Result<(Descriptor, u64), Errno> {
    Ok(match opened {
        Opened::Dir(dir) => {
            let dir = OpenDir { dir: Arc::new(dir), preopened_as: None, listing: None };
            (Descriptor::Dir(dir), rights::DIRECTORY)
        }
        Opened::File(file) => {
            let file = OpenFile {
                size_seen: Filestat::of_file(&file)?.size,
                file,
                position: 0,
                flags: how.fdflags,
                readable: how.read,
                writable: how.write,
            };
            (Descriptor::File(file), rights::FILE)
        }
    })
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
    let dir = directory(call, fd, rights::PATH_READLINK)?;
    let path = path(call.memory, at, len)?;
    slice(call.memory, used_out, 4)?;
    slice(call.memory, buffer, buffer_len)?;
    let target = dir.read_link(path).map_err(|error| errno(&error))?;
    let target = target.as_os_str().as_encoded_bytes();
    let n = target.len().min(buffer_len as usize);
    slice_mut(call.memory, buffer, n as u32)?.copy_from_slice(&target[..n]);
    Ok(write_u32(call.memory, used_out, n as u32)?)
}

/// `path_remove_directory(fd, path, len)`. ENOTEMPTY; ENOTDIR for a file.
pub fn path_remove_directory(call: &mut Call<'_>, fd: u32, at: u32, len: u32) -> Result {
    let dir = directory(call, fd, rights::PATH_REMOVE_DIRECTORY)?;
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
    let old_dir = directory(call, old_fd, rights::PATH_RENAME_SOURCE)?;
    let new_dir = directory(call, new_fd, rights::PATH_RENAME_TARGET)?;
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
    let dir = directory(call, fd, rights::PATH_SYMLINK)?;
    let old = path(call.memory, old_at, old_len)?;
    let new = path(call.memory, new_at, new_len)?;
    check_quota(call)?;
    done(dir.symlink(old, new))?;
    call.ctx.made(|| Filestat::of_path(&dir, new, false));
    Ok(call.ctx.files.spend(NEW_ENTRY_BYTES)?)
}

/// `path_unlink_file(fd, path, len)`. EISDIR or EPERM for a directory.
pub fn path_unlink_file(call: &mut Call<'_>, fd: u32, at: u32, len: u32) -> Result {
    let dir = directory(call, fd, rights::PATH_UNLINK_FILE)?;
    done(dir.remove_file(path(call.memory, at, len)?))
}
