//! Calls on descriptors. So far only the three standard streams are ever open.

use super::Call;
use super::abi::{Errno, FDSTAT_BYTES, FILESTAT_BYTES, Fault, fdflags, filetype, rights};
use super::files::Descriptor;
use super::memory::{iovecs, slice, slice_mut, write, write_u32};

type Result = std::result::Result<(), Fault>;

/// `fd_close(fd)`. EBADF.
pub fn fd_close(call: &mut Call<'_>, fd: u32) -> Result {
    Ok(call.ctx.files.close(fd)?)
}

/// `fd_read(fd, iovs, iovs_len, nread_out)`: fills the buffers in order and gives the number of bytes, 0 at
/// the end. Short when less is there. EBADF, EFAULT, EINVAL for more than 1,024 buffers.
pub fn fd_read(call: &mut Call<'_>, fd: u32, list: u32, count: u32, read_out: u32) -> Result {
    if call.ctx.files.get(fd)? != Descriptor::Stdin {
        return Err(Errno::Badf.into());
    }
    let buffers = iovecs(call.memory, list, count)?;
    slice(call.memory, read_out, 4)?;
    let mut total = 0;
    for (base, len) in buffers {
        // Only the first read may wait: what has come is given at once.
        if total > 0 && !call.ctx.files.stdin_ready() {
            break;
        }
        let until = call.ctx.deadline;
        let n = call.ctx.files.read_stdin(slice_mut(call.memory, base, len)?, until)?;
        total += n as u32;
        if n < len as usize {
            break;
        }
    }
    call.ctx.moved_bytes += u64::from(total);
    Ok(write_u32(call.memory, read_out, total)?)
}

/// `fd_write(fd, iovs, iovs_len, nwritten_out)`: writes the buffers in order and gives the number of bytes.
/// Stops the guest when the output's cap is passed. EBADF, EFAULT, EINVAL for more than 1,024 buffers, EIO.
pub fn fd_write(call: &mut Call<'_>, fd: u32, list: u32, count: u32, written_out: u32) -> Result {
    let output = call.ctx.files.output(fd)?;
    let buffers = iovecs(call.memory, list, count)?;
    slice(call.memory, written_out, 4)?;
    let mut total = 0;
    for (base, len) in buffers {
        output.write(slice(call.memory, base, len)?)?;
        total += len;
    }
    call.ctx.moved_bytes += u64::from(total);
    Ok(write_u32(call.memory, written_out, total)?)
}

/// `fd_fdstat_get(fd, out)`: type, flags and rights in the 24 bytes of `fdstat`. EBADF, EFAULT.
pub fn fd_fdstat_get(call: &mut Call<'_>, fd: u32, out: u32) -> Result {
    let (flags, direction) = match call.ctx.files.get(fd)? {
        Descriptor::Stdin => (0, rights::FD_READ),
        Descriptor::Stdout | Descriptor::Stderr => (fdflags::APPEND, rights::FD_WRITE),
    };
    let rights = direction | rights::FD_FILESTAT_GET | rights::POLL_FD_READWRITE;
    let mut stat = [0; FDSTAT_BYTES];
    stat[0] = filetype::CHARACTER_DEVICE;
    stat[2..4].copy_from_slice(&flags.to_le_bytes());
    stat[8..16].copy_from_slice(&rights.to_le_bytes());
    Ok(write(call.memory, out, &stat)?)
}

/// `fd_fdstat_set_flags(fd, flags)`: accepted without effect, as the streams are append-only and blocking
/// already. EBADF, EINVAL for an unknown flag.
pub fn fd_fdstat_set_flags(call: &mut Call<'_>, fd: u32, flags: u32) -> Result {
    call.ctx.files.get(fd)?;
    if flags & !u32::from(fdflags::ALL) != 0 {
        return Err(Errno::Inval.into());
    }
    Ok(())
}

/// `fd_filestat_get(fd, out)`: the 64 bytes of `filestat`; a stream has a type and nothing else. EBADF, EFAULT.
pub fn fd_filestat_get(call: &mut Call<'_>, fd: u32, out: u32) -> Result {
    call.ctx.files.get(fd)?;
    let mut stat = [0; FILESTAT_BYTES];
    stat[16] = filetype::CHARACTER_DEVICE;
    Ok(write(call.memory, out, &stat)?)
}

/// `fd_seek(fd, offset, whence, out)`: streams cannot seek. EBADF, ESPIPE.
pub fn fd_seek(call: &mut Call<'_>, fd: u32, _offset: u64, _whence: u32, _out: u32) -> Result {
    stream_has_no_position(call, fd)
}

/// `fd_tell(fd, out)`. EBADF, ESPIPE.
pub fn fd_tell(call: &mut Call<'_>, fd: u32, _out: u32) -> Result {
    stream_has_no_position(call, fd)
}

/// `fd_pread(fd, iovs, iovs_len, offset, nread_out)`. EBADF, ESPIPE.
pub fn fd_pread(call: &mut Call<'_>, fd: u32, _list: u32, _count: u32, _offset: u64, _out: u32) -> Result {
    stream_has_no_position(call, fd)
}

/// `fd_pwrite(fd, iovs, iovs_len, offset, nwritten_out)`. EBADF, ESPIPE.
pub fn fd_pwrite(call: &mut Call<'_>, fd: u32, _list: u32, _count: u32, _offset: u64, _out: u32) -> Result {
    stream_has_no_position(call, fd)
}

fn stream_has_no_position(call: &mut Call<'_>, fd: u32) -> Result {
    call.ctx.files.get(fd)?;
    Err(Errno::Spipe.into())
}

/// `fd_prestat_get(fd, out)`: no directory is preopened, which is how a guest learns that there are none.
/// EBADF.
pub fn fd_prestat_get(_call: &mut Call<'_>, _fd: u32, _out: u32) -> Result {
    Err(Errno::Badf.into())
}

/// `fd_prestat_dir_name(fd, path, len)`. EBADF.
pub fn fd_prestat_dir_name(_call: &mut Call<'_>, _fd: u32, _path: u32, _len: u32) -> Result {
    Err(Errno::Badf.into())
}
