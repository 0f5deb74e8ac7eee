//! Attacks without a loop: code that never comes to where a slice of fuel ends, and a few bytes that would
//! become much in the host.

use crate::guest::refusal;
use crate::support::{Client, Server, deadline_ms, job, prebuilt, program, wat};
use fuelbox::abi::numeric;
use fuelbox::{Limits, LoadProblem, Program, Stop};
use std::time::{Duration, Instant};

fn refused(source: &str, says: &str) {
    match refusal(&wat(source), &Limits::default()) {
        LoadProblem::Invalid(what) => assert!(what.contains(says), "{what}"),
        other => panic!("{other:?}"),
    }
}

fn loads(source: &str) {
    Program::compile("test", &wat(source), &Limits::default()).unwrap();
}

#[test]
fn growth_instructions_are_counted_in_each_function() {
    for (count, fits) in [(63, true), (64, true), (65, false)] {
        for (declared, grow) in [
            ("(memory 1 1)", "(drop (memory.grow (i32.const -1)))"),
            ("(table $t 1 funcref)", "(drop (table.grow $t (ref.null func) (i32.const 60000)))"),
        ] {
            let source = format!(r#"(module {declared} (func (export "f") {}))"#, grow.repeat(count));
            if !fits {
                refused(&source, "more than the 64 memory.grow and table.grow");
                continue;
            }
            // As many as fit end in order even on a small stack.
            let ended = std::thread::Builder::new().stack_size(256 * 1024).spawn(move || {
                let limits = Limits::default();
                numeric::run(job(&program(&source, &limits), &limits), "f", &[]).unwrap().result
            });
            assert_eq!(ended.unwrap().join().unwrap(), Ok(vec![]));
        }
    }
}

#[test]
fn locals_nesting_and_branches_have_caps() {
    let locals = |n: usize| format!("(module (func (local {})))", "i64 ".repeat(n));
    loads(&locals(4096));
    refused(&locals(4097), "4096 local variables");
    let nested = |n: usize| format!("(module (func {} nop {}))", "block ".repeat(n), "end ".repeat(n));
    loads(&nested(4000));
    refused(&nested(4097), "4096 nested blocks");
    if cfg!(feature = "simd") {
        // What follows a SIMD instruction is looked at like the rest.
        refused(&nested(4097).replacen("block", "v128.const i64x2 0 0 drop block", 1), "nested blocks");
    }
    let types = format!("(type $t (func (result {})))", "i32 ".repeat(32));
    let branches = |n: usize| {
        let values = "local.get 0 ".repeat(32);
        let branch = "local.get 0 br_if 0 ".repeat(n);
        let drops = "drop ".repeat(32);
        format!("(module {types} (func (param i32) (block (type $t) {values} {branch}) {drops}))")
    };
    loads(&branches(10));
    refused(&branches(1000), "values copied by branches");
}

#[test]
fn names_and_texts_have_caps() {
    let export = |n: usize| format!(r#"(module (func (export "{}")))"#, "a".repeat(n));
    loads(&export(1024));
    refused(&export(1025), "names of imports and exports");
    let text = format!("(module){}", " ".repeat(1024 * 1024));
    let problem = refusal(text.as_bytes(), &Limits::default());
    assert!(matches!(&problem, LoadProblem::NotWasm(what) if what.contains("1048576")), "{problem:?}");
}

/// A guest that asks for 1 MiB of random bytes `n` times in a row, and then exits with 0 if `exits`.
fn random(n: usize, exits: bool) -> String {
    let call = "(drop (call $r (i32.const 0) (i32.const 1048576)))".repeat(n);
    let exit = if exits { "(call $exit (i32.const 0))" } else { "" };
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "random_get" (func $r (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 17)
            (func (export "_start") {call} {exit})
            (func (export "f") {call} {exit}))"#
    )
}

#[test]
fn host_calls_in_a_row_meet_fuel_and_deadline() {
    for exits in [false, true] {
        let source = random(3000, exits);
        let begin = Instant::now();
        let limits = deadline_ms(50);
        let report = numeric::run(job(&program(&source, &limits), &limits), "f", &[]).unwrap();
        assert!(matches!(report.result, Err(Stop::Deadline { .. })), "{:?}", report.result);
        println!("overran by {:?}", report.usage.run.saturating_sub(Duration::from_millis(50)));
        // All of them take many seconds.
        assert!(begin.elapsed() < Duration::from_secs(10));
        let limits = Limits { fuel: 1_000_000, ..Limits::default() };
        let report = numeric::run(job(&program(&source, &limits), &limits), "f", &[]).unwrap();
        assert_eq!(
            (report.result, report.usage.fuel),
            (Err(Stop::OutOfFuel { limit: 1_000_000 }), 1_000_000)
        );
    }
}

#[test]
fn a_paused_host_call_goes_on_with_its_answer() {
    // A call for 1 MiB costs more than a slice, so it is paused: called directly, through another function,
    // through a table, and with values waiting on the stack. What follows must see what it always sees.
    let source = r#"(module
        (import "wasi_snapshot_preview1" "random_get" (func $r (param i32 i32) (result i32)))
        (memory (export "memory") 17)
        (table funcref (elem $r))
        (func $plain (param $len i32) (result i32) (call $r (i32.const 0) (local.get $len)))
        (func $deep (param $len i32) (param $n i32) (result i32)
            (if (result i32) (local.get $n)
                (then (i32.add (local.get $n) (call $deep (local.get $len) (i32.sub (local.get $n) (i32.const 1)))))
                (else (call $plain (local.get $len)))))
        (func $table (param $len i32) (result i32)
            (call_indirect (param i32 i32) (result i32) (i32.const 0) (local.get $len) (i32.const 0)))
        (func (export "f") (param $ok i32) (param $wrong i32) (result i32 i32 i32 i32 i32 i32 i32 i64)
            (call $plain (local.get $ok)) (call $plain (local.get $wrong))
            (call $table (local.get $ok)) (call $table (local.get $wrong))
            (call $deep (local.get $ok) (i32.const 4)) (call $deep (local.get $wrong) (i32.const 4))
            (call $r (i32.const 0) (local.get $ok))
            (i64.add (i64.extend_i32_u (local.get $wrong)) (i64.const 1))))"#;
    let limits = Limits::default();
    let program = program(source, &limits);
    let run =
        || numeric::run(job(&program, &limits), "f", &[(1i32 << 20).into(), (1i32 << 30).into()]).unwrap();
    let report = run();
    // EFAULT is 21, for a request beyond memory; 4 + 3 + 2 + 1 are added on the way.
    let expected = [0, 21, 0, 21, 10, 31, 0].map(fuelbox::Value::from).into_iter();
    assert_eq!(report.result, Ok(expected.chain([((1i64 << 30) + 1).into()]).collect()));
    assert_eq!(run().usage.fuel, report.usage.fuel);
}

