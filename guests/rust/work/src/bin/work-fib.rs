//! Fibonacci's 34th number by plain recursion, for scripts/bench.sh: eighteen million calls and little else.
//! Convention: command (WASI).

use std::hint::black_box;

fn fib(n: u32) -> u64 {
    if n < 2 {
        u64::from(n)
    } else {
        fib(n - 1) + fib(n - 2)
    }
}

fn main() {
    // Hidden from the compiler, or it would do a part of the work.
    println!("{}", fib(black_box(34)));
}
