//! `poll_oneoff` on a number that is not open: the event's own error says so, and the call succeeds.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    for tag in [event::FD_READ, event::FD_WRITE] {
        let one = Subscription { userdata: 77, tag, id: NOT_OPEN.into(), ..Subscription::default() };
        let mut events = [Event::default()];
        same!(ok!(poll_oneoff(&[one], &mut events)), 1);
        same!(events[0].userdata, 77);
        same!(events[0].error, BADF.0);
        same!(events[0].kind, tag);
    }
    // Beside one that is ready, it keeps nothing from being told.
    let list = [
        Subscription { userdata: 1, tag: event::FD_READ, id: NOT_OPEN.into(), ..Subscription::default() },
        Subscription { userdata: 2, tag: event::FD_WRITE, id: 1, ..Subscription::default() },
    ];
    let mut events = [Event::default(); 2];
    let count = ok!(poll_oneoff(&list, &mut events));
    check!(count >= 1, "something is told");
    for event in &events[..count] {
        same!(event.error, if event.userdata == 1 { BADF.0 } else { 0 });
    }
}
