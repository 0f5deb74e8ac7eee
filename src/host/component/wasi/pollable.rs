//! Pollables: what a guest waits for.

use super::arguments::now;
use super::http::call::FutureIncomingResponse;
use super::stream::{InputStream, OutputStream};
use crate::host::component::function::{Fail, HostCall};
use crate::host::component::table::Resource;
use crate::host::wasi::abi::{Wait, clock_id};
use std::time::{Duration, Instant};

/// The resource `pollable`. One that belongs to a resource is a child of it, so what it names here is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pollable {
    /// It is ready.
    Always,
    /// The monotonic clock has come to this time.
    At(u64),
    /// The input stream with this number has something to read, or its end.
    Input(u32),
    /// The output stream with this number has room, or an error.
    Output(u32),
    /// The future response with this number is there.
    Response(u32),
}

impl Resource for Pollable {}

/// What a pollable answers.
enum Now {
    Ready,
    /// Not before this time of the monotonic clock.
    At(u64),
    /// Not before the end of this wait.
    Awaits(Wait),
}

/// Which of the pollables `reps` are ready, by their place. If none is, the call has to wait.
///
/// # Errors
/// The call has to wait, or the guest is stopped.
pub fn ready_now(call: &mut HostCall<'_>, reps: &[u32]) -> Result<Vec<u32>, Fail> {
    let (mut ready, wait) = look(call, reps)?;
    if !ready.is_empty() {
        return Ok(ready);
    }
    if let Some(at) = wait.at {
        let left = at.saturating_sub(now(call.ctx, clock_id::MONOTONIC)?);
        // In a reproducible run the time passes at once.
        if call.ctx.clock.skip(left) {
            ready = look(call, reps)?.0;
            return Ok(ready);
        }
        let end = Instant::now().checked_add(Duration::from_nanos(left));
        return Err(Fail::Wait(Wait { until: earlier(wait.until, end), stdin: wait.stdin }));
    }
    Err(Fail::Wait(Wait { until: wait.until, stdin: wait.stdin }))
}

/// Whether the pollable `rep` is ready.
///
/// # Errors
/// The call has to wait for the whole of the input, or the guest is stopped.
pub fn is_ready(call: &mut HostCall<'_>, rep: u32) -> Result<bool, Fail> {
    Ok(!look(call, &[rep])?.0.is_empty())
}

/// What pollables wait for together.
#[derive(Default)]
struct Together {
    at: Option<u64>,
    until: Option<Instant>,
    stdin: bool,
}

/// Those that are ready, by their place, and what the others wait for.
fn look(call: &mut HostCall<'_>, reps: &[u32]) -> Result<(Vec<u32>, Together), Fail> {
    let monotonic = now(call.ctx, clock_id::MONOTONIC)?;
    let mut ready = Vec::new();
    let mut wait = Together::default();
    for (place, rep) in reps.iter().enumerate() {
        match state(call, *rep, monotonic)? {
            Now::Ready => ready.push(place as u32),
            Now::At(at) => wait.at = Some(wait.at.map_or(at, |other| other.min(at))),
            // Whether it is there already is chance, and must not be seen: not even if another one is ready.
            Now::Awaits(all) if all.stdin && call.ctx.files.stdin.is_awaited() => {
                return Err(Fail::Wait(Wait { until: None, stdin: true }));
            }
            Now::Awaits(one) => {
                wait.until = earlier(wait.until, one.until);
                wait.stdin |= one.stdin;
            }
        }
    }
    Ok((ready, wait))
}

fn state(call: &mut HostCall<'_>, rep: u32, monotonic: u64) -> Result<Now, Fail> {
    let awaited = match *call.table.get::<Pollable>(rep)? {
        Pollable::Always => None,
        Pollable::At(at) if at > monotonic => return Ok(Now::At(at)),
        Pollable::At(_) => None,
        Pollable::Input(stream) => call.table.get::<InputStream>(stream)?.awaits(call.ctx)?,
        Pollable::Output(stream) => call.table.get::<OutputStream>(stream)?.awaits(call.ctx)?,
        // One that is not there has a request that the guest has not finished: only the deadline ends such a wait.
        Pollable::Response(future) => match call.table.get::<FutureIncomingResponse>(future)?.is_ready() {
            true => None,
            false => Some(Wait { until: None, stdin: false }),
        },
    };
    Ok(awaited.map_or(Now::Ready, Now::Awaits))
}

fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    a.into_iter().chain(b).min()
}
