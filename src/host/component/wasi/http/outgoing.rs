//! Requests of the guest. Without a right to call out, they can be made, and are denied when they are to be sent.

use super::body::{self, Body, SharedBody};
use super::call::{FutureIncomingResponse, Waiting, may_block};
use super::codes::{self, REQUEST_DENIED, URI_INVALID};
use super::fields::{Fields, view};
use super::map::{Map, full, kept_max};
use crate::base::lock::lock;
use crate::host::component::account::Kept;
use crate::host::component::function::{Fail, HostCall};
use crate::host::component::table::Resource;
use crate::host::component::value::Value;
use crate::host::component::wasi::arguments::{Answer, own, rep, variant};
use crate::host::outbound::message::OutRequest;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Bytes of a method, a path, a scheme or an authority.
const PART_BYTES_MAX: usize = 16 * 1024;

/// The resource `outgoing-request`.
pub struct OutgoingRequest {
    method: String,
    path: Option<String>,
    scheme: Option<String>,
    authority: Option<String>,
    headers: Arc<Map>,
    body: Option<SharedBody>,
    /// For the texts.
    kept: Kept,
}

impl Resource for OutgoingRequest {}

/// `[constructor]outgoing-request`.
pub fn new(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let Fields { map: headers, .. } = call.table.take(rep(args, 0)?)?;
    let (method, path, scheme, authority) = ("GET".into(), None, None, None);
    let kept = call.table.account.share();
    let request = OutgoingRequest { method, path, scheme, authority, headers, body: None, kept };
    Ok(Some(own(call.table.push(request)?)))
}

fn request<'a>(call: &'a mut HostCall<'_>, args: &[Value]) -> Result<&'a mut OutgoingRequest, Fail> {
    call.table.get(rep(args, 0)?)
}

/// `[method]outgoing-request.body`.
pub fn body(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let account = call.table.account.clone();
    let most = call.ctx.way.may_call().then(|| call.ctx.files.stdout.limit());
    let request = request(call, args)?;
    let (None, Ok(length)) = (&request.body, request.headers.content_length()) else {
        return Ok(Some(Value::err(None)));
    };
    let made = Arc::new(Mutex::new(Body::of_request(length, &account, most)));
    request.body = Some(Arc::clone(&made));
    body::give(call, &made)
}

/// `[method]outgoing-request.method`.
pub fn method(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let method = codes::method(&request(call, args)?.method);
    Ok(Some(method))
}

/// `[method]outgoing-request.set-method`.
pub fn set_method(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let (case, payload) = variant(args, 1)?;
    let method = codes::method_name(case, payload).filter(|method| method.len() <= PART_BYTES_MAX);
    keep(call, args, method, |request, method| request.method = method)
}

/// `[method]outgoing-request.path-with-query`.
pub fn path_with_query(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    part(call, args, |request| &request.path)
}

/// `[method]outgoing-request.set-path-with-query`.
pub fn set_path_with_query(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let path = given(args, |path| {
        let begins = path.is_empty() || path.starts_with(['/', '?']);
        begins && path.bytes().all(|b| (0x21..0x7f).contains(&b) && b != b'#')
    })?;
    keep(call, args, path, |request, path| request.path = path)
}

/// `[method]outgoing-request.scheme`.
pub fn scheme(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let scheme = request(call, args)?.scheme.as_deref().map(codes::scheme);
    Ok(Some(scheme.map_or(Value::NONE, Value::some)))
}

/// `[method]outgoing-request.set-scheme`.
pub fn set_scheme(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let scheme = match variant(args, 1)? {
        (1, Some(Value::Variant(case, payload))) => codes::scheme_name(*case, payload.as_deref()).map(Some),
        _ => Some(None),
    };
    let is_short = |scheme: &Option<String>| scheme.as_ref().is_none_or(|s| s.len() <= PART_BYTES_MAX);
    keep(call, args, scheme.filter(is_short), |request, scheme| request.scheme = scheme)
}

/// `[method]outgoing-request.authority`.
pub fn authority(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    part(call, args, |request| &request.authority)
}

/// `[method]outgoing-request.set-authority`.
pub fn set_authority(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    // RFC 3986, section 3.2.
    let is_authority = |authority: &str| {
        let is_usual = |b: u8| b.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@[]".contains(&b);
        !authority.is_empty() && authority.bytes().all(is_usual)
    };
    let authority = given(args, is_authority)?;
    keep(call, args, authority, |request, authority| request.authority = authority)
}

/// `[method]outgoing-request.headers`.
pub fn headers(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let headers = Arc::clone(&request(call, args)?.headers);
    view(call, &headers, rep(args, 0)?)
}

