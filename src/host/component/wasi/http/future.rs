//! Responses to calls out: the resources `future-incoming-response` and `incoming-response`.

use super::call::FutureIncomingResponse;
use super::codes;
use super::fields::view;
use super::incoming::IncomingBody;
use super::map::{Map, kept_max};
use super::received::Received;
use crate::host::component::function::HostCall;
use crate::host::component::table::Resource;
use crate::host::component::value::Value;
use crate::host::component::wasi::arguments::{Answer, own, rep};
use crate::host::component::wasi::pollable::Pollable;
use std::sync::Arc;

/// `[method]future-incoming-response.subscribe`.
pub fn subscribe(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let future = rep(args, 0)?;
    call.table.get::<FutureIncomingResponse>(future)?;
    Ok(Some(own(call.table.push_child(Pollable::Response(future), future)?)))
}

/// `[method]future-incoming-response.get`.
pub fn get(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let got = match call.table.get::<FutureIncomingResponse>(rep(args, 0)?)?.take() {
        None => return Ok(Some(Value::NONE)),
        Some(Ok(Ok((response, body)))) => {
            let mut headers = Map::new(&call.table.account, kept_max(call.ctx));
            for (name, value) in &response.headers {
                headers.receive(name, value)?;
            }
            let response =
                IncomingResponse { status: response.status, headers: Arc::new(headers), body: Some(body) };
            Value::ok(Value::ok(own(call.table.push(response)?)))
        }
        Some(Ok(Err(refusal))) => {
            // The error code has no words.
            log::debug!("wasi:http: {refusal}");
            Value::ok(Value::err(codes::error_code(&refusal)))
        }
        Some(Err(())) => Value::err(None),
    };
    Ok(Some(Value::some(got)))
}

/// The resource `incoming-response`.
pub struct IncomingResponse {
    status: u16,
    headers: Arc<Map>,
    body: Option<Received>,
}

impl Resource for IncomingResponse {}

/// `[method]incoming-response.status`.
pub fn status(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    Ok(Some(Value::U16(call.table.get::<IncomingResponse>(rep(args, 0)?)?.status)))
}

/// `[method]incoming-response.headers`.
pub fn headers(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let response = rep(args, 0)?;
    let headers = Arc::clone(&call.table.get::<IncomingResponse>(response)?.headers);
    view(call, &headers, response)
}

/// `[method]incoming-response.consume`.
pub fn consume(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let response = rep(args, 0)?;
    match call.table.get::<IncomingResponse>(response)?.body.take() {
        Some(body) => {
            let body = call.table.push(IncomingBody::of_response(body))?;
            Ok(Some(Value::ok(own(body))))
        }
        None => Ok(Some(Value::err(None))),
    }
}
