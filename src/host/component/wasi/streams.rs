//! `wasi:io/streams`: the functions of streams, of whatever kind they are.

use super::arguments::{Answer, bytes, own, rep, u64};
use super::pollable::Pollable;
use super::stream::{Broken, InputStream, OutputStream};
use crate::base::limits::{BLOCKING_WRITE_BYTES_MAX, STREAM_READ_BYTES_MAX};
use crate::host::component::function::{Fail, HostCall, Interface, Row};
use crate::host::component::value::Value;
use crate::host::wasi::ctx::WasiCtx;

/// `wasi:io/streams`.
#[rustfmt::skip]
pub const STREAMS: Interface = Interface {
    name: "wasi:io/streams",
    types: "use wasi:io/error.{error};
        use wasi:io/poll.{pollable};
        variant stream-error { last-operation-failed(own<error>), closed }
        resource input-stream;
        resource output-stream;",
    rows: &[
        Row { name: "[method]input-stream.read", ty: "(self: borrow<input-stream>, len: u64) -> result<list<u8>, stream-error>", call: read },
        Row { name: "[method]input-stream.blocking-read", ty: "(self: borrow<input-stream>, len: u64) -> result<list<u8>, stream-error>", call: blocking_read },
        Row { name: "[method]input-stream.skip", ty: "(self: borrow<input-stream>, len: u64) -> result<u64, stream-error>", call: skip },
        Row { name: "[method]input-stream.blocking-skip", ty: "(self: borrow<input-stream>, len: u64) -> result<u64, stream-error>", call: blocking_skip },
        Row { name: "[method]input-stream.subscribe", ty: "(self: borrow<input-stream>) -> own<pollable>", call: subscribe_input },
        Row { name: "[method]output-stream.check-write", ty: "(self: borrow<output-stream>) -> result<u64, stream-error>", call: check_write },
        Row { name: "[method]output-stream.write", ty: "(self: borrow<output-stream>, contents: list<u8>) -> result<_, stream-error>", call: write },
        Row { name: "[method]output-stream.blocking-write-and-flush", ty: "(self: borrow<output-stream>, contents: list<u8>) -> result<_, stream-error>", call: blocking_write_and_flush },
        Row { name: "[method]output-stream.flush", ty: "(self: borrow<output-stream>) -> result<_, stream-error>", call: flush },
        Row { name: "[method]output-stream.blocking-flush", ty: "(self: borrow<output-stream>) -> result<_, stream-error>", call: blocking_flush },
        Row { name: "[method]output-stream.subscribe", ty: "(self: borrow<output-stream>) -> own<pollable>", call: subscribe_output },
        Row { name: "[method]output-stream.write-zeroes", ty: "(self: borrow<output-stream>, len: u64) -> result<_, stream-error>", call: write_zeroes },
        Row { name: "[method]output-stream.blocking-write-zeroes-and-flush", ty: "(self: borrow<output-stream>, len: u64) -> result<_, stream-error>", call: blocking_write_zeroes_and_flush },
        Row { name: "[method]output-stream.splice", ty: "(self: borrow<output-stream>, src: borrow<input-stream>, len: u64) -> result<u64, stream-error>", call: splice },
        Row { name: "[method]output-stream.blocking-splice", ty: "(self: borrow<output-stream>, src: borrow<input-stream>, len: u64) -> result<u64, stream-error>", call: blocking_splice },
    ],
};

/// What a stream has done as the result of a call: `result<_, stream-error>` with whatever is in it.
fn answer(call: &mut HostCall<'_>, done: Result<Option<Value>, Broken>) -> Answer {
    Ok(Some(match done {
        Ok(value) => Value::ok(value),
        Err(Broken::Closed) => Value::err(Value::case(1)),
        Err(Broken::Failed(error)) => {
            let error = own(call.table.push(error)?);
            Value::err(Value::Variant(0, Some(Box::new(error))))
        }
        Err(Broken::Fail(fail)) => return Err(fail),
    }))
}

/// Reads from the stream that the first argument is, as many bytes as the second says or fewer.
fn read_from(call: &mut HostCall<'_>, args: &[Value], blocks: bool) -> Result<Vec<u8>, Broken> {
    let len = at_once(u64(args, 1)?);
    let stream = call.table.get::<InputStream>(rep(args, 0)?)?;
    if blocks && len > 0 {
        wait_for_input(call.ctx, stream)?;
    }
    stream.read(call.ctx, len)
}

/// Bytes of `len` that one read gives.
fn at_once(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX).min(STREAM_READ_BYTES_MAX)
}

fn wait_for_input(ctx: &mut WasiCtx, stream: &mut InputStream) -> Result<(), Fail> {
    stream.awaits(ctx)?.map_or(Ok(()), |wait| Err(Fail::Wait(wait)))
}

