//! Calls with a path beneath an open directory.

use super::super::arguments::{Answer, flags, own, text};
use super::codes::answer;
use super::descriptor::{Descriptor, Held, number};
use super::file::flag;
use crate::host::component::function::{Fail, HostCall};
use crate::host::component::value::Value;
use crate::host::wasi::abi::{Errno, Fault, oflags, rights};
use crate::host::wasi::at;
use crate::host::wasi::ctx::WasiCtx;
use crate::host::wasi::dir::{Opening, remove_dir, rename};
use crate::host::wasi::memory::check_path;
use cap_std::fs::Dir;
use std::sync::Arc;

/// A directory of the run, and a path beneath it that is not yet checked.
struct Place<'a> {
    fd: u32,
    path: &'a str,
}

/// The place that two arguments name.
fn place<'a>(call: &mut HostCall<'_>, args: &'a [Value], fd: usize, path: usize) -> Result<Place<'a>, Fail> {
    Ok(Place { fd: number(call, args, fd)?, path: text(args, path)? })
}

impl<'a> Place<'a> {
    /// The directory, if it has `right`, and the path.
    fn open(&self, ctx: &mut WasiCtx, right: u64) -> Result<(Arc<Dir>, &'a str), Errno> {
        let dir = at::directory(ctx, self.fd, right)?;
        check_path(self.path.as_bytes())?;
        Ok((dir, self.path))
    }
}

/// A call that gives nothing but an error.
fn nothing(done: Result<(), Errno>) -> Answer {
    answer(done.map(|()| None).map_err(Fault::from))
}

/// `create-directory-at(self, path)`.
pub fn create_directory_at(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let place = place(call, args, 0, 1)?;
    let new = place.open(call.ctx, rights::PATH_CREATE_DIRECTORY);
    nothing(new.and_then(|(dir, path)| at::create_directory(call.ctx, &dir, path)))
}

/// `link-at(self, old-path-flags, old-path, new-descriptor, new-path)`: from a read-only directory nothing is linked, as by the
/// new name it could be changed.
pub fn link_at(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let (old, new) = (place(call, args, 0, 2)?, place(call, args, 3, 4)?);
    let follow = flags(args, 1)? & 1 != 0;
    let done = |ctx: &mut WasiCtx| {
        let (old_dir, old) = old.open(ctx, rights::PATH_LINK_SOURCE)?;
        let (new_dir, new) = new.open(ctx, rights::PATH_LINK_TARGET)?;
        at::link(ctx, (&old_dir, old, follow), (&new_dir, new))
    };
    nothing(done(call.ctx))
}

/// `open-at(self, path-flags, path, open-flags, flags)`.
pub fn open_at(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let place = place(call, args, 0, 2)?;
    let follow = flags(args, 1)? & 1 != 0;
    let (opens, wanted) = (flags(args, 3)?, flags(args, 4)?);
    let syncs = flag::SYNCS.iter().filter(|(sync, _)| wanted & sync != 0);
    let how = Opening {
        // The bits are those of preview1.
        oflags: opens as u16 & oflags::ALL,
        fdflags: syncs.fold(0, |all, (_, of_preview1)| all | of_preview1),
        read: wanted & flag::READ != 0,
        write: wanted & flag::WRITE != 0,
        follow,
    };
    match opened(call.ctx, &place, how, wanted & flag::MUTATE_DIRECTORY != 0) {
        Ok(fd) => {
            let descriptor = call.table.push(Descriptor(Held::new(fd, call.ctx)))?;
            answer(Ok(Some(own(descriptor))))
        }
        Err(errno) => nothing(Err(errno)),
    }
}

fn opened(ctx: &mut WasiCtx, place: &Place<'_>, how: Opening, mutates: bool) -> Result<u32, Errno> {
    let (dir, path) = place.open(ctx, rights::PATH_OPEN)?;
    if mutates && ctx.files.get(place.fd)?.read_only {
        return Err(Errno::Rofs);
    }
    let all = rights::DIRECTORY | rights::FILE;
    at::open(ctx, (place.fd, &dir), path, how, (all, all))
}

/// `readlink-at(self, path)`: what is no UTF-8 cannot be told.
pub fn readlink_at(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let place = place(call, args, 0, 1)?;
    let done = |ctx: &mut WasiCtx| {
        let (dir, path) = place.open(ctx, rights::PATH_READLINK)?;
        let target = String::from_utf8(at::read_link(&dir, path)?).map_err(|_| Errno::Ilseq)?;
        ctx.moved_bytes += target.len() as u64;
        Ok(Some(Value::String(target)))
    };
    answer(done(call.ctx))
}

/// `remove-directory-at(self, path)`.
pub fn remove_directory_at(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let place = place(call, args, 0, 1)?;
    let old = place.open(call.ctx, rights::PATH_REMOVE_DIRECTORY);
    nothing(old.and_then(|(dir, path)| remove_dir(&dir, path)))
}

/// `rename-at(self, old-path, new-descriptor, new-path)`: replaces what the new path names.
pub fn rename_at(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let (old, new) = (place(call, args, 0, 1)?, place(call, args, 2, 3)?);
    let done = |ctx: &mut WasiCtx| {
        let (old_dir, old) = old.open(ctx, rights::PATH_RENAME_SOURCE)?;
        let (new_dir, new) = new.open(ctx, rights::PATH_RENAME_TARGET)?;
        rename(&old_dir, old, &new_dir, new)
    };
    nothing(done(call.ctx))
}

/// `symlink-at(self, old-path, new-path)`: a link that says `old-path`, which is relative.
pub fn symlink_at(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let (old, new) = (place(call, args, 0, 1)?, place(call, args, 0, 2)?);
    let done = |ctx: &mut WasiCtx| {
        let (_, old) = old.open(ctx, rights::PATH_SYMLINK)?;
        let (dir, new) = new.open(ctx, rights::PATH_SYMLINK)?;
        at::symlink(ctx, old, &dir, new)
    };
    nothing(done(call.ctx))
}

/// `unlink-file-at(self, path)`.
pub fn unlink_file_at(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let place = place(call, args, 0, 1)?;
    let old = place.open(call.ctx, rights::PATH_UNLINK_FILE);
    nothing(old.and_then(|(dir, path)| at::unlink(&dir, path)))
}
