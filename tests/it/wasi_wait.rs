//! Calls that wait, wherever a guest makes them: in its start function, its allocator, through its table,
//! in memory that has grown, and deep in its own calls. Each goes on where it was, or ends at the deadline.

use crate::guest::{LONG, bytes, fuel_only, numbers, start};
use crate::support::deadline_ms;
use fuelbox::{Invocation, Limits, Report, Stdin, Stop};
use std::fmt::Debug;
use std::sync::mpsc::channel;
use std::time::Duration;

const FOREVER: u64 = u64::MAX;
const SOON: u64 = 3_000_000;

/// A module whose `$wait` waits `ns` and checks that exactly one event came, that the pointers of the caller
/// are as they were, and counts in `$waits`.
fn module(ns: u64, rest: &str) -> String {
    format!(
        r#"(module
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (type $polling (func (param i32 i32 i32 i32) (result i32)))
        (table 4 funcref) (elem (i32.const 2) $poll $through_table)
        (global $waits (mut i32) (i32.const 0))
        (func $subscribe (param $at i32)
          (i32.store offset=16 (local.get $at) (i32.const 1))
          (i64.store offset=24 (local.get $at) (i64.const {ns})))
        (func $check (param $errno i32) (param $count i32)
          (if (local.get $errno) (then (unreachable)))
          (if (i32.ne (i32.load (local.get $count)) (i32.const 1)) (then (unreachable)))
          (global.set $waits (i32.add (global.get $waits) (i32.const 1))))
        (func $wait_at (param $at i32) (local $kept i64)
          (local.set $kept (i64.const 0x1122334455667788))
          (call $subscribe (local.get $at))
          (call $check
            (call $poll (local.get $at) (i32.add (local.get $at) (i32.const 64)) (i32.const 1)
              (i32.add (local.get $at) (i32.const 128)))
            (i32.add (local.get $at) (i32.const 128)))
          (if (i64.ne (local.get $kept) (i64.const 0x1122334455667788)) (then (unreachable))))
        (func $wait (call $wait_at (i32.const 1001)))
        (func $through_table
          (call $subscribe (i32.const 2001))
          (call $check
            (call_indirect (type $polling) (i32.const 2001) (i32.const 2065) (i32.const 1) (i32.const 2129)
              (i32.const 2))
            (i32.const 2129)))
        {rest})"#
    )
}

/// With a short wait it gives `expected`; with an endless one it ends at its deadline.
#[track_caller]
fn waits<T: PartialEq + Debug>(rest: &str, expected: T, run: impl Fn(&str, &Limits) -> Report<T>) {
    let report = run(&module(SOON, rest), &deadline_ms(10_000));
    assert_eq!(report.result, Ok(expected));
    let report = run(&module(FOREVER, rest), &deadline_ms(50));
    assert!(matches!(report.result, Err(Stop::Deadline { .. })), "{report:?}");
    println!("deadline 50 ms, ended after {:?} and {:?}", report.usage.instantiate, report.usage.run);
    assert!(report.usage.run < LONG && report.usage.instantiate < LONG);
}

fn count(source: &str, limits: &Limits) -> Report<Vec<fuelbox::Value>> {
    numbers(source, limits, "f", &[])
}

#[test]
fn in_a_function_in_a_loop_and_deep_in_calls() {
    waits(r#"(func (export "f") (result i32) (call $wait) (global.get $waits))"#, vec![1.into()], count);
    let five = r#"(func (export "f") (result i32)
        (loop $l (call $wait) (br_if $l (i32.lt_u (global.get $waits) (i32.const 5)))) (global.get $waits))"#;
    waits(five, vec![5.into()], count);
    let deep = r#"(func $down (param $n i32) (param $x i64) (result i64)
          (if (result i64) (local.get $n)
            (then (i64.add (local.get $x)
              (call $down (i32.sub (local.get $n) (i32.const 1)) (i64.extend_i32_u (local.get $n)))))
            (else (call $wait) (local.get $x))))
        (func (export "f") (result i64) (call $down (i32.const 1000) (i64.const 7)))"#;
    waits(deep, vec![500_507_i64.into()], count);
}

