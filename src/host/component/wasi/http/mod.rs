//! `wasi:http`, as a face of CGI: the environment of a program and its standard input are the request, and the response is
//! what a program prints. Whoever runs programs serves components by it, under the same limits.
//!
//! Source: the WIT of `wasi:http` 0.2.0 to 0.2.12.

mod body;
pub mod call;
mod codes;
mod fields;
mod future;
pub mod head;
pub mod incoming;
mod map;
mod outgoing;
mod received;
pub mod response;
mod types;

use crate::host::component::function::{Interface, Row};

pub use types::TYPES;

/// `wasi:http/outgoing-handler`. What a guest may call is decided in `host/outbound`.
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
