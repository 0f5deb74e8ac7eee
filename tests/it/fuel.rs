//! Fuel is a number that does not depend on the machine, the deadline, the slices or who runs beside.

use crate::guest::{fuel_only, numbers, trap};
use crate::support::{deadline_ms, job, prebuilt, program, wat};
use fuelbox::abi::{numeric, packed};
use fuelbox::base::limits::{HOST_CALL_FUEL, SLICE_FUEL};
use fuelbox::{Limits, Program, Report, Stop, Value};

fn load(name: &str, limits: &Limits) -> Program {
    Program::compile(name, &std::fs::read(prebuilt(name)).unwrap(), limits).unwrap()
}

fn greet(program: &Program, limits: &Limits) -> Report<Vec<u8>> {
    packed::run(job(program, limits), "greet", b"World").unwrap()
}

fn fibonacci(program: &Program, limits: &Limits, func: &str, n: i32) -> Report<Vec<Value>> {
    numeric::run(job(program, limits), func, &[n.into()]).unwrap()
}

#[test]
fn the_numbers_of_two_guests_are_pinned() {
    let limits = Limits::default();
    let report = greet(&load("greet.wasm", &limits), &limits);
    assert_eq!(report.result.unwrap(), b"Hello, World");
    assert_eq!(report.usage.fuel, GREET_FUEL);

    let program = load("fibonacci.wasm", &limits);
    let iterative = fibonacci(&program, &limits, "fibonacci", 20);
    assert_eq!(iterative.result.unwrap(), [6765_i64.into()]);
    assert_eq!(iterative.usage.fuel, FIBONACCI_20_FUEL);
    let recursive = fibonacci(&program, &limits, "fibonacci_recursive", 20);
    assert_eq!(recursive.result.unwrap(), [6765_i64.into()]);
    assert_eq!(recursive.usage.fuel, FIBONACCI_RECURSIVE_20_FUEL);
}

const GREET_FUEL: u64 = 71;
const FIBONACCI_20_FUEL: u64 = 382;
const FIBONACCI_RECURSIVE_20_FUEL: u64 = 361_204;

#[test]
fn the_first_run_of_a_program_uses_as_much_as_later_ones() {
    // The first run translates the functions; that is not charged.
    let limits = Limits::default();
    let program = load("json-transform.wasm", &limits);
    let run = || packed::run(job(&program, &limits), "transform", br#"{"a":["b",1]}"#).unwrap();
    let first = run();
    assert_eq!(first.result.as_deref(), Ok(br#"{"a":["B",1]}"#.as_slice()));
    for _ in 0..3 {
        assert_eq!(run().usage.fuel, first.usage.fuel);
    }
}

#[test]
fn the_deadline_and_the_other_limits_do_not_change_it() {
    let variants = [
        fuel_only(u64::MAX),
        deadline_ms(60_000),
        Limits { memory_pages: 1, recursion: 100, ..Limits::default() },
    ];
    for limits in variants {
        assert_eq!(greet(&load("greet.wasm", &limits), &limits).usage.fuel, GREET_FUEL, "{limits:?}");
    }
}

#[test]
fn more_input_uses_more() {
    let limits = Limits::default();
    let program = load("greet.wasm", &limits);
    let long = packed::run(job(&program, &limits), "greet", &[b'x'; 6400]).unwrap();
    assert!(long.usage.fuel >= GREET_FUEL + 6400 / 64, "{}", long.usage.fuel);
}

#[test]
fn parallel_runs_use_the_same() {
    let limits = Limits::default();
    let program = load("fibonacci.wasm", &limits);
    let runs = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| fibonacci(&program, &limits, "fibonacci_recursive", 20).usage.fuel))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(runs, [FIBONACCI_RECURSIVE_20_FUEL; 8]);
}

/// Runs `f` with exactly the fuel it needs, one less, and one more.
#[track_caller]
fn exact(source: &str, least: u64) {
    let needed = numbers(source, &Limits::default(), "f", &[]).usage.fuel;
    assert!(needed >= least, "{needed} fuel, which is too little for what is tested");
    for limits in [fuel_only(needed), fuel_only(needed + 1), Limits { fuel: needed, ..Limits::default() }] {
        let report = numbers(source, &limits, "f", &[]);
        assert!(report.result.is_ok(), "{needed} of {}: {:?}", limits.fuel, report.result);
        assert_eq!(report.usage.fuel, needed);
    }
    if needed == 1 {
        return;
    }
    let short = numbers(source, &fuel_only(needed - 1), "f", &[]);
    assert_eq!(short.result, Err(Stop::OutOfFuel { limit: needed - 1 }));
    assert_eq!(short.usage.fuel, needed - 1);
}

/// A function that counts to `n`.
fn counting(n: u64) -> String {
    format!(
        r#"(module (func (export "f") (local $n i32)
             (local.set $n (i32.const {n}))
             (loop $l (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))"#
    )
}

#[test]
fn the_exact_budget_suffices_and_one_less_does_not() {
    exact(r#"(module (func (export "f")))"#, 1);
    exact(&counting(10), 10);
}

#[test]
fn the_exact_budget_suffices_over_many_slices() {
    exact(&counting(SLICE_FUEL), SLICE_FUEL + 1);
    exact(&counting(10 * SLICE_FUEL + 1), 10 * SLICE_FUEL);
}

#[test]
fn the_exact_budget_suffices_for_bulk_instructions_larger_than_a_slice() {
    // 16 MiB at 64 bytes for one fuel: 262,144.
    exact(
        r#"(module (memory 256) (func (export "f")
             (memory.fill (i32.const 0) (i32.const 7) (i32.const 16777216))
             (memory.copy (i32.const 1) (i32.const 0) (i32.const 16777215))))"#,
        2 * 262_143,
    );
}

