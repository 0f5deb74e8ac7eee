//! `proc_exit(0)`: a success, as the end of `_start` is.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    write_all(1, b"done");
    proc_exit(0);
}
