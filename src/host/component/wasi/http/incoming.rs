//! The request that the guest answers, and its body, which is standard input.

use super::codes;
use super::fields::view;
use super::head::Head;
use super::received::Received;
use crate::host::component::account::{Account, Kept};
use crate::host::component::function::{Fail, HostCall};
use crate::host::component::table::Resource;
use crate::host::component::value::Value;
use crate::host::component::wasi::arguments::{Answer, own, rep};
use crate::host::component::wasi::pollable::Pollable;
use crate::host::component::wasi::stdio::Stdin;
use crate::host::component::wasi::stream::{Broken, InputStream, Source};
use crate::host::wasi::abi::Wait;
use crate::host::wasi::ctx::WasiCtx;
use std::sync::Arc;

/// The resource `incoming-request`.
pub struct IncomingRequest {
    head: Arc<Head>,
    is_consumed: bool,
    /// For the head: a warm instance may never drop it.
    _kept: Kept,
}

impl Resource for IncomingRequest {}

impl IncomingRequest {
    /// The request with this head, which is counted to `account`.
    pub fn new(head: &Arc<Head>, account: &Account) -> IncomingRequest {
        let mut kept = account.share();
        // It is there already. Whoever gave it has limited it.
        kept.grow(head.bytes(), usize::MAX);
        IncomingRequest { head: Arc::clone(head), is_consumed: false, _kept: kept }
    }
}

/// The head of the request that the first argument is.
fn head(call: &mut HostCall<'_>, args: &[Value]) -> Result<Arc<Head>, Fail> {
    Ok(Arc::clone(&call.table.get::<IncomingRequest>(rep(args, 0)?)?.head))
}

fn text(call: &mut HostCall<'_>, text: &str) -> Value {
    call.ctx.moved_bytes += text.len() as u64;
    Value::String(text.into())
}

/// `[method]incoming-request.method`.
pub fn method(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let head = head(call, args)?;
    call.ctx.moved_bytes += head.method.len() as u64;
    Ok(Some(codes::method(&head.method)))
}

/// `[method]incoming-request.path-with-query`.
pub fn path_with_query(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let head = head(call, args)?;
    Ok(Some(Value::some(text(call, &head.path))))
}

/// `[method]incoming-request.scheme`.
pub fn scheme(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    Ok(Some(Value::some(codes::scheme(head(call, args)?.scheme))))
}

/// `[method]incoming-request.authority`.
pub fn authority(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let head = head(call, args)?;
    Ok(Some(Value::some(text(call, &head.authority))))
}

/// `[method]incoming-request.headers`.
pub fn headers(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let head = head(call, args)?;
    view(call, &head.headers, rep(args, 0)?)
}

/// `[method]incoming-request.consume`.
pub fn consume(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let request = call.table.get::<IncomingRequest>(rep(args, 0)?)?;
    if std::mem::replace(&mut request.is_consumed, true) {
        return Ok(Some(Value::err(None)));
    }
    let body = IncomingBody(Some(Of::Request(Body { left: request.head.length.unwrap_or(u64::MAX) })));
    Ok(Some(Value::ok(own(call.table.push(body)?))))
}

/// The resource `incoming-body`: none if its stream was taken.
pub struct IncomingBody(Option<Of>);

/// What it is the body of.
enum Of {
    Request(Body),
    Response(Received),
}

impl Resource for IncomingBody {}

impl IncomingBody {
    /// The body of a response to a call of the guest.
    pub fn of_response(body: Received) -> IncomingBody {
        IncomingBody(Some(Of::Response(body)))
    }
}

/// `[method]incoming-body.stream`.
pub fn stream(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let body = rep(args, 0)?;
    let stream = match call.table.get::<IncomingBody>(body)?.0.take() {
        Some(Of::Request(body)) => InputStream::new(body),
        Some(Of::Response(body)) => InputStream::new(body),
        None => return Ok(Some(Value::err(None))),
    };
    Ok(Some(Value::ok(own(call.table.push_child(stream, body)?))))
}

/// As many bytes of standard input as the body has.
struct Body {
    left: u64,
}

impl Source for Body {
    fn read(&mut self, ctx: &mut WasiCtx, len: usize) -> Result<Vec<u8>, Broken> {
        if self.left == 0 {
            return Err(Broken::Closed);
        }
        let read = Stdin.read(ctx, usize::try_from(self.left).unwrap_or(usize::MAX).min(len))?;
        self.left -= read.len() as u64;
        Ok(read)
    }

    fn awaits(&mut self, ctx: &mut WasiCtx) -> Result<Option<Wait>, Fail> {
        if self.left == 0 { Ok(None) } else { Stdin.awaits(ctx) }
    }
}

/// `[static]incoming-body.finish`.
pub fn finish(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    call.table.take::<IncomingBody>(rep(args, 0)?)?;
    Ok(Some(own(call.table.push(FutureTrailers { is_got: false })?)))
}

/// The resource `future-trailers`. There never are any: CGI has none.
pub struct FutureTrailers {
    is_got: bool,
}

impl Resource for FutureTrailers {}

/// `[method]future-trailers.subscribe`.
pub fn trailers_subscribe(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let trailers = rep(args, 0)?;
    call.table.get::<FutureTrailers>(trailers)?;
    Ok(Some(own(call.table.push_child(Pollable::Always, trailers)?)))
}

/// `[method]future-trailers.get`.
pub fn trailers_get(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let trailers = call.table.get::<FutureTrailers>(rep(args, 0)?)?;
    let first = !std::mem::replace(&mut trailers.is_got, true);
    let got = if first { Value::ok(Value::ok(Value::NONE)) } else { Value::err(None) };
    Ok(Some(Value::some(got)))
}
