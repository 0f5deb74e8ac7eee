//! Counts the primes below two million, four times, for scripts/bench.sh: loops over two megabytes of memory.
//! Convention: command (WASI).

use std::hint::black_box;

/// Eratosthenes, one byte for each number.
fn primes_below(limit: usize) -> usize {
    let mut composite = vec![false; limit];
    let mut count = 0;
    for n in 2..limit {
        if composite[n] {
            continue;
        }
        count += 1;
        // On 32 bits the square of a large prime would wrap around, and lie below the limit again.
        let mut multiple = n.saturating_mul(n);
        while multiple < limit {
            composite[multiple] = true;
            multiple += n;
        }
    }
    count
}

fn main() {
    for _ in 0..4 {
        println!("{}", primes_below(black_box(2_000_000)));
    }
}