#[test]
fn a_paused_host_call_does_not_hold_up_the_door() {
    let dir = crate::support::TempDir::new();
    dir.write("random.wasm", wat(&random(3000, false)));
    let runner =
        fuelbox::Runner::new(fuelbox::RunnerConfig { limits: deadline_ms(1500), ..Default::default() })
            .unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let server = Server::for_one_client(runner);
    let address = server.address;
    let send = move |method: &str, target: &str| Client::connect(address).send(method, target, b"").status;
    std::thread::scope(|scope| {
        let busy: Vec<_> = (0..4).map(|_| scope.spawn(move || send("POST", "/execute/random"))).collect();
        std::thread::sleep(Duration::from_millis(300));
        let begin = Instant::now();
        assert_eq!(send("GET", "/healthz"), 200);
        println!("healthz took {:?}", begin.elapsed());
        assert!(busy.iter().all(|guest| !guest.is_finished()), "it was answered while all guests ran");
        assert!(busy.into_iter().all(|guest| guest.join().unwrap() == 504));
    });
}

#[test]
fn a_long_instantiation_is_no_success() {
    // The deadline is over before the instance stands, whatever the function would do.
    let limits = Limits { deadline: Some(Duration::from_nanos(1)), ..Limits::default() };
    let wasm = std::fs::read(prebuilt("add.wasm")).unwrap();
    let program = Program::compile("add", &wasm, &limits).unwrap();
    let report = numeric::run(job(&program, &limits), "add", &[1.into(), 2.into()]).unwrap();
    assert!(matches!(report.result, Err(Stop::Deadline { .. })));
}
