//! The guest's response, which becomes what a CGI program prints (RFC 3875, section 6).

use super::body::{self, Body, SharedBody};
use super::codes::{self, INTERNAL_ERROR, PROTOCOL_ERROR, RESPONSE_HEADER_SECTION_SIZE};
use super::fields::{Fields, view};
use super::map::Map;
use crate::base::escape::{cut, printable};
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::base::lock::lock;
use crate::base::outcome::Stop;
use crate::host::component::function::{Fail, HostCall};
use crate::host::component::table::Resource;
use crate::host::component::value::Value;
use crate::host::component::wasi::arguments::{Answer, own, rep, variant};
use crate::host::component::wasi::stdio::Output;
use crate::host::component::wasi::stream::{Broken, Drain};
use crate::host::reply::Trailers;
use std::sync::{Arc, Mutex};

/// The resource `outgoing-response`.
pub struct OutgoingResponse {
    status: u16,
    headers: Arc<Map>,
    body: Option<SharedBody>,
}

impl Resource for OutgoingResponse {}

/// `[constructor]outgoing-response`.
pub fn new(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let Fields { map: headers, .. } = call.table.take(rep(args, 0)?)?;
    let response = OutgoingResponse { status: 200, headers, body: None };
    Ok(Some(own(call.table.push(response)?)))
}

/// `[method]outgoing-response.status-code`.
pub fn status_code(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    Ok(Some(Value::U16(call.table.get::<OutgoingResponse>(rep(args, 0)?)?.status)))
}

/// `[method]outgoing-response.set-status-code`: one of a final response.
pub fn set_status_code(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let response = call.table.get::<OutgoingResponse>(rep(args, 0)?)?;
    Ok(Some(match args.get(1) {
        Some(Value::U16(code @ 200..=599)) => {
            response.status = *code;
            Value::ok(None)
        }
        _ => Value::err(None),
    }))
}

/// `[method]outgoing-response.headers`.
pub fn headers(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let response = rep(args, 0)?;
    let headers = Arc::clone(&call.table.get::<OutgoingResponse>(response)?.headers);
    view(call, &headers, response)
}

/// `[method]outgoing-response.body`.
pub fn body(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let account = call.table.account.clone();
    let response = call.table.get::<OutgoingResponse>(rep(args, 0)?)?;
    let (None, Ok(length)) = (&response.body, response.headers.content_length()) else {
        return Ok(Some(Value::err(None)));
    };
    let made = Arc::new(Mutex::new(Body::of_response(length, &account)));
    response.body = Some(Arc::clone(&made));
    body::give(call, &made)
}

/// How a request was answered.
#[derive(Default)]
pub enum Outcome {
    /// Not yet.
    #[default]
    Unset,
    /// With a response, which has this body.
    Sent(Option<SharedBody>),
    /// With an error: a case of `error-code`, and what is said of it.
    Failed(u32, String),
}

impl Outcome {
    /// The trailers of the answer.
    pub fn trailers(&self) -> Trailers {
        match self {
            Outcome::Sent(Some(body)) => lock(body).trailers(),
            _ => Trailers::new(),
        }
    }

    /// Whether the request was answered well by the end of the run.
    ///
    /// # Errors
    /// What was wrong.
    pub fn check(&self) -> Result<(), Stop> {
        match self {
            Outcome::Unset => {
                Err(Stop::Convention("it returned without a response (`response-outparam.set`)".into()))
            }
            Outcome::Sent(None) => Ok(()),
            Outcome::Sent(Some(body)) => {
                lock(body).problem().map_or(Ok(()), |why| Err(Stop::Convention(why)))
            }
            Outcome::Failed(case, said) => {
                let more = if said.is_empty() { "" } else { ": " };
                let message = format!("it answered with the error {}{more}{said}", codes::error_name(*case));
                let message = printable(&cut(&message, MESSAGE_BYTES_MAX / 2));
                Err(Stop::Failed { code: *case as i32, message: cut(&message, MESSAGE_BYTES_MAX / 2) })
            }
        }
    }
}

/// The resource `response-outparam`.
#[derive(Default)]
pub struct ResponseOutparam(pub Arc<Mutex<Outcome>>);

impl Resource for ResponseOutparam {}

/// `[method]response-outparam.send-informational`. There is nobody who would pass such a response on.
pub fn send_informational(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    call.table.get::<ResponseOutparam>(rep(args, 0)?)?;
    call.table.take::<Fields>(rep(args, 2)?)?;
    Ok(Some(Value::err(match args.get(1) {
        Some(Value::U16(100..=199)) => Value::Variant(INTERNAL_ERROR, Some(Box::new(Value::NONE))),
        _ => Value::case(PROTOCOL_ERROR),
    })))
}

/// `[static]response-outparam.set`.
pub fn set(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let ResponseOutparam(outcome) = call.table.take(rep(args, 0)?)?;
    let answered = match variant(args, 1)? {
        (0, Some(response)) => {
            let response = call.table.take(rep(std::slice::from_ref(response), 0)?)?;
            send(call, response)?
        }
        (_, error) => failed(error),
    };
    *lock(&outcome) = answered;
    Ok(None)
}

fn failed(error: Option<&Value>) -> Outcome {
    let Some(Value::Variant(case, payload)) = error else { return Outcome::Failed(u32::MAX, String::new()) };
    let said = match payload.as_deref() {
        Some(Value::Variant(1, Some(said))) => match &**said {
            Value::String(said) if *case == INTERNAL_ERROR => cut(said, MESSAGE_BYTES_MAX),
            _ => String::new(),
        },
        _ => String::new(),
    };
    Outcome::Failed(*case, said)
}

/// Prints the head, and what there is of the body.
fn send(call: &mut HostCall<'_>, response: OutgoingResponse) -> Result<Outcome, Fail> {
    if !response.headers.fits() {
        return Ok(Outcome::Failed(RESPONSE_HEADER_SECTION_SIZE, String::new()));
    }
    let head = head(response.status, &response.headers);
    Output::Stdout.write(call.ctx, &head).map_err(stopped)?;
    let has_body =
        !matches!(response.status, 204 | 205 | 304) && !call.ctx.http.is_some_and(|http| http.is_head);
    if has_body {
        call.ctx.files.stdout.begin_reply();
    }
    if let Some(body) = &response.body {
        lock(body).open(call.ctx).map_err(stopped)?;
    }
    Ok(Outcome::Sent(response.body))
}

/// `set` has no result by which it could tell an error.
fn stopped(broken: Broken) -> Fail {
    match broken {
        Broken::Fail(fail) => fail,
        Broken::Closed => Fail::trap("the response cannot be sent"),
        Broken::Failed(error) => Fail::trap(format!("the response cannot be sent: {}", error.text)),
    }
}

/// A header block. A guest's `Status` is left out: behind a CGI program, it would set the status.
fn head(status: u16, headers: &Map) -> Vec<u8> {
    let mut head = Vec::with_capacity(headers.printed_bytes() + 64);
    head.extend_from_slice(format!("Status: {status}\r\n").as_bytes());
    for (name, value) in headers.entries() {
        if !name.eq_ignore_ascii_case("status") {
            for part in [name.as_bytes(), b": ", value, b"\r\n"] {
                head.extend_from_slice(part);
            }
        }
    }
    head.extend_from_slice(b"\r\n");
    head
}
