//! `proc_exit`: ends at once with the code, whatever is still open.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    write_all(1, b"before\n");
    leave();
    write_all(1, b"after\n");
}

#[inline(never)]
fn leave() {
    // From within a call, not from `_start`.
    proc_exit(33);
}
