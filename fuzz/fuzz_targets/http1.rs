//! The door's parser against any bytes. Run it from the project's root with
//! `cargo +nightly fuzz run --features libfuzzer http1 fuzz/corpus/http1 tests/corpus/http1 -- -max_len=4096`.
#![no_main]

#[path = "../../tests/it/http1_property.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| property::holds(bytes));
