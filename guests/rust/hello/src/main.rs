//! The smallest program of Rust's standard library, for scripts/bench.sh: what a run costs besides its work.
//! Convention: command (WASI).

fn main() {
    println!("Hello, World");
}
