//! `wasi:io/poll`: waiting.

use super::arguments::{Answer, rep, reps};
use super::pollable::{is_ready, ready_now};
use crate::base::limits::COMPONENT_HANDLES_MAX;
use crate::host::component::function::{Fail, HostCall, Interface, Row};
use crate::host::component::value::Value;
use crate::host::wasi::abi::SUBSCRIPTION_BYTES;

/// `wasi:io/poll`.
pub const POLL: Interface = Interface {
    name: "wasi:io/poll",
    types: "resource pollable;",
    rows: &[
        Row { name: "[method]pollable.ready", ty: "(self: borrow<pollable>) -> bool", call: ready },
        Row { name: "[method]pollable.block", ty: "(self: borrow<pollable>)", call: block },
        Row { name: "poll", ty: "(in: list<borrow<pollable>>) -> list<u32>", call: poll },
    ],
};

/// Does not wait, but for input that must be there as a whole.
fn ready(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    Ok(Some(Value::Bool(is_ready(call, rep(args, 0)?)?)))
}

fn block(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    ready_now(call, &[rep(args, 0)?])?;
    call.ctx.may_have_waited = true;
    Ok(None)
}

/// Gives the places of those that are ready, in order; waits until there are some.
fn poll(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let given = reps(args, 0)?;
    if given.len() == 0 {
        return Err(Fail::trap("`poll` was called with no pollables"));
    }
    if given.len() > COMPONENT_HANDLES_MAX {
        return Err(Fail::trap(format!(
            "`poll` was called with more than {COMPONENT_HANDLES_MAX} pollables"
        )));
    }
    let given = given.collect::<Result<Vec<u32>, Fail>>()?;
    let ready = ready_now(call, &given)?;
    call.ctx.may_have_waited = true;
    // As much as the same subscriptions cost in preview1.
    call.ctx.moved_bytes += given.len() as u64 * u64::from(SUBSCRIPTION_BYTES);
    Ok(Some(Value::List(ready.into_iter().map(Value::U32).collect())))
}
