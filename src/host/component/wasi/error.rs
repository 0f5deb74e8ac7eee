//! `wasi:io/error`: why a stream failed.

use super::arguments::{Answer, rep};
use crate::host::component::function::{HostCall, Interface, Row};
use crate::host::component::table::Resource;
use crate::host::component::value::Value;
use crate::host::wasi::abi::Errno;

/// `wasi:io/error`.
pub const ERROR: Interface = Interface {
    name: "wasi:io/error",
    types: "resource error;",
    rows: &[Row {
        name: "[method]error.to-debug-string",
        ty: "(self: borrow<error>) -> string",
        call: to_debug_string,
    }],
};

/// Why a stream failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IoError {
    /// In words.
    pub text: String,
    /// The error number, if it comes from a file or a standard stream.
    pub errno: Option<Errno>,
    /// If it is of a body of `wasi:http`: the case of its `error-code`, and the bytes that it tells of.
    pub http: Option<(u32, u64)>,
}

impl IoError {
    /// What a file or a standard stream has said.
    pub fn of(errno: Errno) -> IoError {
        IoError { text: format!("{errno:?}").to_lowercase(), errno: Some(errno), http: None }
    }
}

impl Resource for IoError {}

fn to_debug_string(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let text = call.table.get::<IoError>(rep(args, 0)?)?.text.clone();
    call.ctx.moved_bytes += text.len() as u64;
    Ok(Some(Value::String(text)))
}
