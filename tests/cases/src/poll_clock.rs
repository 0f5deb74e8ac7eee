//! `poll_oneoff` on clocks: relative and absolute times, the first of several, and what was already.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

const MS: u64 = 1_000_000;
/// Longer than any run may take.
const HOUR: u64 = 3_600_000 * MS;

fn clock(userdata: u64, id: u32, timeout: u64, flags: u16) -> Subscription {
    Subscription { userdata, tag: event::CLOCK, id: id.into(), timeout, precision: 0, flags }
}

/// Waits for one clock and gives how long that took.
fn wait(id: u32, timeout: u64, flags: u16) -> u64 {
    let begin = ok!(clock_time_get(clock::MONOTONIC, 0));
    let mut events = [Event { error: 9, kind: 9, ..Event::default() }];
    same!(ok!(poll_oneoff(&[clock(0xfeed_beef_0123_4567, id, timeout, flags)], &mut events)), 1);
    same!(events[0].userdata, 0xfeed_beef_0123_4567u64);
    same!(events[0].error, 0);
    same!(events[0].kind, event::CLOCK);
    ok!(clock_time_get(clock::MONOTONIC, 0)) - begin
}

fn run() {
    fails!(poll_oneoff(&[], &mut []), INVAL);
    for id in [clock::MONOTONIC, clock::REALTIME] {
        wait(id, 0, 0);
        check!(wait(id, 5 * MS, 0) >= 4 * MS, "a relative time passes");
        let now = ok!(clock_time_get(id, 0));
        wait(id, now + 5 * MS, event::ABSTIME);
        check!(ok!(clock_time_get(id, 0)) >= now + 4 * MS, "an absolute time is reached");
        // These were long ago.
        wait(id, 1, event::ABSTIME);
        wait(id, now, event::ABSTIME);
    }
    several();
}

fn several() {
    let mut events = [Event { kind: 9, ..Event::default() }; 3];
    let list = [
        clock(1, clock::MONOTONIC, HOUR, 0),
        clock(2, clock::MONOTONIC, 2 * MS, 0),
        clock(3, clock::REALTIME, HOUR, 0),
    ];
    same!(ok!(poll_oneoff(&list, &mut events)), 1);
    same!(events[0].userdata, 2);
    same!(events[0].error, 0);
    same!(events[1].kind, 9);

    // Both are over: at least one is told, each with its own number.
    let list = [clock(5, clock::MONOTONIC, 0, 0), clock(6, clock::MONOTONIC, 0, 0)];
    let count = ok!(poll_oneoff(&list, &mut events));
    check!(count == 1 || count == 2, "one event or both");
    check!(events[..count].iter().all(|event| matches!(event.userdata, 5 | 6)), "no other event");
    check!(count == 1 || events[0].userdata != events[1].userdata, "each event once");
}
