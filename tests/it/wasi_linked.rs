//! WASI from inside a guest: all 46 functions link, what is missing says so, and faults end the run.

use crate::guest::{LONG, numbers, refusal, start, trap};
use crate::support::{deadline_ms, wat};
use fuelbox::host::wasi::TABLE;
use fuelbox::module::reader::Ty;
use fuelbox::{Invocation, Limits, LoadProblem, Stdin, Stop};
use std::collections::HashSet;
use std::sync::mpsc::channel;

/// A guest that imports the whole interface, with a function for each that calls it with zeros.
fn whole_interface() -> String {
    let (mut imports, mut calls) = (String::new(), String::new());
    for row in &TABLE {
        let signature = row.signature();
        let types = |list: &[Ty]| list.iter().map(|ty| ty.name()).collect::<Vec<_>>().join(" ");
        let (name, params, results) = (row.name, types(&signature.params), types(&signature.results));
        imports += &format!(
            r#"(import "wasi_snapshot_preview1" "{name}" (func ${name} (param {params}) (result {results})))"#
        );
        let zeros: String = signature.params.iter().map(|ty| format!("({}.const 0)", ty.name())).collect();
        calls += &format!(r#"(func (export "{name}") (result {results}) (call ${name} {zeros}))"#);
    }
    format!(r#"(module {imports} (memory (export "memory") 1) {calls})"#)
}

#[test]
fn the_whole_interface_links_and_only_signals_are_missing() {
    const ENOSYS: i32 = 52;
    let source = whole_interface();
    for row in &TABLE {
        let report = numbers(&source, &Limits::default(), row.name, &[]);
        if row.name == "proc_exit" {
            assert!(matches!(report.result, Err(Stop::Convention(_))), "{report:?}");
            continue;
        }
        let values = report.result.unwrap_or_else(|stop| panic!("{}: {stop}", row.name));
        assert_eq!(values == [ENOSYS.into()], row.name == "proc_raise", "{}: {values:?}", row.name);
        assert!(report.usage.fuel >= 200, "{} is charged", row.name);
    }
}

#[test]
fn the_table_is_that_of_preview1() {
    let names: HashSet<_> = TABLE.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), 46);
    let widths = |name: &str| fuelbox::host::wasi::find(name).unwrap().signature().to_string();
    // From the interface's own description (wasi_snapshot_preview1.witx).
    assert_eq!(widths("path_open"), "(i32, i32, i32, i32, i32, i64, i64, i32, i32) -> i32");
    assert_eq!(widths("path_filestat_set_times"), "(i32, i32, i32, i32, i64, i64, i32) -> i32");
    assert_eq!(widths("fd_filestat_set_times"), "(i32, i64, i64, i32) -> i32");
    assert_eq!(widths("fd_seek"), "(i32, i64, i32, i32) -> i32");
    assert_eq!(widths("fd_readdir"), "(i32, i32, i32, i64, i32) -> i32");
    assert_eq!(widths("path_rename"), "(i32, i32, i32, i32, i32, i32) -> i32");
    assert_eq!(widths("path_link"), "(i32, i32, i32, i32, i32, i32, i32) -> i32");
    assert_eq!(widths("sock_recv"), "(i32, i32, i32, i32, i32, i32) -> i32");
    assert_eq!(widths("proc_exit"), "(i32)");
    assert_eq!(widths("sched_yield"), "() -> i32");
    assert!(fuelbox::host::wasi::find("fd_fly").is_none());
}

#[test]
fn only_the_right_type_links() {
    for row in &TABLE {
        let source = format!(
            r#"(module (import "wasi_snapshot_preview1" "{}" (func (param f32) (result f32))))"#,
            row.name
        );
        assert!(
            matches!(refusal(&wat(&source), &Limits::default()), LoadProblem::Import { .. }),
            "{}",
            row.name
        );
    }
}

/// Reads standard input once and exits with the number of bytes.
const READER: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1) (data (i32.const 0) "\40\00\00\00\40\00\00\00")
    (func (export "_start")
      (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)) (then (unreachable)))
      (call $exit (i32.load (i32.const 16)))))"#;

#[test]
fn a_guest_that_waits_for_input_is_stopped_at_its_deadline() {
    let (send, receive) = channel();
    let invocation = Invocation { stdin: Stdin::Pipe(receive), ..Invocation::default() };
    let report = start(READER, &deadline_ms(50), invocation);
    assert!(matches!(report.result, Err(Stop::Deadline { why: None, .. })), "{report:?}");
    println!("deadline 50 ms, ended after {:?}", report.usage.run);
    assert!(report.usage.run < LONG);
    drop(send);
}

#[test]
fn a_guest_that_waits_for_input_goes_on_when_it_comes() {
    let (send, receive) = channel();
    let sender = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(20));
        send.send(b"seven b".to_vec()).unwrap();
    });
    let invocation = Invocation { stdin: Stdin::Pipe(receive), ..Invocation::default() };
    assert_eq!(start(READER, &deadline_ms(10_000), invocation).result, Err(Stop::Exit(7)));
    sender.join().unwrap();
}

/// Calls AssemblyScript's `abort`; the strings are UTF-16 with their length before them.
fn aborting(message: u32, file: u32) -> String {
    format!(
        r#"(module (import "env" "abort" (func $abort (param i32 i32 i32 i32)))
             (memory (export "memory") 1)
             (data (i32.const 16) "\06\00\00\00o\00h\00!\00")
             (data (i32.const 32) "\08\00\00\00a\00.\00t\00s\00")
             (data (i32.const 48) "\04\00\00\00\00\d8a\00")
             (data (i32.const 64) "\ff\ff\ff\ff")
             (func (export "f")
               (call $abort (i32.const {message}) (i32.const {file}) (i32.const 7) (i32.const 12))))"#
    )
}

#[test]
fn an_abort_of_assemblyscript_tells_message_and_place() {
    let abort = |message, file| {
        let report = numbers(&aborting(message, file), &Limits::default(), "f", &[]);
        trap(&report).to_string()
    };
    assert_eq!(abort(20, 36), "abort: oh! at a.ts:7:12");
    assert_eq!(abort(0, 0), "abort: ? at ?:7:12");
    assert_eq!(abort(52, 36), "abort: \u{fffd}a at a.ts:7:12", "half a surrogate pair");
    assert_eq!(abort(u32::MAX, 65_537), "abort: ? at ?:7:12");
    // A length of 4 GiB is cut to what a message may have.
    assert!(abort(68, 36).len() < 4096);
    assert_eq!(abort(65_537, 3), "abort: ? at ?:7:12");
}
