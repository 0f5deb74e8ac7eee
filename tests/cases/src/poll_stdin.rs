//! `poll_oneoff` on standard input: ready when bytes are there, and at its end.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let one = [Subscription { userdata: 5, tag: event::FD_READ, id: 0, ..Subscription::default() }];
    let mut buf = [0; 64];
    let mut len = 0;
    loop {
        let mut events = [Event::default()];
        same!(ok!(poll_oneoff(&one, &mut events)), 1);
        same!(events[0].userdata, 5);
        same!(events[0].kind, event::FD_READ);
        same!(events[0].error, 0);
        let n = ok!(fd_read(0, &mut buf[len..len + 5]));
        len += n;
        if n == 0 {
            break;
        }
    }
    check!(buf[..len] == *b"seventeen letters", "all of it came");
}
