//! The `start` function: taken out of instantiation and called first, whatever the module exports.

use crate::guest::{numbers, trap};
use crate::support::{job, program};
use fuelbox::abi::{command, numeric};
use fuelbox::{Invocation, Limits, Stop};

/// A module whose `start` sets what `f` gives.
fn module(exports: &str) -> String {
    format!(
        r#"(module (global $g (mut i32) (i32.const 1))
             (func $s (global.set $g (i32.add (global.get $g) (i32.const 41))))
             (func $f (result i32) (global.get $g))
             {exports} (start $s))"#
    )
}

#[test]
fn start_runs_once_before_the_function() {
    let report = numbers(&module(r#"(export "f" (func $f))"#), &Limits::default(), "f", &[]);
    assert_eq!(report.result, Ok(vec![42.into()]));
}

#[test]
fn start_may_be_exported_by_itself_too() {
    let source = module(r#"(export "f" (func $f)) (export "s" (func $s))"#);
    assert_eq!(numbers(&source, &Limits::default(), "f", &[]).result, Ok(vec![42.into()]));
    assert_eq!(numbers(&source, &Limits::default(), "s", &[]).result, Ok(vec![]));
}

#[test]
fn a_module_may_export_the_name_that_start_would_get() {
    let taken = r#"(export "fuelbox:start" (func $f)) (export "fuelbox:start'" (func $f))"#;
    let report = numbers(&module(taken), &Limits::default(), "fuelbox:start", &[]);
    assert_eq!(report.result, Ok(vec![42.into()]));
}

#[test]
fn the_added_export_is_not_shown() {
    let program = program(&module(r#"(export "f" (func $f))"#), &Limits::default());
    let names: Vec<_> = program.info().functions().map(|(name, _)| name.to_string()).collect();
    assert_eq!(names, ["f"]);
    assert!(program.info().start.is_some());
    let limits = Limits::default();
    let error = numeric::run(job(&program, &limits), "fuelbox:start", &[]).unwrap_err();
    assert!(error.to_string().contains("no exported function"), "{error}");
}

#[test]
fn start_runs_in_a_module_without_exports() {
    // Nothing can be called, but the module loads, and a trap of its start function cannot be seen.
    let program = program(&module(""), &Limits::default());
    assert!(program.info().exports.is_empty() && program.info().start.is_some());
}

#[test]
fn start_of_a_command_runs_before_it() {
    let source = r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "\10\00\00\00\02\00\00\00") (data (i32.const 16) "ab")
        (func $print (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32))))
        (func (export "_start") (i32.store8 (i32.const 17) (i32.const 10)) (call $print))
        (start $print))"#;
    let limits = Limits::default();
    let program = program(source, &limits);
    let report = command::run(job(&program, &limits), Invocation::default()).unwrap();
    assert_eq!(report.result.unwrap(), b"aba\n");
}

#[test]
fn a_trap_in_start_ends_the_run() {
    let source = r#"(module (func $s (unreachable)) (func (export "f")) (start $s))"#;
    let report = numbers(source, &Limits::default(), "f", &[]);
    assert!(trap(&report).contains("unreachable"), "{report:?}");
}

#[test]
fn an_exit_in_start_ends_the_run() {
    for code in [0, 3] {
        let source = format!(
            r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                 (func $s (call $exit (i32.const {code}))) (func (export "f")) (start $s))"#
        );
        assert_eq!(numbers(&source, &Limits::default(), "f", &[]).result, Err(Stop::Exit(code)));
    }
}

#[test]
fn an_imported_start_function_works() {
    let source = r#"(module (import "env" "abort" (func $a (param i32 i32 i32 i32)))
        (func $s (call $a (i32.const 0) (i32.const 0) (i32.const 3) (i32.const 4)))
        (func (export "f")) (start $s))"#;
    let report = numbers(source, &Limits::default(), "f", &[]);
    assert_eq!(trap(&report), "abort: ? at ?:3:4");
}

#[test]
fn initialize_of_a_reactor_runs_after_start_and_before_the_function() {
    let source = r#"(module (global $g (mut i32) (i32.const 2))
        (func $s (global.set $g (i32.mul (global.get $g) (i32.const 10))))
        (func (export "_initialize") (global.set $g (i32.add (global.get $g) (i32.const 1))))
        (func (export "f") (result i32) (global.get $g)) (start $s))"#;
    assert_eq!(numbers(source, &Limits::default(), "f", &[]).result, Ok(vec![21.into()]));
}

#[test]
fn an_initialize_of_another_type_is_a_function_like_others() {
    for signature in ["(param i32)", "(result i32) (i32.const 0)"] {
        let source = format!(r#"(module (func (export "_initialize") {signature}) (func (export "f")))"#);
        let report = numbers(&source, &Limits::default(), "f", &[]);
        assert_eq!(report.result, Ok(vec![]), "{signature}");
    }
}
