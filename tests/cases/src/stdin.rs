//! Standard input: bytes as they come, then the end, and the end again.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let mut buf = [0; 64];
    let mut len = 0;
    loop {
        let n = ok!(fd_read(0, &mut buf[len..len + 7]));
        check!(n <= 7, "no more than there is room for");
        len += n;
        if n == 0 || len > 50 {
            break;
        }
    }
    check!(buf[..len] == *"first line\nsecond line\nü".as_bytes(), "all of it came, in order");
    same!(ok!(fd_read(0, &mut buf)), 0);
    same!(ok!(fd_read(0, &mut buf)), 0);
}
