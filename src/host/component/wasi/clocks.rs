//! `wasi:clocks`: the time, and waiting for a time. The clocks are those of preview1.

use super::arguments::{Answer, now, own, to_datetime, u64};
use super::pollable::Pollable;
use crate::host::component::function::{HostCall, Interface, Row};
use crate::host::component::value::Value;
use crate::host::wasi::abi::{Fault, clock_id};

/// `wasi:clocks/monotonic-clock`.
pub const MONOTONIC_CLOCK: Interface = Interface {
    name: "wasi:clocks/monotonic-clock",
    types: "use wasi:io/poll.{pollable}; type instant = u64; type duration = u64;",
    rows: &[
        Row { name: "now", ty: "() -> instant", call: monotonic_now },
        Row { name: "resolution", ty: "() -> duration", call: monotonic_resolution },
        Row { name: "subscribe-instant", ty: "(when: instant) -> own<pollable>", call: subscribe_instant },
        Row { name: "subscribe-duration", ty: "(when: duration) -> own<pollable>", call: subscribe_duration },
    ],
};

/// `wasi:clocks/wall-clock`.
pub const WALL_CLOCK: Interface = Interface {
    name: "wasi:clocks/wall-clock",
    types: "record datetime { seconds: u64, nanoseconds: u32 }",
    rows: &[
        Row { name: "now", ty: "() -> datetime", call: wall_now },
        Row { name: "resolution", ty: "() -> datetime", call: wall_resolution },
    ],
};

fn monotonic_now(call: &mut HostCall<'_>, _args: &[Value]) -> Answer {
    Ok(Some(Value::U64(now(call.ctx, clock_id::MONOTONIC)?)))
}

fn monotonic_resolution(call: &mut HostCall<'_>, _args: &[Value]) -> Answer {
    Ok(Some(Value::U64(call.ctx.clock.resolution(clock_id::MONOTONIC).map_err(Fault::from)?)))
}

fn subscribe_instant(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    Ok(Some(own(call.table.push(Pollable::At(u64(args, 0)?))?)))
}

/// The time counts from this call, not from when it is waited for.
fn subscribe_duration(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let at = now(call.ctx, clock_id::MONOTONIC)?.saturating_add(u64(args, 0)?);
    Ok(Some(own(call.table.push(Pollable::At(at))?)))
}

fn wall_now(call: &mut HostCall<'_>, _args: &[Value]) -> Answer {
    Ok(Some(to_datetime(now(call.ctx, clock_id::REALTIME)?)))
}

fn wall_resolution(call: &mut HostCall<'_>, _args: &[Value]) -> Answer {
    Ok(Some(to_datetime(call.ctx.clock.resolution(clock_id::REALTIME).map_err(Fault::from)?)))
}
