//! Random bytes.

use super::{World, traps};
use crate::base::limits::HOST_CALL_BYTES_MAX;
use crate::host::component::value::Value;
use crate::host::streams::Stdin;

const BYTES: [(&str, &str); 2] =
    [("wasi:random/random", "get-random-bytes"), ("wasi:random/insecure", "get-insecure-random-bytes")];
const NUMBERS: [(&str, &str); 2] =
    [("wasi:random/random", "get-random-u64"), ("wasi:random/insecure", "get-insecure-random-u64")];

#[test]
fn as_many_bytes_as_are_asked_for() {
    for (interface, name) in BYTES {
        for len in [0, 1, 9, HOST_CALL_BYTES_MAX - 1, HOST_CALL_BYTES_MAX] {
            let mut world = World::new(Stdin::Empty);
            let bytes = world.get(interface, name, &[Value::U64(len as u64)]);
            assert!(bytes == Value::Bytes(vec![b'r'; len]), "{name} {len}");
            assert_eq!(world.ctx.moved_bytes, len as u64 * 16);
        }
        for len in [HOST_CALL_BYTES_MAX as u64 + 1, u64::MAX] {
            traps(World::new(Stdin::Empty).call(interface, name, &[Value::U64(len)]), "random bytes at once");
        }
    }
}

#[test]
fn numbers_and_seeds() {
    let mut world = World::new(Stdin::Empty);
    let r = Value::U64(u64::from_le_bytes([b'r'; 8]));
    for (interface, name) in NUMBERS {
        assert_eq!(world.get(interface, name, &[]), r);
    }
    let seed = world.get("wasi:random/insecure-seed", "insecure-seed", &[]);
    assert_eq!(seed, Value::Record(vec![r.clone(), r]));
    assert_eq!(world.ctx.moved_bytes, 4 * 8 * 16);
}

#[test]
fn a_reproducible_run_has_always_the_same() {
    let numbers = || {
        let mut world = World::reproducible(Stdin::Empty);
        NUMBERS.map(|(interface, name)| world.get(interface, name, &[]))
    };
    assert_eq!(numbers(), numbers());
    assert_ne!(numbers()[0], numbers()[1]);
}
