//! Several instances in one store of the interpreter, paused wherever fuel can run out: what they compute must not depend on that.

use super::limits;
use crate::support::wat;
use fuelbox::component::Value;
use fuelbox::{Call, CompileOptions, Limits, Program, Runner, RunnerConfig, Stop};

/// A component whose core instances call each other directly, through a table, and through another component, while memories
/// grow below them: in the callee, in `realloc` and in `post-return`. Everything that is read goes into a sum.
const TANGLE: &str = r#"(component
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
  (component $inner
    (core module $m
      (memory (export "mem") 1)
      (global $next (mut i32) (i32.const 2048))
      (func $grow (result i32) (local i32)
        (local.set 0 (i32.mul (memory.grow (i32.const 1)) (i32.const 65536)))
        (i32.store (i32.add (local.get 0) (i32.const 65532)) (i32.const 77))
        (local.get 0))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (drop (call $grow))
        (global.set $next (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -8)))
        (global.get $next)
        (global.set $next (i32.add (global.get $next) (local.get 3))))
      (func (export "f") (param $n i32) (param $at i32) (param $len i32) (result i32) (local $i i32) (local $out i32)
        (local.set $out (call $grow))
        (loop $l
          (i32.store (i32.add (local.get $out) (i32.mul (local.get $i) (i32.const 4)))
            (i32.add (i32.mul (local.get $i) (local.get $n))
              (i32.load8_u (i32.add (local.get $at) (i32.rem_u (local.get $i) (local.get $len))))))
          (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
        (i32.store (i32.const 1024) (local.get $out))
        (i32.store (i32.const 1028) (local.get $n))
        (i32.const 1024))
      (func (export "post") (param i32)
        (drop (call $grow)) (i32.store (i32.load (local.get 0)) (i32.const 0xdead))))
    (core instance $m (instantiate $m))
    (func (export "f") (param "n" u32) (param "s" string) (result (list u32)) (canon lift (core func $m "f")
      (memory (core memory $m "mem")) (realloc (core func $m "realloc")) (post-return (core func $m "post")))))
  (instance $inner (instantiate $inner))
  (core module $a
    (memory (export "mem") 1)
    (table (export "t") 8 funcref)
    (global (export "g") (mut i32) (i32.const 4096))
    (func (export "grow") (param i32) (result i32) (local i32)
      (local.set 1 (i32.mul (memory.grow (local.get 0)) (i32.const 65536)))
      (i32.store (local.get 1) (i32.const 0x55))
      (local.get 1))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local i32)
      (local.set 4 (i32.mul (memory.grow (i32.const 1)) (i32.const 65536)))
      (i32.store (i32.add (local.get 4) (i32.const 65528)) (i32.const 0x1234))
      (local.get 4)))
  (core instance $a (instantiate $a))
  (core func $f (canon lower (func $inner "f") (memory (core memory $a "mem")) (realloc (core func $a "realloc"))))
  (core func $rand (canon lower (func $random "get-random-bytes") (memory (core memory $a "mem"))
    (realloc (core func $a "realloc"))))
  (core module $c
    (type $f (func (param i32 i32 i32 i32)))
    (import "a" "mem" (memory 1))
    (import "a" "t" (table $t 8 funcref))
    (import "" "f" (func $f (type $f)))
    (import "" "rand" (func $rand (param i64 i32)))
    (import "b" "back" (func $back (param i32) (result i32)))
    (elem $t (i32.const 0) func $f $direct $rand)
    (func $direct (type $f) (call $f (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
    (func (export "through") (param $way i32) (param $n i32) (result i32) (local $old i32)
      (local.set $old (memory.size))
      (call_indirect $t (type $f) (local.get $n) (i32.const 8) (i32.const 5) (i32.const 64) (local.get $way))
      (i32.add (i32.load (i32.load (i32.const 64)))
        (i32.add (i32.sub (memory.size) (local.get $old)) (call $back (local.get $n))))))
  (core module $back
    (memory 1)
    (func (export "back") (param i32) (result i32) (local i32)
      (local.set 1 (i32.mul (memory.grow (i32.const 1)) (i32.const 65536)))
      (i32.store (local.get 1) (local.get 0))
      (i32.load (local.get 1))))
  (core instance $back (instantiate $back))
  (core instance $c (instantiate $c (with "a" (instance $a)) (with "b" (instance $back))
    (with "" (instance (export "f" (func $f)) (export "rand" (func $rand))))))
  (core module $top
    (import "a" "mem" (memory 1))
    (import "a" "g" (global $g (mut i32)))
    (import "a" "t" (table $t 8 funcref))
    (import "a" "grow" (func $grow (param i32) (result i32)))
    (import "c" "through" (func $through (param i32 i32) (result i32)))
    (import "" "rand" (func $rand (param i64 i32)))
    (global $h (mut i64) (i64.const 17))
    (func $mix (param i64)
      (global.set $h (i64.add (i64.mul (global.get $h) (i64.const 1000003)) (local.get 0))))
    (func $ends (local $at i32)
      (local.set $at (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 8)))
      (call $mix (i64.load (local.get $at)))
      (i64.store (local.get $at) (global.get $h))
      (call $mix (i64.extend_i32_u (i32.load (i32.sub (local.get $at) (i32.const 65528))))))
    (func (export "f") (param $rounds i32) (result i64) (local $i i32)
      (i64.store (i32.const 8) (i64.const 0x676f6f646f))
      (loop $l
        (call $ends)
        (call $mix (i64.extend_i32_u (call $through (i32.and (local.get $i) (i32.const 1))
          (i32.add (local.get $i) (i32.const 3)))))
        (call $ends)
        (call $mix (i64.extend_i32_u (call $grow (i32.const 1))))
        (call $ends)
        (global.set $g (i32.add (global.get $g) (local.get $i)))
        (call $rand (i64.const 24) (i32.const 128))
        (call $mix (i64.extend_i32_u (i32.load (i32.const 132))))
        (memory.fill (i32.load (i32.const 128)) (i32.const 7) (i32.const 300))
        (call $ends)
        (memory.copy (i32.const 512) (i32.load (i32.const 128)) (i32.const 200))
        (call $mix (i64.load (i32.const 600)))
        (call $mix (i64.extend_i32_u (global.get $g)))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $rounds))))
      (call $mix (i64.extend_i32_u (memory.size)))
      (global.get $h)))
  (core instance $top (instantiate $top (with "a" (instance $a)) (with "c" (instance $c))
    (with "" (instance (export "rand" (func $rand))))))
  (func (export "f") (param "rounds" u32) (result u64) (canon lift (core func $top "f"))))"#;

