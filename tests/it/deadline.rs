//! A guest that does not end by itself is stopped by the deadline or, without one, by fuel: wherever it
//! spins.

use crate::guest::{LONG, bytes, fuel_only, numbers};
use crate::support::deadline_ms;
use fuelbox::{Limits, Report, Stop, Usage};
use std::fmt::Debug;
use std::time::Duration;

const DEADLINE_MS: u64 = 50;
const FUEL: u64 = 3_000_000;

/// Asserts that the run was stopped by its deadline, and tells by how much it passed it.
#[track_caller]
fn stopped<T: Debug>(what: &str, report: &Report<T>) {
    let limit = Duration::from_millis(DEADLINE_MS);
    assert!(matches!(report.result, Err(Stop::Deadline { .. })), "{what}: {report:?}");
    let total = total(&report.usage);
    println!("{what}: deadline {limit:?}, ended after {total:?}, {} fuel", report.usage.fuel);
    assert!(total < LONG, "{what}: {total:?}");
}

fn total(usage: &Usage) -> Duration {
    usage.instantiate + usage.run
}

/// Runs `f` of a guest of numbers under a deadline, and under fuel alone.
#[track_caller]
fn both_ways(what: &str, source: &str) {
    stopped(what, &numbers(source, &deadline_ms(DEADLINE_MS), "f", &[]));
    let report = numbers(source, &fuel_only(FUEL), "f", &[]);
    assert_eq!(report.result, Err(Stop::OutOfFuel { limit: FUEL }), "{what}");
    assert_eq!(report.usage.fuel, FUEL, "{what}");
}

/// The same for a packed guest.
#[track_caller]
fn both_ways_packed(what: &str, source: &str) {
    stopped(what, &bytes(source, &deadline_ms(DEADLINE_MS), "f", b"input"));
    let report = bytes(source, &fuel_only(FUEL), "f", b"input");
    assert_eq!(report.result, Err(Stop::OutOfFuel { limit: FUEL }), "{what}");
}

#[test]
fn a_loop_in_a_function_is_stopped() {
    both_ways("loop", r#"(module (func (export "f") (loop $l (br $l))))"#);
}

#[test]
fn a_loop_that_calls_is_stopped() {
    both_ways("calls", r#"(module (func $g) (func (export "f") (loop $l (call $g) (br $l))))"#);
}

#[test]
fn a_loop_in_start_is_stopped() {
    let source = r#"(module (func $s (loop $l (br $l))) (start $s) (func (export "f")))"#;
    both_ways("start", source);
    let report = numbers(source, &deadline_ms(DEADLINE_MS), "f", &[]);
    assert_eq!(report.usage.run, Duration::ZERO, "all the time went into instantiation");
}

#[test]
fn a_loop_in_initialize_is_stopped() {
    both_ways(
        "_initialize",
        r#"(module (func (export "_initialize") (loop $l (br $l))) (func (export "f")))"#,
    );
}

#[test]
fn a_loop_in_allocate_is_stopped() {
    both_ways_packed(
        "allocate",
        r#"(module (memory (export "memory") 1)
             (func (export "allocate") (param i32) (result i32) (loop $l (br $l)) (unreachable))
             (func (export "f") (param i32 i32) (result i64) (i64.const 0)))"#,
    );
}

#[test]
fn a_loop_in_a_packed_function_is_stopped() {
    both_ways_packed(
        "packed function",
        r#"(module (memory (export "memory") 1)
             (func (export "allocate") (param i32) (result i32) (i32.const 0))
             (func (export "f") (param i32 i32) (result i64) (loop $l (br $l)) (unreachable)))"#,
    );
}

#[test]
fn a_loop_in_deallocate_is_stopped() {
    both_ways_packed(
        "deallocate",
        r#"(module (memory (export "memory") 1)
             (func (export "allocate") (param i32) (result i32) (i32.const 0))
             (func (export "deallocate") (param i32 i32) (loop $l (br $l)))
             (func (export "f") (param i32 i32) (result i64) (i64.const 0)))"#,
    );
}

#[test]
fn filling_the_whole_memory_for_ever_is_stopped() {
    both_ways(
        "memory.fill",
        r#"(module (memory 256) (func (export "f")
             (loop $l (memory.fill (i32.const 0) (i32.const 7) (i32.const 16777216)) (br $l))))"#,
    );
}