fn wait_for_room(ctx: &mut WasiCtx, stream: &mut OutputStream) -> Result<(), Fail> {
    stream.awaits(ctx)?.map_or(Ok(()), |wait| Err(Fail::Wait(wait)))
}

fn read(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let done = read_from(call, args, false);
    answer(call, done.map(|bytes| Some(Value::Bytes(bytes))))
}

fn blocking_read(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let done = read_from(call, args, true);
    answer(call, done.map(|bytes| Some(Value::Bytes(bytes))))
}

fn skip(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let done = read_from(call, args, false);
    answer(call, done.map(|bytes| Some(Value::U64(bytes.len() as u64))))
}

fn blocking_skip(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let done = read_from(call, args, true);
    answer(call, done.map(|bytes| Some(Value::U64(bytes.len() as u64))))
}

fn subscribe_input(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let stream = rep(args, 0)?;
    call.table.get::<InputStream>(stream)?;
    Ok(Some(own(call.table.push_child(Pollable::Input(stream), stream)?)))
}

fn subscribe_output(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let stream = rep(args, 0)?;
    call.table.get::<OutputStream>(stream)?;
    Ok(Some(own(call.table.push_child(Pollable::Output(stream), stream)?)))
}

/// Has the stream that the first argument is do this.
fn on_output(
    call: &mut HostCall<'_>,
    args: &[Value],
    step: impl FnOnce(&mut OutputStream, &mut WasiCtx) -> Result<Option<Value>, Broken>,
) -> Answer {
    let stream = call.table.get::<OutputStream>(rep(args, 0)?)?;
    let done = step(stream, call.ctx);
    answer(call, done)
}

fn check_write(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    on_output(call, args, |stream, ctx| Ok(Some(Value::U64(stream.check(ctx)?))))
}

fn write(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let contents = bytes(args, 1)?;
    on_output(call, args, |stream, ctx| stream.write(ctx, contents).map(|()| None))
}

fn write_zeroes(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let len = u64(args, 1)?;
    on_output(call, args, |stream, ctx| stream.write_zeroes(ctx, len).map(|()| None))
}

fn blocking_write_and_flush(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let contents = bytes(args, 1)?;
    blocking_write(call, args, contents.len() as u64, |stream, ctx| stream.write(ctx, contents))
}

fn blocking_write_zeroes_and_flush(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let len = u64(args, 1)?;
    blocking_write(call, args, len, |stream, ctx| stream.write_zeroes(ctx, len))
}

/// Writes `len` bytes by `put`, which needs no permit, and flushes them.
fn blocking_write(
    call: &mut HostCall<'_>,
    args: &[Value],
    len: u64,
    put: impl FnOnce(&mut OutputStream, &mut WasiCtx) -> Result<(), Broken>,
) -> Answer {
    if len > BLOCKING_WRITE_BYTES_MAX {
        return Err(Fail::trap(format!(
            "{len} bytes are written and flushed at once, more than the {BLOCKING_WRITE_BYTES_MAX} that are allowed"
        )));
    }
    on_output(call, args, |stream, ctx| {
        wait_for_room(ctx, stream)?;
        stream.check(ctx)?;
        put(stream, ctx)?;
        stream.flush(ctx).map(|()| None)
    })
}

fn flush(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    on_output(call, args, |stream, ctx| stream.flush(ctx).map(|()| None))
}

fn blocking_flush(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    on_output(call, args, |stream, ctx| {
        stream.flush(ctx)?;
        wait_for_room(ctx, stream)?;
        Ok(None)
    })
}

fn splice(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let done = move_bytes(call, args, false);
    answer(call, done.map(|moved| Some(Value::U64(moved))))
}

fn blocking_splice(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let done = move_bytes(call, args, true);
    answer(call, done.map(|moved| Some(Value::U64(moved))))
}

/// Writes to one stream what it reads from another one, and gives the number of bytes.
fn move_bytes(call: &mut HostCall<'_>, args: &[Value], blocks: bool) -> Result<u64, Broken> {
    let (to, from, len) = (rep(args, 0)?, rep(args, 1)?, at_once(u64(args, 2)?));
    if blocks {
        wait_for_room(call.ctx, call.table.get::<OutputStream>(to)?)?;
        let source = call.table.get::<InputStream>(from)?;
        if len > 0 {
            wait_for_input(call.ctx, source)?;
        }
    }
    let room = call.table.get::<OutputStream>(to)?.check(call.ctx)?;
    let read = call.table.get::<InputStream>(from)?.read(call.ctx, len.min(at_once(room)))?;
    call.table.get::<OutputStream>(to)?.write(call.ctx, &read)?;
    Ok(read.len() as u64)
}
