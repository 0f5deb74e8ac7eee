//! `poll_oneoff`: waits for times and descriptors.

use super::abi::{ABSTIME, EVENT_BYTES, Errno, Fault, HANGUP, SUBSCRIPTION_BYTES, Wait, clock_id, eventtype};
use super::ctx::Call;
use super::files::Descriptor;
use super::memory::{slice, write, write_u32};
use crate::base::limits::SUBSCRIPTIONS_MAX;
use crate::host::streams::Ready;
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Errno>;

/// One subscription.
#[derive(Debug, Clone, Copy)]
struct Subscription {
    userdata: u64,
    wanted: Wanted,
}

#[derive(Debug, Clone, Copy)]
enum Wanted {
    /// A clock, and nanoseconds from the beginning of the call or, if absolute, on that clock.
    Clock {
        id: u32,
        time: u64,
        absolute: bool,
    },
    Read(u32),
    Write(u32),
}

/// What has happened, as `event` has it.
struct Event {
    userdata: u64,
    kind: u8,
    bytes: u64,
    hangup: bool,
}

/// `poll_oneoff(subscriptions, events, count, nevents_out)`: waits until at least one has happened, and gives
/// all that have. Never past the deadline. EBADF for a descriptor that cannot be waited for; EFAULT; EINVAL
/// for no subscription or more than 1,024, and for unknown clocks, types and flags.
pub fn poll_oneoff(
    call: &mut Call<'_>,
    subscriptions: u32,
    events: u32,
    count: u32,
    events_out: u32,
) -> std::result::Result<(), Fault> {
    poll(call, subscriptions, events, (count, events_out), Layout::Preview1)
}

/// The layout of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Of `wasi_unstable`: that of a clock begins with an identifier of eight bytes, which means nothing.
    Preview0,
    /// Of `wasi_snapshot_preview1`.
    Preview1,
}

impl Layout {
    /// Bytes of that identifier.
    fn identifier_bytes(self) -> usize {
        match self {
            Layout::Preview0 => 8,
            Layout::Preview1 => 0,
        }
    }
}

/// As [`poll_oneoff`], with subscriptions of this layout.
pub fn poll(
    call: &mut Call<'_>,
    subscriptions: u32,
    events: u32,
    (count, events_out): (u32, u32),
    layout: Layout,
) -> std::result::Result<(), Fault> {
    if count == 0 || count > SUBSCRIPTIONS_MAX {
        return Err(Errno::Inval.into());
    }
    let size = SUBSCRIPTION_BYTES as usize + layout.identifier_bytes();
    let list = slice(call.memory, subscriptions, count * size as u32)?;
    let parsed: Vec<Subscription> =
        list.chunks_exact(size).map(|bytes| parse(bytes, layout)).collect::<Result<_>>()?;
    slice(call.memory, events, count * EVENT_BYTES as u32)?;
    slice(call.memory, events_out, 4)?;

    // Whether it succeeds or not: each subscription may ask the host something.
    if awaits_input(call, &parsed) {
        return Err(Fault::Wait(Wait { until: None, stdin: true }));
    }
    call.ctx.files.stdin.check()?;
    call.ctx.may_have_waited = true;
    let bytes = u64::from(count) * u64::from(SUBSCRIPTION_BYTES);
    call.ctx.moved_bytes += bytes;
    let monotonic = call.ctx.clock.now(clock_id::MONOTONIC)?;
    // When the call is made again after a wait, spans still count from the first time.
    let since = call.ctx.polled_since.take().unwrap_or(monotonic);
    let mut happened = happened(call, &parsed, since)?;
    if happened.is_empty() {
        let left = soonest(call, &parsed, since)?;
        match left {
            Some(left) if call.ctx.clock.skip(left) => {
                happened = crate::host::wasi::poll::happened(call, &parsed, since)?
            }
            _ => {
                call.ctx.polled_since = Some(since);
                // It is paid for when it is made again.
                call.ctx.moved_bytes -= bytes;
                let until = left.and_then(|ns| Instant::now().checked_add(Duration::from_nanos(ns)));
                let stdin = parsed.iter().any(|s| matches!(s.wanted, Wanted::Read(_)));
                return Err(Fault::Wait(Wait { until, stdin }));
            }
        }
    }
    let total = happened.len() as u32;
    for (i, event) in happened.iter().enumerate() {
        write(call.memory, events + (i * EVENT_BYTES) as u32, &event.to_bytes())?;
    }
    Ok(write_u32(call.memory, events_out, total)?)
}

