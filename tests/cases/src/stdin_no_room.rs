//! Reading standard input into no room gives 0 bytes and takes none.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    same!(ok!(fd_read(0, &mut [])), 0);
    same!(ok!(fd_readv(0, &[])), 0);
    let mut buf = [0; 8];
    same!(ok!(fd_read(0, &mut buf)), 4);
    check!(buf[..4] == *b"text", "all of it is still there");
}
