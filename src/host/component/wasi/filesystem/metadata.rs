//! Types, sizes and times of files, and whether two are the same.

use super::super::arguments::{Answer, datetime, flags, text, to_datetime, variant};
use super::codes::{answer, descriptor_type};
use super::descriptor::number;
use crate::host::component::function::{Fail, HostCall};
use crate::host::component::value::Value;
use crate::host::wasi::abi::{Errno, Fault, rights};
use crate::host::wasi::at::directory;
use crate::host::wasi::ctx::WasiCtx;
use crate::host::wasi::dir::{Filestat, NewTime, set_path_times};
use crate::host::wasi::files::Descriptor;
use crate::host::wasi::memory::check_path;
use crate::host::wasi::stat::{filestat, set_times_of};

/// Whether `path-flags` ask to follow a link at the end.
fn follows(args: &[Value], at: usize) -> Result<bool, Fail> {
    Ok(flags(args, at)? & 1 != 0)
}

/// What the guest gets to see of the path that the call names.
fn filestat_at(call: &mut HostCall<'_>, args: &[Value]) -> Result<Result<Filestat, Fault>, Fail> {
    let (fd, follow, path) = (number(call, args, 0)?, follows(args, 1)?, text(args, 2)?);
    let found = |ctx: &mut WasiCtx| {
        let dir = directory(ctx, fd, rights::PATH_FILESTAT_GET)?;
        check_path(path.as_bytes())?;
        let stat = Filestat::of_path(&dir, path, follow)?;
        Ok(ctx.shown(stat))
    };
    Ok(found(call.ctx))
}

/// What the guest gets to see of the descriptor that the call names.
fn filestat_of(call: &mut HostCall<'_>, args: &[Value]) -> Result<Result<Filestat, Fault>, Fail> {
    let fd = number(call, args, 0)?;
    Ok(filestat(call.ctx, fd).map_err(Fault::from))
}

/// `stat(self)`.
pub fn stat(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    answer(filestat_of(call, args)?.map(|stat| Some(descriptor_stat(&stat))))
}

/// `stat-at(self, path-flags, path)`.
pub fn stat_at(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    answer(filestat_at(call, args)?.map(|stat| Some(descriptor_stat(&stat))))
}

fn descriptor_stat(stat: &Filestat) -> Value {
    Value::Record(vec![
        descriptor_type(stat.filetype),
        Value::U64(stat.nlink),
        Value::U64(stat.size),
        Value::some(to_datetime(stat.atim)),
        Value::some(to_datetime(stat.mtim)),
        Value::some(to_datetime(stat.ctim)),
    ])
}

/// The two `new-timestamp` that begin with argument `at`.
fn new_times(args: &[Value], at: usize) -> Result<Result<[NewTime; 2], Errno>, Fail> {
    let (access, modification) = (new_time(args, at)?, new_time(args, at + 1)?);
    Ok(access.and_then(|access| Ok([access, modification?])))
}

fn new_time(args: &[Value], at: usize) -> Result<Result<NewTime, Errno>, Fail> {
    Ok(match variant(args, at)? {
        (0, _) => Ok(NewTime::Keep),
        (1, _) => Ok(NewTime::Now),
        (_, time) => nanoseconds(datetime(time, at)?).map(NewTime::At),
    })
}

fn nanoseconds((seconds, nanoseconds): (u64, u32)) -> Result<u64, Errno> {
    if nanoseconds >= 1_000_000_000 {
        return Err(Errno::Inval);
    }
    let whole = seconds.checked_mul(1_000_000_000).ok_or(Errno::Overflow)?;
    whole.checked_add(nanoseconds.into()).ok_or(Errno::Overflow)
}

/// `set-times(self, data-access-timestamp, data-modification-timestamp)`.
pub fn set_times(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let (fd, times) = (number(call, args, 0)?, new_times(args, 1)?);
    let done = times.and_then(|times| set_times_of(call.ctx, fd, times));
    answer(done.map(|()| None).map_err(Fault::from))
}

/// `set-times-at(self, path-flags, path, data-access-timestamp, data-modification-timestamp)`.
pub fn set_times_at(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let (fd, follow, path) = (number(call, args, 0)?, follows(args, 1)?, text(args, 2)?);
    let times = new_times(args, 3)?;
    let done = |ctx| {
        let times = times?;
        let dir = directory(ctx, fd, rights::PATH_FILESTAT_SET_TIMES)?;
        check_path(path.as_bytes())?;
        set_path_times(&dir, path, follow, times)?;
        Ok(None)
    };
    answer(done(call.ctx))
}

/// `is-same-object(self, other)`: whether device and inode are the same.
pub fn is_same_object(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let (one, other) = (number(call, args, 0)?, number(call, args, 1)?);
    let one = identity(call.ctx, one);
    Ok(Some(Value::Bool(one.is_ok() && one == identity(call.ctx, other))))
}

fn identity(ctx: &mut WasiCtx, fd: u32) -> Result<(u64, u64), Errno> {
    let stat = match &ctx.files.get(fd)?.what {
        Descriptor::File(file) => Filestat::of_file(&file.file)?,
        Descriptor::Dir(dir) => Filestat::of_dir(&dir.dir)?,
        _ => return Err(Errno::Badf),
    };
    Ok((stat.dev, stat.ino))
}

/// `metadata-hash(self)`.
pub fn metadata_hash(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    answer(filestat_of(call, args)?.map(|stat| Some(hash(&stat))))
}

/// `metadata-hash-at(self, path-flags, path)`.
pub fn metadata_hash_at(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    answer(filestat_at(call, args)?.map(|stat| Some(hash(&stat))))
}

/// The lower half says which file it is, and stays when the file changes: libraries have it as an inode number. The upper half
/// says what is in the file, too. Both are made of what the guest gets to see, so they are the same in every reproducible run.
fn hash(stat: &Filestat) -> Value {
    let lower = [stat.dev, stat.ino].into_iter().fold(0, mixed);
    let upper = [stat.size, stat.mtim, stat.ctim].into_iter().fold(!lower, mixed);
    Value::Record(vec![Value::U64(lower), Value::U64(upper)])
}

/// The step of SplitMix64, with `more` as its increment. For each `state`, no two of `more` give the same.
fn mixed(state: u64, more: u64) -> u64 {
    let mut z = (state ^ more).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