#[test]
fn the_exact_budget_suffices_for_growing_memory() {
    exact(r#"(module (memory 1) (func (export "f") (drop (memory.grow (i32.const 255)))))"#, 100_000);
}

/// A function that makes `n` host calls, each after `pause` rounds of a loop.
fn calling(n: u32, pause: u32) -> String {
    format!(
        r#"(module (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
             (func (export "f") (local $n i32) (local $m i32)
               (local.set $n (i32.const {n}))
               (loop $calls
                 (local.set $m (i32.const {pause}))
                 (loop $l (br_if $l (local.tee $m (i32.sub (local.get $m) (i32.const 1)))))
                 (drop (call $yield))
                 (br_if $calls (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))"#
    )
}

#[test]
fn host_calls_are_charged() {
    let fuel = |n| numbers(&calling(n, 1), &Limits::default(), "f", &[]).usage.fuel;
    let one = fuel(1);
    assert!(one >= HOST_CALL_FUEL, "{one}");
    assert!(fuel(101) >= one + 100 * HOST_CALL_FUEL);
}

#[test]
fn the_exact_budget_suffices_with_host_calls() {
    // The pauses put slice ends before, in and after host calls, where fuel is owed over a border.
    for pause in [1, 3, 17, 250, 333] {
        exact(&calling(2_000, pause), 4 * SLICE_FUEL);
    }
    exact(&calling(1, 1), HOST_CALL_FUEL);
}

#[test]
fn a_budget_around_a_slice_is_kept_to_the_unit() {
    let source = counting(SLICE_FUEL * 2);
    for limit in [1, SLICE_FUEL - 1, SLICE_FUEL, SLICE_FUEL + 1] {
        let report = numbers(&source, &fuel_only(limit), "f", &[]);
        assert_eq!(report.result, Err(Stop::OutOfFuel { limit }));
        assert_eq!(report.usage.fuel, limit);
    }
}

#[test]
fn the_largest_budget_works() {
    let limits = Limits { fuel: u64::MAX, ..deadline_ms(50) };
    assert_eq!(greet(&load("greet.wasm", &limits), &limits).usage.fuel, GREET_FUEL);
    let endless = numbers(r#"(module (func (export "f") (loop $l (br $l))))"#, &limits, "f", &[]);
    assert!(matches!(endless.result, Err(Stop::Deadline { .. })), "{endless:?}");
    assert!(endless.usage.fuel > SLICE_FUEL, "{}", endless.usage.fuel);
}

#[test]
fn start_is_on_the_same_budget() {
    let source = r#"(module (func $s (local $n i32)
          (local.set $n (i32.const 1000))
          (loop $l (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
        (start $s) (func (export "f")))"#;
    exact(source, 1000);
}

#[test]
fn a_trap_is_charged_too() {
    let report = numbers(
        r#"(module (func (export "f") (drop (i32.div_u (i32.const 1) (i32.const 0)))))"#,
        &Limits::default(),
        "f",
        &[],
    );
    assert!(trap(&report).contains("divide by zero"), "{report:?}");
    assert!(report.usage.fuel > 0);
}

#[test]
fn no_budget_is_refused() {
    let none = Limits { fuel: 0, ..Limits::default() };
    let error = Program::compile("test", &wat("(module)"), &none).unwrap_err();
    assert!(error.to_string().contains("--fuel"), "{error}");
    let _ = program("(module)", &fuel_only(1));
}
