//! Bytes of files: read and written at an offset, or by streams.

use super::super::arguments::{Answer, bytes, own, u64};
use super::super::stream::{Broken, Drain, InputStream, OutputStream, Source};
use super::codes::answer;
use super::descriptor::{Held, held, number};
use crate::base::heap;
use crate::base::limits::{HOST_CALL_BYTES_MAX, STREAM_READ_BYTES_MAX};
use crate::host::component::function::{Fail, HostCall};
use crate::host::component::value::Value;
use crate::host::wasi::abi::{Errno, Fault, Wait, rights};
use crate::host::wasi::ctx::WasiCtx;
use crate::host::wasi::dir::errno;
use crate::host::wasi::fd::check_offset;
use rustix::buffer::spare_capacity;
use std::io::IoSlice;

/// Up to `len` bytes of the file `fd` from `offset` on; none at its end.
fn read_at(ctx: &mut WasiCtx, fd: u32, len: usize, offset: u64) -> Result<Vec<u8>, Fault> {
    check_offset(offset)?;
    let file = ctx.files.get(fd)?.file(rights::FD_READ)?;
    if !file.readable {
        return Err(Errno::Badf.into());
    }
    let mut bytes = Vec::new();
    if len == 0 {
        return Ok(bytes);
    }
    ctx.may_have_waited = true;
    heap::reserve(&mut bytes, len).map_err(|_| Fault::NoMemory)?;
    loop {
        match rustix::io::pread(&file.file, spare_capacity(&mut bytes), offset) {
            Ok(_) => break,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(errno(&error.into()).into()),
        }
    }
    // There may be more room than was asked for.
    bytes.truncate(len);
    ctx.moved_bytes += bytes.len() as u64;
    Ok(bytes)
}

/// Writes to the file `fd` at `offset`, and gives the number of bytes, which is less if the quota does not allow all.
fn write_at(ctx: &mut WasiCtx, fd: u32, bytes: &[u8], offset: u64) -> Result<u64, Errno> {
    check_offset(offset)?;
    ctx.may_have_waited = true;
    let written = u64::from(ctx.files.write_file(fd, &[IoSlice::new(bytes)], Some(offset))?);
    ctx.moved_bytes += written;
    Ok(written)
}

/// `read(self, length, offset)`: bytes, and whether that is the end.
pub fn read(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let (fd, length, offset) = (number(call, args, 0)?, u64(args, 1)?, u64(args, 2)?);
    let most = usize::try_from(length).unwrap_or(usize::MAX).min(STREAM_READ_BYTES_MAX);
    answer(read_at(call.ctx, fd, most, offset).map(|bytes| {
        let is_end = bytes.is_empty() && length > 0;
        Some(Value::Record(vec![Value::Bytes(bytes), Value::Bool(is_end)]))
    }))
}

/// `write(self, buffer, offset)`: the number of bytes written.
pub fn write(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let (fd, buffer, offset) = (number(call, args, 0)?, bytes(args, 1)?, u64(args, 2)?);
    let most = &buffer[..buffer.len().min(HOST_CALL_BYTES_MAX)];
    answer(write_at(call.ctx, fd, most, offset).map(|n| Some(Value::U64(n))).map_err(Fault::from))
}

/// `read-via-stream(self, offset)`.
pub fn read_via_stream(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let (file, position) = (held(call, args, 0)?, u64(args, 1)?);
    // What a read would say now is said now.
    if let Err(fault) = read_at(call.ctx, file.fd(call.ctx), 0, position) {
        return answer(Err(fault));
    }
    let stream = call.table.push(InputStream::new(Reading { file, position }))?;
    answer(Ok(Some(own(stream))))
}

/// `write-via-stream(self, offset)`.
pub fn write_via_stream(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let (file, position) = (held(call, args, 0)?, u64(args, 1)?);
    writing(call, Writing { file, position: Some(position) })
}

/// `append-via-stream(self)`: each write goes to where the end is then.
pub fn append_via_stream(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let file = held(call, args, 0)?;
    writing(call, Writing { file, position: None })
}

fn writing(call: &mut HostCall<'_>, to: Writing) -> Answer {
    if let Err(errno) = write_at(call.ctx, to.file.fd(call.ctx), &[], to.position.unwrap_or(0)) {
        return answer(Err(errno.into()));
    }
    let stream = call.table.push(OutputStream::new(to))?;
    answer(Ok(Some(own(stream))))
}

/// A stream from a file.
struct Reading {
    file: Held,
    position: u64,
}

impl Source for Reading {
    fn read(&mut self, ctx: &mut WasiCtx, len: usize) -> Result<Vec<u8>, Broken> {
        let bytes = read_at(ctx, self.file.fd(ctx), len, self.position)?;
        if bytes.is_empty() && len > 0 {
            return Err(Broken::Closed);
        }
        self.position = self.position.saturating_add(bytes.len() as u64);
        Ok(bytes)
    }

    fn awaits(&mut self, _ctx: &mut WasiCtx) -> Result<Option<Wait>, Fail> {
        Ok(None)
    }

    fn dropped(&mut self, ctx: &mut WasiCtx) {
        self.file.dropped(ctx);
    }
}

/// A stream to a file.
struct Writing {
    file: Held,
    /// Where the next write begins; without it, at the end.
    position: Option<u64>,
}

impl Drain for Writing {
    fn room(&mut self, _ctx: &mut WasiCtx) -> Result<u64, Broken> {
        Ok(HOST_CALL_BYTES_MAX as u64)
    }

    fn write(&mut self, ctx: &mut WasiCtx, bytes: &[u8]) -> Result<(), Broken> {
        let fd = self.file.fd(ctx);
        let mut left = bytes;
        while !left.is_empty() {
            let begin = match self.position {
                Some(position) => position,
                None => ctx.files.get(fd)?.file(rights::FD_WRITE)?.size()?,
            };
            // When the quota allows no more, it is an error.
            let written = write_at(ctx, fd, left, begin)?;
            if written == 0 {
                return Err(Errno::Io.into());
            }
            self.position = self.position.map(|position| position + written);
            left = left.get(written as usize..).unwrap_or_default();
        }
        Ok(())
    }

    fn dropped(&mut self, ctx: &mut WasiCtx) {
        self.file.dropped(ctx);
    }
}
