//! `wasi:http`, as a face of CGI: the environment of a program and its standard input are the request, and the response is
//! what a program prints. Whoever runs programs serves components by it, under the same limits.
//!
//! Source: the WIT of `wasi:http` 0.2.0 to 0.2.12.

mod body;
mod codes;
mod fields;
pub mod head;
pub mod incoming;
mod map;
mod outgoing;
pub mod response;
mod types;

use super::arguments::{Answer, rep};
use super::error::IoError;
use crate::host::component::function::{HostCall, Interface, Row};
use crate::host::component::value::Value;
use crate::host::wasi::ctx::WasiCtx;

pub use types::TYPES;

/// `wasi:http/outgoing-handler`. Guests that import it run, and their requests are denied.
pub const OUTGOING_HANDLER: Interface = Interface {
    name: "wasi:http/outgoing-handler",
    types: "use wasi:http/types.{outgoing-request, request-options, future-incoming-response, error-code};",
    rows: &[Row {
        name: "handle",
        ty: "(request: own<outgoing-request>, options: option<own<request-options>>) \
             -> result<own<future-incoming-response>, error-code>",
        call: outgoing::handle,
    }],
};

/// Bytes of header fields that are kept, beside bodies that wait for their head.
const FIELDS_KEPT_BYTES_MAX: usize = 256 * 1024;

/// Bytes that are kept of header fields and bodies. All that is output in the end counts to the output.
fn kept_max(ctx: &WasiCtx) -> usize {
    ctx.files.stdout.room().saturating_add(FIELDS_KEPT_BYTES_MAX)
}

/// `http-error-code`.
fn http_error_code(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let error = call.table.get::<IoError>(rep(args, 0)?)?;
    Ok(Some(error.http.map_or(Value::NONE, |(case, bytes)| Value::some(codes::body_size(case, bytes)))))
}