#[test]
fn copying_the_whole_memory_for_ever_is_stopped() {
    both_ways(
        "memory.copy",
        r#"(module (memory 256) (func (export "f")
             (loop $l (memory.copy (i32.const 1) (i32.const 0) (i32.const 16777215)) (br $l))))"#,
    );
}

#[test]
fn filling_a_whole_table_for_ever_is_stopped() {
    both_ways(
        "table.fill",
        r#"(module (table $t 100000 funcref) (func (export "f")
             (loop $l (table.fill $t (i32.const 0) (ref.null func) (i32.const 100000)) (br $l))))"#,
    );
}

#[test]
fn host_calls_for_ever_are_stopped() {
    both_ways(
        "host calls",
        r#"(module (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
             (func (export "f") (loop $l (drop (call $yield)) (br $l))))"#,
    );
}

#[test]
fn large_host_calls_for_ever_are_stopped() {
    both_ways(
        "random_get",
        r#"(module
             (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
             (memory (export "memory") 16)
             (func (export "f") (loop $l (drop (call $random (i32.const 0) (i32.const 1048576))) (br $l))))"#,
    );
}

#[test]
fn random_bytes_for_all_of_memory_for_ever_are_stopped() {
    both_ways(
        "random_get, 16 MiB",
        r#"(module
             (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
             (memory (export "memory") 256)
             (func (export "f") (loop $l (drop (call $random (i32.const 0) (i32.const 16777216))) (br $l))))"#,
    );
}

#[test]
fn a_large_memory_is_refused_before_it_is_zeroed() {
    // 1 GiB takes seconds at the slowest rate reckoned with; nothing of it is ever touched.
    let source = r#"(module (memory 16384) (func (export "f")))"#;
    let limits = Limits { memory_pages: 65_536, ..deadline_ms(DEADLINE_MS) };
    let report = numbers(source, &limits, "f", &[]);
    let Err(stop @ Stop::Deadline { why: Some(_), .. }) = &report.result else { panic!("{report:?}") };
    assert!(stop.to_string().contains("1073741824 bytes"), "{stop}");
    assert!(stop.to_string().contains("--timeout"), "{stop}");
    assert_eq!(report.usage.peak_pages, 0);
    assert_eq!(report.usage.fuel, 0);
}

#[test]
fn a_large_growth_is_refused_before_it_is_zeroed() {
    let source = r#"(module (memory 1) (func (export "f") (drop (memory.grow (i32.const 16384)))))"#;
    let limits = Limits { memory_pages: 65_536, ..deadline_ms(DEADLINE_MS) };
    let report = numbers(source, &limits, "f", &[]);
    assert!(matches!(report.result, Err(Stop::Deadline { why: Some(_), .. })), "{report:?}");
    assert_eq!(report.usage.peak_pages, 1);
}

#[test]
fn large_fills_are_done_while_there_is_time() {
    // 256 MiB, so the fills alone are reckoned to take a quarter of a second each.
    let fill = |times: u32| {
        format!(
            r#"(module (memory 4096) (func (export "f") (local $n i32)
                 (local.set $n (i32.const {times}))
                 (loop $l
                   (memory.fill (i32.const 0) (i32.const 1) (i32.const 268435456))
                   (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))"#
        )
    };
    let limits = |ms| Limits { memory_pages: 4096, ..deadline_ms(ms) };
    let report = numbers(&fill(1), &limits(60_000), "f", &[]);
    assert_eq!(report.result, Ok(vec![]));
    let report = numbers(&fill(1_000_000), &limits(600), "f", &[]);
    assert!(matches!(report.result, Err(Stop::Deadline { .. })), "{report:?}");
    assert!(total(&report.usage) < LONG, "{report:?}");
}

#[test]
fn a_guest_that_ends_in_time_is_not_stopped() {
    let report = numbers(r#"(module (func (export "f")))"#, &deadline_ms(60_000), "f", &[]);
    assert_eq!(report.result, Ok(vec![]));
}

#[test]
fn the_stop_names_the_deadline_and_its_flag() {
    let stop = Stop::Deadline { limit: Duration::from_millis(1500), why: None };
    assert_eq!(stop.to_string(), "deadline of 1s 500ms passed (--timeout raises it)");
}