/// Whether the input must be there as a whole before its readiness can be told.
fn awaits_input(call: &mut Call<'_>, subscriptions: &[Subscription]) -> bool {
    let files = &mut call.ctx.files;
    files.stdin.is_awaited()
        && subscriptions.iter().any(|subscription| match subscription.wanted {
            Wanted::Read(fd) => files.get(fd).is_ok_and(|entry| matches!(entry.what, Descriptor::Stdin)),
            _ => false,
        })
}

fn parse(bytes: &[u8], layout: Layout) -> Result<Subscription> {
    let u32_at = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let u64_at = |at: usize| u64::from(u32_at(at)) | u64::from(u32_at(at + 4)) << 32;
    let wanted = match bytes[8] {
        eventtype::CLOCK => {
            let more = layout.identifier_bytes();
            let flags = u32_at(40 + more) as u16;
            let id = u32_at(16 + more);
            // Nobody can sleep on CPU time.
            if id > clock_id::MONOTONIC || flags & !ABSTIME != 0 {
                return Err(Errno::Inval);
            }
            Wanted::Clock { id, time: u64_at(24 + more), absolute: flags & ABSTIME != 0 }
        }
        eventtype::FD_READ => Wanted::Read(u32_at(16)),
        eventtype::FD_WRITE => Wanted::Write(u32_at(16)),
        _ => return Err(Errno::Inval),
    };
    Ok(Subscription { userdata: u64_at(0), wanted })
}

/// The events that need no waiting.
fn happened(call: &mut Call<'_>, subscriptions: &[Subscription], since: u64) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    for subscription in subscriptions {
        let userdata = subscription.userdata;
        let (kind, ready) = match subscription.wanted {
            Wanted::Clock { .. } => {
                let is_over = left(call, subscription.wanted, since)? == Some(0);
                (eventtype::CLOCK, is_over.then_some((0, false)))
            }
            Wanted::Read(fd) => (eventtype::FD_READ, readable(call, fd)?),
            Wanted::Write(fd) => (eventtype::FD_WRITE, Some((writable(call, fd)?, false))),
        };
        if let Some((bytes, hangup)) = ready {
            events.push(Event { userdata, kind, bytes, hangup });
        }
    }
    Ok(events)
}

/// Nanoseconds until the first of the times.
fn soonest(call: &Call<'_>, subscriptions: &[Subscription], since: u64) -> Result<Option<u64>> {
    let mut soonest = None;
    for subscription in subscriptions {
        if let Some(left) = left(call, subscription.wanted, since)? {
            soonest = Some(soonest.map_or(left, |other: u64| other.min(left)));
        }
    }
    Ok(soonest)
}

/// Nanoseconds until the time of a clock subscription.
fn left(call: &Call<'_>, wanted: Wanted, since: u64) -> Result<Option<u64>> {
    let Wanted::Clock { id, time, absolute } = wanted else { return Ok(None) };
    let clock = &call.ctx.clock;
    Ok(Some(if absolute {
        time.saturating_sub(clock.now(id)?)
    } else {
        since.saturating_add(time).saturating_sub(clock.now(clock_id::MONOTONIC)?)
    }))
}

/// Bytes that can be read without waiting, and whether there will be no more. Nothing if it would wait.
fn readable(call: &mut Call<'_>, fd: u32) -> Result<Option<(u64, bool)>> {
    let files = &mut call.ctx.files;
    let file = match &files.get(fd)?.what {
        Descriptor::File(file) => file,
        Descriptor::Stdin => {
            return Ok(match files.stdin.ready() {
                Ready::Bytes(bytes) => Some((bytes as u64, false)),
                Ready::End => Some((0, true)),
                Ready::NotYet => None,
            });
        }
        _ => return Err(Errno::Badf),
    };
    let bytes = file.size()?.saturating_sub(file.position);
    Ok(Some((bytes, bytes == 0)))
}

/// Bytes that can be written without waiting.
fn writable(call: &mut Call<'_>, fd: u32) -> Result<u64> {
    let files = &mut call.ctx.files;
    match files.get(fd)?.what {
        Descriptor::Stdout => Ok(files.stdout.room() as u64),
        Descriptor::Stderr => Ok(files.stderr.room() as u64),
        Descriptor::File(_) => Ok(files.quota),
        _ => Err(Errno::Badf),
    }
}

impl Event {
    fn to_bytes(&self) -> [u8; EVENT_BYTES] {
        let mut out = [0; EVENT_BYTES];
        out[..8].copy_from_slice(&self.userdata.to_le_bytes());
        out[10] = self.kind;
        out[16..24].copy_from_slice(&self.bytes.to_le_bytes());
        let flags = if self.hangup { HANGUP } else { 0 };
        out[24..26].copy_from_slice(&flags.to_le_bytes());
        out
    }
}
