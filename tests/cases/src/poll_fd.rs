//! `poll_oneoff` on descriptors: files and outputs are ready at once, and what is no descriptor is told in its
//! event, not by the call.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

const HOUR: u64 = 3_600_000_000_000;

fn fd(userdata: u64, tag: u8, fd: Fd) -> Subscription {
    Subscription { userdata, tag, id: fd.into(), ..Subscription::default() }
}

/// Polls `one` beside a clock of an hour, so that what is never ready shows.
fn event_of(one: Subscription) -> Event {
    let hour =
        Subscription { userdata: 99, tag: event::CLOCK, id: 1, timeout: HOUR, ..Subscription::default() };
    let mut events = [Event { kind: 9, ..Event::default() }; 2];
    same!(ok!(poll_oneoff(&[one, hour], &mut events)), 1);
    same!(events[0].userdata, one.userdata);
    same!(events[0].kind, one.tag);
    events[0]
}

fn run() {
    for stream in [1, 2] {
        same!(event_of(fd(7, event::FD_WRITE, stream)).error, 0);
    }
    let dir = scratch();
    let file = ok!(open(dir, "digits.txt", read_write(0)));
    same!(event_of(fd(8, event::FD_READ, file)).error, 0);
    same!(event_of(fd(9, event::FD_WRITE, file)).error, 0);
    // At its end a file is ready all the same: to say so.
    same!(ok!(fd_seek(file, 0, whence::END)), 10);
    same!(event_of(fd(10, event::FD_READ, file)).error, 0);

    let list = [fd(1, event::FD_READ, file), fd(2, event::FD_WRITE, file), fd(3, event::FD_WRITE, 1)];
    let mut events = [Event::default(); 3];
    let count = ok!(poll_oneoff(&list, &mut events));
    check!((1..=3).contains(&count), "at least one is ready");
    check!(events[..count].iter().all(|event| event.error == 0), "none has failed");
    check!(events[..count].iter().all(|event| (1..=3).contains(&event.userdata)), "no other event");
    ok!(fd_close(file));
}
