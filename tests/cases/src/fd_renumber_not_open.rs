//! `fd_renumber` replaces an open descriptor: a number that is not open is `EBADF`, and nothing moves.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let fd = ok!(open(scratch(), "digits.txt", read_only(0)));
    fails!(fd_renumber(fd, NOT_OPEN), BADF);
    fails!(fd_renumber(fd, u32::MAX), BADF);
    check!(holds(fd, 0, b"0123456789"), "the descriptor is where it was");
    ok!(fd_close(fd));
}
