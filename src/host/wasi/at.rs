//! What either WASI does with a path beneath an open directory: rights, quota, inode numbers. The path has been checked
//! (`memory.rs`), and `dir.rs` resolves it.

use super::abi::{Errno, filetype, oflags, rights};
use super::ctx::WasiCtx;
use super::dir::{self, Filestat, Opened, Opening, errno};
use super::files::{Descriptor, Entry, OpenDir, OpenFile};
use crate::base::limits::NEW_ENTRY_BYTES;
use cap_std::fs::Dir;
use std::sync::Arc;

type Result<T> = std::result::Result<T, Errno>;

/// The directory `fd`, if it has `right`.
pub fn directory(ctx: &mut WasiCtx, fd: u32, right: u64) -> Result<Arc<Dir>> {
    ctx.may_have_waited = true;
    Ok(Arc::clone(&ctx.files.get(fd)?.dir(right)?.dir))
}

fn done<T>(result: std::io::Result<T>) -> Result<T> {
    result.map_err(|error| errno(&error))
}

/// Checks before something new is made that the quota allows it.
fn check_quota(ctx: &WasiCtx) -> Result<()> {
    if ctx.files.quota < NEW_ENTRY_BYTES { Err(Errno::Dquot) } else { Ok(()) }
}

/// Makes the directory `path`.
pub fn create_directory(ctx: &mut WasiCtx, dir: &Dir, path: &str) -> Result<()> {
    check_quota(ctx)?;
    done(dir.create_dir(path))?;
    ctx.made(|| Filestat::of_path(dir, path, false));
    ctx.files.spend(NEW_ENTRY_BYTES)
}

/// Makes the hard link `new` of `old`. EINVAL to follow a link to what is linked.
pub fn link(
    ctx: &mut WasiCtx,
    (old_dir, old, follow): (&Dir, &str, bool),
    (new_dir, new): (&Dir, &str),
) -> Result<()> {
    if follow && Filestat::of_path(old_dir, old, false)?.filetype == filetype::SYMBOLIC_LINK {
        return Err(Errno::Inval);
    }
    check_quota(ctx)?;
    done(old_dir.hard_link(old, new_dir, new))?;
    ctx.files.spend(NEW_ENTRY_BYTES)
}

/// Makes the symbolic link `new`, which says `old`.
pub fn symlink(ctx: &mut WasiCtx, old: &str, dir: &Dir, new: &str) -> Result<()> {
    check_quota(ctx)?;
    done(dir.symlink(old, new))?;
    ctx.made(|| Filestat::of_path(dir, new, false));
    ctx.files.spend(NEW_ENTRY_BYTES)
}

/// What the symbolic link `path` says. EINVAL for what is no link; EPERM for a link to an absolute path.
pub fn read_link(dir: &Dir, path: &str) -> Result<Vec<u8>> {
    Ok(done(dir.read_link(path))?.into_os_string().into_encoded_bytes())
}

/// Removes the file `path`. EISDIR or EPERM for a directory.
pub fn unlink(dir: &Dir, path: &str) -> Result<()> {
    done(dir.remove_file(path))
}

/// Opens `path` beneath `dir`, which is the directory `parent`, and gives its number. The rights, those of its own and those
/// that are inherited, are only reported.
pub fn open(
    ctx: &mut WasiCtx,
    (parent, dir): (u32, &Dir),
    path: &str,
    how: Opening,
    (base, inheriting): (u64, u64),
) -> Result<u32> {
    let parent = ctx.files.get(parent)?;
    check_opening(parent, how)?;
    let (given_up, read_only) = (parent.given_up_inheriting, parent.read_only);
    ctx.files.check_room()?;
    let creates = how.oflags & oflags::CREAT != 0 && Filestat::of_path(dir, path, how.follow).is_err();
    if creates {
        check_quota(ctx)?;
    }
    let opened = dir::open(dir, path, how)?;
    if creates {
        ctx.files.spend(NEW_ENTRY_BYTES)?;
        if let Opened::File(file) = &opened {
            ctx.made(|| Filestat::of_file(file));
        }
    }
    let (what, possible) = describe(opened, how)?;
    let mut entry = Entry::new(what, base & possible & !given_up, inheriting & !given_up, read_only);
    entry.given_up = given_up;
    entry.given_up_inheriting = given_up;
    ctx.files.insert(entry)
}

/// Checks that the directory `parent` allows to open like this.
fn check_opening(parent: &Entry, how: Opening) -> Result<()> {
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
fn describe(opened: Opened, how: Opening) -> Result<(Descriptor, u64)> {
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
