//! The oracle itself: modules are valid and the same for the same seed, and each known fault is seen.

use fuelbox_fuzz::choices::Choices;
use fuelbox_fuzz::compare::{Counts, Roads, module};
use fuelbox_fuzz::generate::{Fault, Made, Shape, make};
use fuelbox_fuzz::session::{Source, module_of};
use fuelbox_fuzz::value::Num;

#[test]
fn modules_are_valid_and_depend_on_the_seed_alone() {
    for seed in 0..300 {
        let shape = Shape::with(&Fault::ALL);
        let made = make(&mut Choices::seeded(seed), shape);
        let again = make(&mut Choices::seeded(seed), shape);
        assert_eq!(made.wasm, again.wasm);
        assert_eq!(made.calls, again.calls);
        let valid = wasmparser::validate(&made.wasm);
        assert!(valid.is_ok(), "seed {seed}: {:?}", valid.err());
    }
}

#[test]
fn any_bytes_make_a_valid_module() {
    let mut c = Choices::seeded(7);
    for length in 0..300 {
        let bytes: Vec<u8> = (0..length).map(|_| c.below(256) as u8).collect();
        let made = make(&mut Choices::from_bytes(&bytes), Shape::with(&Fault::ALL));
        assert!(wasmparser::validate(&made.wasm).is_ok(), "{length} bytes");
    }
}

/// Fails when wasmi no longer has one of them: then it is no longer to be worked around.
#[test]
fn each_known_fault_is_seen_in_wasmi_alone() {
    for fault in Fault::ALL {
        let made = known(fault);
        let roads = Roads { fuelbox: false, work_arounds: false, plain: true };
        let found = module(&made, roads, &mut Counts::default());
        assert!(found.is_some(), "{}", fault.name());
    }
}

/// A module without calls would say nothing.
#[test]
fn most_calls_return() {
    let mut counts = Counts::default();
    for seed in 1..60 {
        let Some((made, roads)) = module_of(seed, Source::Mixed) else { continue };
        let found = module(&made, roads, &mut counts);
        assert_eq!(found, None, "seed {seed}");
    }
    assert!(counts.calls > 1_000, "{counts:?}");
    assert!(counts.traps * 2 < counts.calls, "{counts:?}");
    assert!(counts.pauses > counts.calls, "{counts:?}");
}

fn known(fault: Fault) -> Made {
    let path = format!("{}/known/{}.wat", env!("CARGO_MANIFEST_DIR"), fault.name());
    let wasm = wat::parse_file(path).expect("a valid module");
    Made { wasm, calls: vec![("e".into(), vec![Num::I64(5), Num::I32(1)])] }
}
