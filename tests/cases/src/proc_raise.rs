//! `proc_raise`: a host without signals says so.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    // SIGURG and SIGCHLD would be ignored; no other signal is safe to try where signals exist.
    for signal in [16, 22] {
        may_fail!(proc_raise(signal), NOSYS | NOTSUP);
    }
}
