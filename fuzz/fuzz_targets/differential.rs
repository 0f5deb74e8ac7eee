//! libFuzzer drives the generator by bytes. Run it from the project's root with
//! `cargo +nightly fuzz run --features libfuzzer fuzz_differential`.
#![no_main]

use fuelbox_fuzz::choices::Choices;
use fuelbox_fuzz::compare::{Counts, Roads, module};
use fuelbox_fuzz::generate::{Shape, make};
use fuelbox_fuzz::session::REWRITTEN;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let made = make(&mut Choices::from_bytes(bytes), Shape::with(REWRITTEN));
    let roads = Roads { fuelbox: true, work_arounds: true, plain: false };
    let found = module(&made, roads, &mut Counts::default());
    assert!(found.is_none(), "{found:?}");
});
