//! What is asked of an open file or directory: its type and flags, its size, that it is on the disk.

use super::super::arguments::{Answer, u64, variant};
use super::codes::{answer, descriptor_type};
use super::descriptor::number;
use crate::host::component::function::HostCall;
use crate::host::component::value::Value;
use crate::host::wasi::abi::{Errno, Fault, fdflags, filetype, rights};
use crate::host::wasi::ctx::{Call, WasiCtx};
use crate::host::wasi::dir::errno;
use crate::host::wasi::fd::{fd_advise, fd_datasync, fd_sync};
use crate::host::wasi::files::Descriptor;
use crate::host::wasi::stat::fd_filestat_set_size;

/// `descriptor-flags`.
pub mod flag {
    #![allow(missing_docs)]
    pub const READ: u32 = 1;
    pub const WRITE: u32 = 2;
    pub const FILE_INTEGRITY_SYNC: u32 = 4;
    pub const DATA_INTEGRITY_SYNC: u32 = 8;
    pub const REQUESTED_WRITE_SYNC: u32 = 16;
    pub const MUTATE_DIRECTORY: u32 = 32;

    /// Those that ask when data is to be on the disk, and what preview1 calls them.
    pub const SYNCS: [(u32, u16); 3] = [
        (FILE_INTEGRITY_SYNC, super::fdflags::SYNC),
        (DATA_INTEGRITY_SYNC, super::fdflags::DSYNC),
        (REQUESTED_WRITE_SYNC, super::fdflags::RSYNC),
    ];
}

/// A call of preview1 that uses no memory.
fn plain(ctx: &mut WasiCtx) -> Call<'_> {
    Call { ctx, memory: &mut [] }
}

/// `advise(self, offset, length, advice)`.
pub fn advise(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let (fd, offset, length) = (number(call, args, 0)?, u64(args, 1)?, u64(args, 2)?);
    // The cases are numbered as in preview1.
    let (advice, _) = variant(args, 3)?;
    answer(fd_advise(&mut plain(call.ctx), fd, offset, length, advice).map(|()| None))
}

/// `sync-data(self)`.
pub fn sync_data(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let fd = number(call, args, 0)?;
    answer(synced(call.ctx, fd, fd_datasync))
}

/// `sync(self)`.
pub fn sync(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let fd = number(call, args, 0)?;
    answer(synced(call.ctx, fd, fd_sync))
}

/// Has a file on the disk by `of_file`, or a directory.
fn synced(
    ctx: &mut WasiCtx,
    fd: u32,
    of_file: fn(&mut Call<'_>, u32) -> Result<(), Fault>,
) -> Result<Option<Value>, Fault> {
    let entry = ctx.files.get(fd)?;
    match &entry.what {
        // What was not opened for writing needs nothing.
        Descriptor::File(file) if !file.writable => {}
        Descriptor::Dir(_) if entry.read_only => {}
        Descriptor::Dir(dir) => {
            ctx.may_have_waited = true;
            rustix::fs::fsync(&*dir.dir).map_err(|error| errno(&error.into()))?;
        }
        _ => of_file(&mut plain(ctx), fd)?,
    }
    Ok(None)
}

/// `get-flags(self)`.
pub fn get_flags(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let fd = number(call, args, 0)?;
    answer(flags_of(call.ctx, fd).map(|flags| Some(Value::Flags(flags))))
}

fn flags_of(ctx: &mut WasiCtx, fd: u32) -> Result<u32, Fault> {
    let entry = ctx.files.get(fd)?;
    match &entry.what {
        Descriptor::File(file) => {
            let mut flags = if file.readable { flag::READ } else { 0 };
            flags |= if file.writable { flag::WRITE } else { 0 };
            let syncs = flag::SYNCS.iter().filter(|(_, of_preview1)| file.flags & of_preview1 != 0);
            Ok(syncs.fold(flags, |flags, (sync, _)| flags | sync))
        }
        // What it was opened with is not enforced: libraries ask for less than they use.
        Descriptor::Dir(_) => {
            let changes = entry.need(rights::PATH_CREATE_FILE).is_ok();
            Ok(flag::READ | if changes { flag::MUTATE_DIRECTORY } else { 0 })
        }
        _ => Err(Errno::Badf.into()),
    }
}

/// `get-type(self)`.
pub fn get_type(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let fd = number(call, args, 0)?;
    answer(call.ctx.files.get(fd).map_err(Fault::from).map(|entry| {
        Some(descriptor_type(match &entry.what {
            Descriptor::File(_) => filetype::REGULAR_FILE,
            Descriptor::Dir(_) => filetype::DIRECTORY,
            _ => filetype::UNKNOWN,
        }))
    }))
}

/// `set-size(self, size)`.
pub fn set_size(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let (fd, size) = (number(call, args, 0)?, u64(args, 1)?);
    answer(fd_filestat_set_size(&mut plain(call.ctx), fd, size).map(|()| None))
}
