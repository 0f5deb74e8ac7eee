//! Calls that read, write, seek and close descriptors.

use super::abi::{Errno, Fault, Wait, fdflags, rights, whence};
use super::ctx::Call;
use super::dir::errno;
use super::files::Descriptor;
use super::memory::{iovecs, slice, slice_mut, write_u32, write_u64};
use crate::base::limits::HOST_CALL_BYTES_MAX;
use crate::host::streams::Ready;
use rustix::fs::{Advice, FallocateFlags, fadvise, fallocate};
use std::io::IoSlice;
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt;

type Result = std::result::Result<(), Fault>;

/// The largest offset in a file: what the host's `off_t` takes.
const OFFSET_MAX: u64 = i64::MAX as u64;

/// `fd_close(fd)`. EBADF.
pub fn fd_close(call: &mut Call<'_>, fd: u32) -> Result {
    Ok(call.ctx.files.close(fd)?)
}

/// `fd_renumber(from, to)`: `to`, which must be open, becomes what `from` is; `from` is closed. EBADF.
pub fn fd_renumber(call: &mut Call<'_>, from: u32, to: u32) -> Result {
    Ok(call.ctx.files.renumber(from, to)?)
}

/// `fd_read(fd, iovs, iovs_len, nread_out)`: fills the buffers in order and gives the number of bytes, 0 at
/// the end. Short when less is there. EBADF, EFAULT, EINVAL for more than 1,024 buffers, EIO.
pub fn fd_read(call: &mut Call<'_>, fd: u32, list: u32, count: u32, read_out: u32) -> Result {
    let entry = call.ctx.files.get(fd)?;
    match entry.what {
        Descriptor::Stdin => {
            entry.need(rights::FD_READ)?;
            read_stdin(call, list, count, read_out)
        }
        Descriptor::File(_) => read_file(call, fd, None, (list, count), read_out),
        _ => Err(Errno::Badf.into()),
    }
}

/// `fd_pread(fd, iovs, iovs_len, offset, nread_out)`: as `fd_read` at `offset`, which moves nothing. ESPIPE
/// for a stream, EINVAL for an offset beyond 2^63 - 1.
pub fn fd_pread(call: &mut Call<'_>, fd: u32, list: u32, count: u32, offset: u64, out: u32) -> Result {
    check_offset(offset)?;
    read_file(call, fd, Some(offset), (list, count), out)
}

fn read_stdin(call: &mut Call<'_>, list: u32, count: u32, read_out: u32) -> Result {
    let buffers = iovecs(call.memory, list, count)?;
    slice(call.memory, read_out, 4)?;
    let stdin = &mut call.ctx.files.stdin;
    let mut total = 0;
    if !buffers.is_empty() && stdin.ready() == Ready::NotYet {
        return Err(Fault::Wait(Wait { until: None, stdin: true }));
    }
    stdin.check()?;
    for (base, len) in buffers {
        let n = stdin.take(slice_mut(call.memory, base, len)?);
        total += n as u32;
        if n < len as usize {
            break;
        }
    }
    call.ctx.moved_bytes += u64::from(total);
    Ok(write_u32(call.memory, read_out, total)?)
}

fn read_file(call: &mut Call<'_>, fd: u32, at: Option<u64>, (list, count): (u32, u32), out: u32) -> Result {
    let file = call.ctx.files.get(fd)?.file(rights::FD_READ)?;
    if !file.readable {
        return Err(Errno::Badf.into());
    }
    let buffers = iovecs(call.memory, list, count)?;
    slice(call.memory, out, 4)?;
    call.ctx.may_have_waited = true;
    let begin = at.unwrap_or(file.position);
    let mut total = 0;
    for (base, len) in buffers {
        let buffer = slice_mut(call.memory, base, len)?;
        let from = begin.saturating_add(u64::from(total)).min(OFFSET_MAX);
        let n = loop {
            match file.file.read_at(buffer, from) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                // What was read before is given first; the error comes again with the next call.
                Err(_) if total > 0 => break 0,
                Err(error) => return Err(errno(&error).into()),
                Ok(n) => break n,
            }
        };
        total += n as u32;
        if n < len as usize {
            break;
        }
    }
    if at.is_none() {
        file.position += u64::from(total);
    }
    call.ctx.moved_bytes += u64::from(total);
    Ok(write_u32(call.memory, out, total)?)
}