/// `option<string>`.
fn part(
    call: &mut HostCall<'_>,
    args: &[Value],
    of: impl FnOnce(&OutgoingRequest) -> &Option<String>,
) -> Answer {
    let part = of(request(call, args)?).clone();
    call.ctx.moved_bytes += part.as_ref().map_or(0, |part| part.len() as u64);
    Ok(Some(part.map_or(Value::NONE, |part| Value::some(Value::String(part)))))
}

/// The `option<string>` that the second argument is; nothing if it is not valid.
fn given(args: &[Value], is_valid: impl FnOnce(&str) -> bool) -> Result<Option<Option<String>>, Fail> {
    Ok(match variant(args, 1)? {
        (1, Some(Value::String(part))) if part.len() > PART_BYTES_MAX || !is_valid(part) => None,
        (1, Some(Value::String(part))) => Some(Some(part.clone())),
        _ => Some(None),
    })
}

/// Sets what is valid; an error otherwise.
fn keep<T>(
    call: &mut HostCall<'_>,
    args: &[Value],
    value: Option<T>,
    set: impl FnOnce(&mut OutgoingRequest, T),
) -> Answer {
    let limit = kept_max(call.ctx);
    let request = request(call, args)?;
    let Some(value) = value else { return Ok(Some(Value::err(None))) };
    set(request, value);
    let OutgoingRequest { method, path, scheme, authority, kept, .. } = request;
    let texts = [path, scheme, authority].into_iter().flatten().chain([&mut *method]);
    let bytes = texts.map(|text| text.len()).sum();
    kept.shrink(usize::MAX);
    if !kept.grow(bytes, limit) {
        return Err(full(limit));
    }
    call.ctx.moved_bytes += bytes as u64;
    Ok(Some(Value::ok(None)))
}

/// The resource `request-options`: how long to connect, to wait for the first byte, and between bytes.
#[derive(Default)]
pub struct RequestOptions([Option<u64>; 3]);

impl Resource for RequestOptions {}

/// `[constructor]request-options`.
pub fn new_options(call: &mut HostCall<'_>, _args: &[Value]) -> Answer {
    Ok(Some(own(call.table.push(RequestOptions::default())?)))
}

/// One of the times.
pub fn timeout<const WHICH: usize>(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let time = call.table.get::<RequestOptions>(rep(args, 0)?)?.0[WHICH];
    Ok(Some(time.map_or(Value::NONE, |time| Value::some(Value::U64(time)))))
}

/// Sets one of the times.
pub fn set_timeout<const WHICH: usize>(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let time = match variant(args, 1)? {
        (1, Some(Value::U64(time))) => Some(*time),
        _ => None,
    };
    call.table.get::<RequestOptions>(rep(args, 0)?)?.0[WHICH] = time;
    Ok(Some(Value::ok(None)))
}

/// `handle` of `wasi:http/outgoing-handler`. A request whose body is not finished is sent when it is.
pub fn handle(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let rep_of_request = rep(args, 0)?;
    if call.ctx.way.may_call() {
        let body = call.table.get::<OutgoingRequest>(rep_of_request)?.body.clone();
        let waits = body.is_some_and(|body| lock(&body).is_finished() == Some(false));
        if !waits {
            may_block(call)?;
        }
    }
    let request = call.table.take::<OutgoingRequest>(rep_of_request)?;
    let mut options = RequestOptions::default();
    if let (_, Some(given)) = variant(args, 1)? {
        options = call.table.take::<RequestOptions>(rep(std::slice::from_ref(given), 0)?)?;
    }
    if !call.ctx.way.may_call() {
        return Ok(Some(Value::err(Value::case(REQUEST_DENIED))));
    }
    let Some(authority) = &request.authority else { return Ok(Some(Value::err(Value::case(URI_INVALID)))) };
    let (scheme, path) =
        (request.scheme.as_deref().unwrap_or("https"), request.path.as_deref().unwrap_or("/"));
    let sent = OutRequest {
        method: request.method.clone(),
        url: format!("{}://{authority}{path}", scheme.to_ascii_lowercase()),
        headers: request.headers.entries().to_vec(),
        times: options.0.map(|time| time.map(Duration::from_nanos)),
        follows: false,
    };
    let (waiting, shared) = Waiting::new(sent);
    match &request.body {
        None => waiting.send(call, &[])?,
        Some(body) => {
            let mut body = lock(body);
            match body.is_finished() {
                Some(true) => {
                    let bytes = body.take_bytes()?;
                    waiting.send(call, &bytes)?;
                }
                Some(false) => body.awaited_by(waiting),
                None => waiting.give_up(),
            }
        }
    }
    Ok(Some(Value::ok(own(call.table.push(FutureIncomingResponse::new(shared))?))))
}
