//! Recursion without end, frames without bound: a clear error, and the program runs on afterwards.

use crate::guest::{fuel_only, numbers, trap};
use crate::support::{TempDir, fuelbox_in, job, program};
use fuelbox::abi::numeric;
use fuelbox::{Limits, Stop};

/// Calls itself `n` times (so that `n + 1` calls are nested), or for ever when `n` is negative.
const RECURSE: &str = r#"(module
    (func $f (export "f") (param $n i32) (result i32)
      (if (result i32) (i32.eqz (local.get $n))
        (then (i32.const 42))
        (else (i32.add (i32.const 0) (call $f (i32.sub (local.get $n) (i32.const 1))))))))"#;

#[track_caller]
fn exhausts(source: &str, limits: &Limits) {
    let report = numbers(source, limits, "f", &[(-1_i32).into()]);
    let text = report.result.as_ref().unwrap_err().to_string();
    let what = trap(&report);
    assert!(what.contains("--max-recursion") && what.contains("--max-stack"), "{text}");
}

#[test]
fn endless_recursion_is_a_trap_that_names_the_flags() {
    exhausts(RECURSE, &Limits::default());
}

#[test]
fn the_cap_holds_at_every_setting() {
    // A deep cap needs a value stack to match.
    for recursion in [1, 2, 100, 10_000, 50_000] {
        let limits = Limits { recursion, stack_bytes: 16 << 20, ..Limits::default() };
        let program = program(RECURSE, &limits);
        let run = |nested: usize| {
            numeric::run(job(&program, &limits), "f", &[((nested - 1) as i32).into()]).unwrap().result
        };
        if recursion > 1 {
            assert_eq!(run(recursion - 1), Ok(vec![42.into()]), "{} of {recursion}", recursion - 1);
        }
        assert_eq!(run(recursion), Ok(vec![42.into()]), "{recursion} of {recursion}");
        assert!(matches!(run(recursion + 1), Err(Stop::Trap(_))), "{} of {recursion}", recursion + 1);
    }
}

#[test]
fn no_recursion_at_all_is_refused() {
    let limits = Limits { recursion: 0, ..Limits::default() };
    assert!(limits.check().unwrap_err().contains("--max-recursion"));
}

/// A function with `locals` i64 locals that are all live across the call it makes to itself.
fn deep_frames(locals: usize) -> String {
    let declare = "i64 ".repeat(locals);
    let set: String =
        (0..locals).map(|i| format!("(local.set {} (i64.extend_i32_s (local.get 0)))", i + 1)).collect();
    format!(
        r#"(module (func $f (export "f") (param i32) (result i64) (local {declare})
             {set}
             (if (i32.eqz (local.get 0)) (then (return (i64.const 42))))
             (i64.add (call $f (i32.sub (local.get 0) (i32.const 1))) (i64.mul (i64.const 0) (local.get 1)))))"#
    )
}

#[test]
fn deep_frames_exhaust_the_value_stack_before_the_recursion_cap() {
    let source = deep_frames(1000);
    let limits = Limits::default();
    exhausts(&source, &limits);
    // 1,000 locals of 8 bytes: 1 MiB holds some 130 frames.
    assert_eq!(numbers(&source, &limits, "f", &[100.into()]).result, Ok(vec![42_i64.into()]));
    let report = numbers(&source, &limits, "f", &[200.into()]);
    assert!(trap(&report).contains("--max-stack"), "{report:?}");
    let larger = Limits { stack_bytes: 2 << 20, ..limits };
    assert_eq!(numbers(&source, &larger, "f", &[200.into()]).result, Ok(vec![42_i64.into()]));
}

#[test]
fn one_frame_larger_than_the_stack_is_a_trap() {
    let limits = Limits { stack_bytes: 4096, ..Limits::default() };
    let report = numbers(&deep_frames(1000), &limits, "f", &[0.into()]);
    assert!(trap(&report).contains("--max-stack"), "{report:?}");
}

#[test]
fn the_smallest_stack_runs_a_small_function() {
    let limits = Limits { stack_bytes: 4096, ..Limits::default() };
    assert_eq!(numbers(RECURSE, &limits, "f", &[3.into()]).result, Ok(vec![42.into()]));
    let less = Limits { stack_bytes: 4095, ..Limits::default() };
    let text = less.check().unwrap_err();
    assert!(text.contains("--max-stack") && text.contains("4095") && text.contains("4096"), "{text}");
}

#[test]
fn indirect_recursion_is_stopped_too() {
    exhausts(
        r#"(module (table funcref (elem $f)) (type $t (func (param i32) (result i32)))
             (func $f (export "f") (type $t)
               (i32.add (i32.const 1) (call_indirect (type $t) (local.get 0) (i32.const 0)))))"#,
        &Limits::default(),
    );
}