/// `fd_write(fd, iovs, iovs_len, nwritten_out)`: writes the buffers in order and gives the number of bytes, which is less where
/// the log takes no more at once.
/// Stops the guest when an output's cap is passed. EBADF, EFAULT, EINVAL for more than 1,024 buffers, EIO;
/// for a file EDQUOT when the quota is spent, EFBIG, ENOSPC.
pub fn fd_write(call: &mut Call<'_>, fd: u32, list: u32, count: u32, written_out: u32) -> Result {
    let entry = call.ctx.files.get(fd)?;
    if let Descriptor::File(_) = entry.what {
        return write_file(call, fd, None, (list, count), written_out);
    }
    entry.need(rights::FD_WRITE)?;
    let is_stderr = matches!(entry.what, Descriptor::Stderr);
    // What was written first comes first, where both go to the same place.
    let files = &mut call.ctx.files;
    if is_stderr {
        files.stdout.let_through()
    } else {
        files.stderr.let_through()
    }
    let output = call.ctx.files.output(fd)?;
    let buffers = iovecs(call.memory, list, count)?;
    slice(call.memory, written_out, 4)?;
    let (mut total, most) = (0, output.at_once());
    for (base, len) in buffers {
        let taken = len.min(most - total);
        output.write(slice(call.memory, base, taken)?)?;
        total += taken;
    }
    call.ctx.moved_bytes += u64::from(total);
    Ok(write_u32(call.memory, written_out, total)?)
}

/// `fd_pwrite(fd, iovs, iovs_len, offset, nwritten_out)`: as `fd_write` at `offset`, which moves nothing. A
/// file opened for appending is appended to, as on Linux. ESPIPE for a stream, EINVAL for an offset beyond
/// 2^63 - 1.
pub fn fd_pwrite(call: &mut Call<'_>, fd: u32, list: u32, count: u32, offset: u64, out: u32) -> Result {
    check_offset(offset)?;
    write_file(call, fd, Some(offset), (list, count), out)
}

fn write_file(call: &mut Call<'_>, fd: u32, at: Option<u64>, (list, count): (u32, u32), out: u32) -> Result {
    call.ctx.files.get(fd)?.file(rights::FD_WRITE)?;
    let buffers = iovecs(call.memory, list, count)?;
    slice(call.memory, out, 4)?;
    let mut pieces = Vec::with_capacity(buffers.len());
    for (base, len) in buffers {
        pieces.push(IoSlice::new(slice(call.memory, base, len)?));
    }
    call.ctx.may_have_waited = true;
    let written = call.ctx.files.write_file(fd, &pieces, at)?;
    call.ctx.moved_bytes += u64::from(written);
    Ok(write_u32(call.memory, out, written)?)
}

/// Checks where a read or a write is to begin: EINVAL for an offset beyond 2^63 - 1.
pub fn check_offset(offset: u64) -> std::result::Result<(), Errno> {
    if offset > OFFSET_MAX { Err(Errno::Inval) } else { Ok(()) }
}

/// `fd_seek(fd, offset, whence, out)`: moves the position and gives it. EBADF, EFAULT, EINVAL for an unknown
/// whence or a position below 0 or beyond 2^63 - 1, ESPIPE for a stream.
pub fn fd_seek(call: &mut Call<'_>, fd: u32, offset: u64, from: u32, out: u32) -> Result {
    let offset = offset as i64;
    let tells_only = offset == 0 && from == whence::CUR;
    let file = call.ctx.files.get(fd)?.file(if tells_only { rights::FD_TELL } else { rights::FD_SEEK })?;
    slice(call.memory, out, 8)?;
    let base = match from {
        whence::SET => 0,
        whence::CUR => file.position,
        whence::END => file.size()?,
        _ => return Err(Errno::Inval.into()),
    };
    let position = base.checked_add_signed(offset).filter(|at| *at <= OFFSET_MAX).ok_or(Errno::Inval)?;
    file.position = position;
    Ok(write_u64(call.memory, out, position)?)
}

/// `fd_tell(fd, out)`: the position. EBADF, EFAULT, ESPIPE for a stream.
pub fn fd_tell(call: &mut Call<'_>, fd: u32, out: u32) -> Result {
    let position = call.ctx.files.get(fd)?.file(rights::FD_TELL)?.position;
    Ok(write_u64(call.memory, out, position)?)
}