fn run(
    wasm: &[u8],
    limits: &Limits,
    slice_fuel: u64,
    rounds: u32,
) -> (Result<Option<Value>, Stop>, u64, u32) {
    let options = CompileOptions { slice_fuel, ..CompileOptions::default() };
    let program = Program::compile_with("tangle", wasm, limits, &options).unwrap();
    let runner = Runner::new(RunnerConfig { limits: limits.clone(), ..RunnerConfig::default() }).unwrap();
    let report = runner.run(&program, Call::component("f", &[Value::U32(rounds)])).unwrap();
    (report.result, report.usage.fuel, report.usage.peak_pages)
}

#[test]
fn results_do_not_depend_on_slices() {
    let wasm = wat(TANGLE);
    for rounds in [1, 6] {
        let whole = run(&wasm, &limits(), 1_000_000, rounds);
        assert!(whole.0.is_ok(), "{whole:?}");
        for slice in (1..80).chain([97, 128, 199, 200, 201, 255, 256, 500, 1_000, 5_000]) {
            assert_eq!(run(&wasm, &limits(), slice, rounds), whole, "slices of {slice}");
        }
    }
}

#[test]
fn any_fuel_ends_a_run_as_it_should() {
    let wasm = wat(TANGLE);
    let (whole, fuel, _) = run(&wasm, &limits(), 1_000_000, 1);
    for limit in (1..fuel).step_by(7).chain([fuel - 1, fuel, fuel + 1]) {
        let few = Limits { fuel: limit, ..limits() };
        let expected = if limit < fuel { Err(Stop::OutOfFuel { limit }) } else { whole.clone() };
        assert_eq!(run(&wasm, &few, 50, 1).0, expected, "{limit} of {fuel}");
    }
}
