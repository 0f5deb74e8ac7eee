//! `sched_yield`: comes back.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    for _ in 0..100 {
        ok!(sched_yield());
    }
}