#[test]
fn recursion_through_several_functions_is_stopped_too() {
    exhausts(
        r#"(module
             (func $f (export "f") (param i32) (result i32) (i32.add (i32.const 1) (call $g (local.get 0))))
             (func $g (param i32) (result i32) (i32.add (i32.const 1) (call $h (local.get 0))))
             (func $h (param i32) (result i32) (i32.add (i32.const 1) (call $f (local.get 0)))))"#,
        &Limits::default(),
    );
}

#[test]
fn recursion_in_start_is_stopped_too() {
    let source = r#"(module (func $s (call $s) (call $s)) (start $s) (func (export "f")))"#;
    let report = numbers(source, &Limits::default(), "f", &[]);
    assert!(trap(&report).contains("--max-recursion"), "{report:?}");
}

#[test]
fn the_same_program_runs_normally_afterwards() {
    let limits = Limits::default();
    let program = program(RECURSE, &limits);
    let run = |n: i32| numeric::run(job(&program, &limits), "f", &[n.into()]).unwrap();
    let before = run(10);
    for _ in 0..3 {
        assert!(run(-1).result.is_err());
        let after = run(10);
        assert_eq!(after.result, Ok(vec![42.into()]));
        assert_eq!(after.usage.fuel, before.usage.fuel);
    }
}

#[test]
fn deep_recursion_over_many_slices_keeps_its_frames() {
    // Fuel runs out at every depth, and the frames are there when the run goes on.
    let source = r#"(module
        (func $f (export "f") (param $n i32) (result i32) (local $m i32)
          (if (i32.eqz (local.get $n)) (then (return (i32.const 0))))
          (local.set $m (i32.const 1000))
          (loop $l (br_if $l (local.tee $m (i32.sub (local.get $m) (i32.const 1)))))
          (i32.add (local.get $n) (call $f (i32.sub (local.get $n) (i32.const 1))))))"#;
    let report = numbers(source, &fuel_only(100_000_000), "f", &[5_000.into()]);
    assert_eq!(report.result, Ok(vec![(5_000 * 5_001 / 2).into()]));
}

/// Instructions whose result is thrown away, each with what the module needs for it. Between them they take
/// every way through the interpreter that could leave a frame on the host's stack.
const REPEATED: [(&str, &str, &str); 13] = [
    ("memory.grow denied by the limit", "(memory 1)", "(drop (memory.grow (i32.const 9999)))"),
    ("memory.grow denied by the module", "(memory 1 1)", "(drop (memory.grow (i32.const 1)))"),
    ("memory.grow by nothing", "(memory 1)", "(drop (memory.grow (i32.const 0)))"),
    ("table.grow denied", "(table $t 1 funcref)", "(drop (table.grow $t (ref.null func) (i32.const 1)))"),
    ("memory.copy", "(memory 1)", "(memory.copy (i32.const 0) (i32.const 0) (i32.const 0))"),
    ("memory.fill", "(memory 1)", "(memory.fill (i32.const 0) (i32.const 0) (i32.const 0))"),
    ("table.copy", "(table $t 1 funcref)", "(table.copy $t $t (i32.const 0) (i32.const 0) (i32.const 1))"),
    ("table.fill", "(table $t 1 funcref)", "(table.fill $t (i32.const 0) (ref.null func) (i32.const 1))"),
    ("data.drop", r#"(memory 1) (data $d "a")"#, "(data.drop $d)"),
    ("call", "(func $g)", "(call $g)"),
    ("call_indirect", "(func $g) (table funcref (elem $g))", "(call_indirect (i32.const 0))"),
    ("br_table", "(memory 1)", "(block $a (block $b (br_table $a $b (i32.const 7))))"),
    ("floats", "(global $g (mut f64) (f64.const 1.5))", "(global.set $g (f64.nearest (global.get $g)))"),
];

#[test]
fn no_instruction_leaves_frames_on_the_hosts_stack() {
    // In a process of its own, since an exhausted host stack ends the process.
    let dir = TempDir::new();
    for (what, fields, instruction) in REPEATED {
        let body = instruction.repeat(50);
        let source = format!(r#"(module {fields} (func (export "f") (loop $l {body} (br $l))))"#);
        let file = dir.write("guest.wat", source);
        let args = ["run", "--timeout", "none", "--fuel", "2000000", file.to_str().unwrap(), "f"];
        let ran = fuelbox_in(&dir.0, &args, b"");
        println!("{what}: exit code {:?}", ran.code);
        ran.expect(122);
    }
}

/// What measures whether guests leave frames on the host's stack is the source beside it.
#[test]
fn the_module_that_checks_the_stack_is_its_source() {
    let built = fuelbox::module::reader::read(include_bytes!("../../src/sandbox/tail_calls.wasm")).unwrap();
    let source =
        fuelbox::module::reader::read(&crate::support::wat(include_str!("../../src/sandbox/tail_calls.wat")))
            .unwrap();
    assert_eq!(built, source);
}