/// `fd_advise(fd, offset, len, advice)`: tells the host how the file will be used; a length of 0 is to the
/// end. EBADF, EINVAL for an unknown advice or a range beyond 2^63 - 1, ESPIPE for a stream.
pub fn fd_advise(call: &mut Call<'_>, fd: u32, offset: u64, len: u64, advice: u32) -> Result {
    let file = call.ctx.files.get(fd)?.file(rights::FD_ADVISE)?;
    let advice = match advice {
        0 => Advice::Normal,
        1 => Advice::Sequential,
        2 => Advice::Random,
        3 => Advice::WillNeed,
        4 => Advice::DontNeed,
        5 => Advice::NoReuse,
        _ => return Err(Errno::Inval.into()),
    };
    if offset.checked_add(len).is_none_or(|end| end > OFFSET_MAX) {
        return Err(Errno::Inval.into());
    }
    call.ctx.may_have_waited = true;
    Ok(fadvise(&file.file, offset, NonZeroU64::new(len), advice).map_err(|error| errno(&error.into()))?)
}

/// `fd_allocate(fd, offset, len)`: makes sure that there is room on the disk, and the file at least as large.
/// EBADF, EDQUOT, EFBIG, EINVAL for no length, ENOSPC, ENOTSUP if the file system cannot, ESPIPE for a
/// stream.
pub fn fd_allocate(call: &mut Call<'_>, fd: u32, offset: u64, len: u64) -> Result {
    let quota = call.ctx.files.quota;
    let file = call.ctx.files.get(fd)?.file(rights::FD_ALLOCATE)?;
    if !file.writable {
        return Err(Errno::Badf.into());
    }
    if len == 0 {
        return Err(Errno::Inval.into());
    }
    if offset.checked_add(len).is_none_or(|end| end > OFFSET_MAX) {
        return Err(Errno::Fbig.into());
    }
    // Holes before the end are filled too, and count.
    let growth = (offset + len).saturating_sub(file.size()?).max(len);
    if growth > quota {
        return Err(Errno::Dquot.into());
    }
    // A file system that runs out of room may have taken its time for it.
    call.ctx.may_have_waited = true;
    fallocate(&file.file, FallocateFlags::empty(), offset, len).map_err(|error| errno(&error.into()))?;
    Ok(call.ctx.files.spend(growth)?)
}

/// `fd_datasync(fd)`: has the file's data on the disk before it returns. EBADF, EIO; EINVAL for a stream.
pub fn fd_datasync(call: &mut Call<'_>, fd: u32) -> Result {
    sync(call, fd, rights::FD_DATASYNC)
}

/// `fd_sync(fd)`: the same with the file's metadata.
pub fn fd_sync(call: &mut Call<'_>, fd: u32) -> Result {
    sync(call, fd, rights::FD_SYNC)
}

fn sync(call: &mut Call<'_>, fd: u32, right: u64) -> Result {
    let file = call.ctx.files.get(fd)?.file_or(right, Errno::Inval)?;
    call.ctx.may_have_waited = true;
    let done = if right == rights::FD_SYNC { file.file.sync_all() } else { file.file.sync_data() };
    Ok(done.map_err(|error| errno(&error))?)
}

/// `fd_fdstat_set_flags(fd, flags)`: appending can be switched, and not waiting, which no descriptor here
/// does anyway. EBADF; EINVAL for an unknown flag, and for the synchronous ones if the file was not opened
/// so.
pub fn fd_fdstat_set_flags(call: &mut Call<'_>, fd: u32, flags: u32) -> Result {
    let entry = call.ctx.files.get(fd)?;
    if flags & !u32::from(fdflags::ALL) != 0 {
        return Err(Errno::Inval.into());
    }
    if entry.stream().is_some() {
        entry.need(rights::FD_FDSTAT_SET_FLAGS)?;
        return Ok(());
    }
    let file = entry.file(rights::FD_FDSTAT_SET_FLAGS)?;
    let flags = flags as u16;
    let switched = fdflags::APPEND | fdflags::NONBLOCK;
    if flags & !switched != file.flags & !switched {
        return Err(Errno::Inval.into());
    }
    let mut host = rustix::fs::fcntl_getfl(&file.file).map_err(|error| errno(&error.into()))?;
    host.set(rustix::fs::OFlags::APPEND, flags & fdflags::APPEND != 0);
    rustix::fs::fcntl_setfl(&file.file, host).map_err(|error| errno(&error.into()))?;
    file.flags = flags;
    Ok(())
}

const _: () = assert!(HOST_CALL_BYTES_MAX as u64 <= u32::MAX as u64, "a call's bytes are counted in 32 bits");
