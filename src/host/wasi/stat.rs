//! Metadata of descriptors: type, flags, rights, size and times.

use super::abi::{Errno, FDSTAT_BYTES, Fault, fdflags, filetype, rights};
use super::ctx::{Call, WasiCtx};
use super::dir::{Filestat, NewTime, errno, new_times, set_times};
use super::files::Descriptor;
use super::memory::{slice, write};

type Result = std::result::Result<(), Fault>;

/// `fd_fdstat_get(fd, out)`: type, flags and rights in the 24 bytes of `fdstat`. EBADF, EFAULT.
pub fn fd_fdstat_get(call: &mut Call<'_>, fd: u32, out: u32) -> Result {
    let types = call.ctx.stream_types;
    let entry = call.ctx.files.get(fd)?;
    let (kind, flags) = match &entry.what {
        Descriptor::Stdin => (types[0], 0),
        Descriptor::Stdout => (types[1], fdflags::APPEND),
        Descriptor::Stderr => (types[2], fdflags::APPEND),
        Descriptor::File(file) => (filetype::REGULAR_FILE, file.flags),
        Descriptor::Dir(_) => (filetype::DIRECTORY, 0),
    };
    let mut stat = [0; FDSTAT_BYTES];
    stat[0] = kind;
    stat[2..4].copy_from_slice(&flags.to_le_bytes());
    stat[8..16].copy_from_slice(&entry.base.to_le_bytes());
    stat[16..24].copy_from_slice(&entry.inheriting.to_le_bytes());
    Ok(write(call.memory, out, &stat)?)
}

/// `fd_fdstat_set_rights(fd, base, inheriting)`: gives up all other rights, for good. EBADF, ENOTCAPABLE for
/// one that it does not have.
pub fn fd_fdstat_set_rights(call: &mut Call<'_>, fd: u32, base: u64, inheriting: u64) -> Result {
    let entry = call.ctx.files.get(fd)?;
    if base & !entry.base != 0 || inheriting & !entry.inheriting != 0 {
        return Err(Errno::Notcapable.into());
    }
    entry.given_up |= entry.base & !base;
    entry.given_up_inheriting |= entry.inheriting & !inheriting;
    (entry.base, entry.inheriting) = (base, inheriting);
    Ok(())
}

/// `fd_filestat_get(fd, out)`: the 64 bytes of `filestat`; a stream has a type and nothing else. EBADF, EFAULT.
pub fn fd_filestat_get(call: &mut Call<'_>, fd: u32, out: u32) -> Result {
    slice(call.memory, out, super::abi::FILESTAT_BYTES as u32)?;
    Ok(write(call.memory, out, &allowed_filestat(call.ctx, fd)?.to_bytes())?)
}

/// As [`filestat`], if the descriptor has the right to it.
pub fn allowed_filestat(ctx: &mut WasiCtx, fd: u32) -> std::result::Result<Filestat, Errno> {
    ctx.files.get(fd)?.need(rights::FD_FILESTAT_GET)?;
    filestat(ctx, fd)
}

/// What the guest gets to see of `fd`. EBADF.
pub fn filestat(ctx: &mut WasiCtx, fd: u32) -> std::result::Result<Filestat, Errno> {
    let entry = ctx.files.get(fd)?;
    let stream = entry.stream();
    let stat = match &entry.what {
        Descriptor::File(file) => Filestat::of_file(&file.file)?,
        Descriptor::Dir(dir) => Filestat::of_dir(&dir.dir)?,
        _ => Filestat::default(),
    };
    Ok(match stream {
        Some(stream) => Filestat { filetype: ctx.stream_types[stream], ..stat },
        None => ctx.shown(stat),
    })
}

/// `fd_filestat_set_size(fd, size)`: cuts the file, or grows it with zeros, which count against the quota.
/// EBADF, EDQUOT, EFBIG, EINVAL for a file that is not open for writing, a stream, or a size beyond
/// 2^63 - 1.
pub fn fd_filestat_set_size(call: &mut Call<'_>, fd: u32, size: u64) -> Result {
    let quota = call.ctx.files.quota;
    let file = call.ctx.files.get(fd)?.file_or(rights::FD_FILESTAT_SET_SIZE, Errno::Inval)?;
    if !file.writable || i64::try_from(size).is_err() {
        return Err(Errno::Inval.into());
    }
    let growth = size.saturating_sub(file.size()?);
    if growth > quota {
        return Err(Errno::Dquot.into());
    }
    call.ctx.may_have_waited = true;
    file.file.set_len(size).map_err(|error| errno(&error))?;
    file.size_seen = size;
    Ok(call.ctx.files.spend(growth)?)
}

/// `fd_filestat_set_times(fd, atim, mtim, flags)`: sets the times that the flags name. EBADF, also for a
/// stream; EINVAL for flags that are unknown or contradict each other; EPERM, EROFS.
pub fn fd_filestat_set_times(call: &mut Call<'_>, fd: u32, atim: u64, mtim: u64, flags: u32) -> Result {
    call.ctx.files.get(fd)?;
    let times = new_times(atim, mtim, flags)?;
    Ok(set_times_of(call.ctx, fd, times)?)
}

/// Sets the times of `fd`. EBADF, also for a stream; EPERM, EROFS.
pub fn set_times_of(ctx: &mut WasiCtx, fd: u32, times: [NewTime; 2]) -> std::result::Result<(), Errno> {
    let entry = ctx.files.get(fd)?;
    ctx.may_have_waited = true;
    match &entry.what {
        Descriptor::File(file) => {
            entry.need(rights::FD_FILESTAT_SET_TIMES)?;
            set_times(&file.file, times)
        }
        Descriptor::Dir(dir) => {
            entry.need(rights::FD_FILESTAT_SET_TIMES)?;
            set_times(&*dir.dir, times)
        }
        _ => Err(Errno::Badf),
    }
}
