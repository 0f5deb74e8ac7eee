//! `clock_res_get` and `clock_time_get`: both clocks of the outside exist, count in nanoseconds and go on;
//! the CPU-time clocks exist or are refused.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

/// The first second of 2020 and of 2100, in nanoseconds since 1970.
const YEAR_2020: u64 = 1_577_836_800_000_000_000;
const YEAR_2100: u64 = 4_102_444_800_000_000_000;

fn run() {
    for id in [clock::REALTIME, clock::MONOTONIC] {
        check!(ok!(clock_res_get(id)) > 0, "a resolution is not 0");
        ok!(clock_time_get(id, 0));
    }
    let now = ok!(clock_time_get(clock::REALTIME, 1));
    check!(now > YEAR_2020 && now < YEAR_2100, "real time counts nanoseconds since 1970");

    let begin = ok!(clock_time_get(clock::MONOTONIC, 0));
    let mut last = begin;
    // A step shows only after the clock's resolution, however coarse.
    for _ in 0..1_000_000 {
        let now = ok!(clock_time_get(clock::MONOTONIC, 0));
        check!(now >= last, "monotonic time never goes back");
        last = now;
        if last > begin {
            break;
        }
    }
    check!(last > begin, "monotonic time goes on");
    ok!(clock_time_get(clock::MONOTONIC, u64::MAX));

    for id in [clock::PROCESS_CPUTIME, clock::THREAD_CPUTIME] {
        match clock_res_get(id) {
            Ok(resolution) => {
                check!(resolution > 0, "a resolution is not 0");
                let first = ok!(clock_time_get(id, 0));
                check!(ok!(clock_time_get(id, 0)) >= first, "CPU time never goes back");
            }
            refused => {
                fails!(refused, INVAL | BADF | NOTSUP);
                fails!(clock_time_get(id, 0), INVAL | BADF | NOTSUP);
            }
        }
    }
}
