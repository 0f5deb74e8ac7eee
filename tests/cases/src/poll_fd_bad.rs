//! `poll_oneoff` on a number that is not open is EBADF, whatever else is waited for.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    for tag in [event::FD_READ, event::FD_WRITE] {
        let bad = Subscription { userdata: 1, tag, id: NOT_OPEN.into(), ..Subscription::default() };
        let good = Subscription { userdata: 2, tag: event::FD_WRITE, id: 1, ..Subscription::default() };
        let mut events = [Event::default(); 2];
        fails!(poll_oneoff(&[bad], &mut events[..1]), BADF);
        fails!(poll_oneoff(&[bad, good], &mut events), BADF);
        fails!(poll_oneoff(&[good, bad], &mut events), BADF);
    }
}