#[test]
fn in_a_start_function_and_in_an_initializer() {
    waits(r#"(func (export "f") (result i32) (global.get $waits)) (start $wait)"#, vec![1.into()], count);
    let initializer =
        r#"(func (export "f") (result i32) (global.get $waits)) (export "_initialize" (func $wait))"#;
    waits(initializer, vec![1.into()], count);
    let both = r#"(export "_start" (func $wait)) (start $wait)"#;
    waits(both, vec![], |source, limits| start(source, limits, Invocation::default()));
}

#[test]
fn in_an_allocator_and_in_what_it_serves() {
    let packed = r#"
        (func (export "allocate") (param i32) (result i32) (call $wait) (i32.const 3000))
        (func (export "f") (param $at i32) (param $len i32) (result i64)
          (call $wait) (i32.store8 (local.get $at) (i32.add (i32.const 48) (global.get $waits)))
          (i64.or (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32))
            (i64.extend_i32_u (local.get $len))))"#;
    waits(packed, b"2bc".to_vec(), |source, limits| bytes(source, limits, "f", b"abc"));
}

#[test]
fn through_a_table_and_in_memory_that_has_grown() {
    let table = r#"(func (export "f") (result i32)
        (call_indirect (i32.const 3)) (call_indirect (i32.const 3)) (global.get $waits))"#;
    waits(table, vec![2.into()], count);
    let grown = r#"(func (export "f") (result i32)
        (loop $l
          (call $wait_at (i32.sub (i32.mul (i32.const 65536) (memory.size)) (i32.const 201)))
          (drop (memory.grow (i32.const 20)))
          (br_if $l (i32.lt_u (global.get $waits) (i32.const 4))))
        (global.get $waits))"#;
    waits(grown, vec![4.into()], count);
}

/// An import that is exported again is called without code of the instance around it, which could be held up.
#[test]
fn an_import_that_is_exported_and_waits_ends_the_run() {
    let source = r#"(module
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "\40\00\00\00\40\00\00\00")
        (data (i32.const 116) "\01\00\00\00\00\00\00\00\ff\ff\ff\ff\ff\ff\ff\ff")
        (export "read" (func $read)) (export "poll" (func $poll)))"#;
    let call = |name, params: [i32; 4]| {
        numbers(source, &deadline_ms(10_000), name, &params.map(fuelbox::Value::from)).result
    };
    assert_eq!(call("read", [0, 0, 1, 16]), Ok(vec![0.into()]), "at the end there is nothing to wait for");
    let ended = call("poll", [100, 300, 1, 16]);
    assert!(matches!(ended, Err(Stop::Convention(_))), "{ended:?}");
}

#[test]
fn a_wait_costs_the_same_fuel_however_often_it_is_looked_at() {
    let fuel = |pieces: &[&str]| {
        let (send, receive) = channel();
        let pieces: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.as_bytes().to_vec()).collect();
        let sender = std::thread::spawn(move || {
            for piece in pieces {
                std::thread::sleep(Duration::from_millis(5));
                send.send(piece).unwrap();
            }
        });
        let source = r#"(module
            (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1) (data (i32.const 0) "\40\00\00\00\40\00\00\00")
            (func (export "_start") (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))))"#;
        let invocation = Invocation { stdin: Stdin::Pipe(receive), ..Invocation::default() };
        let report = start(source, &deadline_ms(10_000), invocation);
        assert_eq!(report.result, Ok(vec![]));
        sender.join().unwrap();
        report.usage.fuel
    };
    assert_eq!(fuel(&["", "", "", "", "in"]), fuel(&["in"]));
}

#[test]
fn fuel_ends_a_guest_that_only_waits() {
    let source = module(1, r#"(func (export "f") (loop $l (call $wait) (br $l)))"#);
    let report = numbers(&source, &fuel_only(100_000), "f", &[]);
    assert!(matches!(report.result, Err(Stop::OutOfFuel { limit: 100_000 })), "{report:?}");
    assert_eq!(report.usage.fuel, 100_000);
}
