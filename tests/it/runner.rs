//! The library's façade: gowasmrunner's calls and examples, in parallel, each call in a fresh instance.

use crate::plain::PlainResults;
use crate::support::{TempDir, prebuilt, reload, wat};
use fuelbox::{Call, Convention, Error, Invocation, Limits, Runner, RunnerConfig, Stdin, Stop, Value};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

fn runner() -> Runner {
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    runner.load_built_in().unwrap();
    runner
}

#[test]
fn the_examples_of_gowasmrunner_give_the_same() {
    let runner = runner();
    let add = [10.into(), 20.into()];
    assert_eq!(runner.values(&prebuilt("add.wasm"), "add", &add).unwrap(), [30.into()]);
    assert_eq!(runner.bytes(&prebuilt("greet.wasm"), "greet", "World").unwrap(), b"Hello, World");
    let fibonacci = runner.values(&prebuilt("fibonacci.wasm"), "fibonacci", &[20.into()]);
    assert_eq!(fibonacci.unwrap(), [6765_i64.into()]);
    assert_eq!(runner.values("add", "add", &add).unwrap(), [30.into()]);
    assert_eq!(runner.bytes("greet", "greet", "World").unwrap(), b"Hello, World");
    let fibonacci = runner.values("fibonacci.wasm", "fibonacci", &[20.into()]);
    assert_eq!(fibonacci.unwrap(), [6765_i64.into()]);
    assert_eq!(runner.bytes(&prebuilt("greet.wasm"), "greet", b"\0").unwrap(), b"Hello, \0");
}

#[test]
fn a_folder_of_plugins_is_loaded_and_reloaded() {
    let dir = TempDir::new();
    dir.write("sum.wasm", std::fs::read(prebuilt("add.wasm")).unwrap());
    dir.write("bad.wasm", "rubbish");
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    assert!(reload(&runner).is_empty(), "without a folder there is nothing to reload");
    let changes = runner.load_plugins(&dir.0).unwrap();
    assert_eq!(changes.loaded, ["sum"]);
    assert_eq!(changes.failed.len(), 1);
    assert_eq!(runner.values("sum", "add", &[1.into(), 2.into()]).unwrap(), [3.into()]);
    dir.write("more.wasm", std::fs::read(prebuilt("add.wasm")).unwrap());
    assert_eq!(reload(&runner).loaded, ["more"]);
    assert!(matches!(runner.load_plugins(dir.0.join("none")), Err(Error::Io { .. })));
}

#[test]
fn what_is_missing_is_told_with_what_there_is() {
    let runner = runner();
    let error = runner.values("nothing", "f", &[]).unwrap_err();
    assert!(error.to_string().contains("no plug-in `nothing`; there is: add, fibonacci"), "{error}");
    let error = runner.values("add", "nothing", &[]).unwrap_err();
    assert_eq!(error.to_string(), "no exported function `nothing`; there is: add");
    let packed = Call::bytes("add", "x").convention(Convention::Packed);
    let error = runner.run("add", packed).unwrap_err();
    assert!(error.to_string().contains("packed convention"), "{error}");
    let error = runner.values(Path::new("no/such.wasm"), "f", &[]).unwrap_err();
    assert!(error.to_string().starts_with("no/such.wasm: "), "{error}");
}

#[test]
fn a_stopped_guest_is_an_error_or_in_the_report() {
    let limits = Limits { fuel: 1000, ..Limits::default() };
    let runner = Runner::new(RunnerConfig { limits, ..crate::support::runner_config() }).unwrap();
    runner.load_built_in().unwrap();
    let error = runner.values("infinite-loop", "spin", &[]).unwrap_err();
    assert!(matches!(error, Error::Guest(Stop::OutOfFuel { limit: 1000 })), "{error:?}");
    let report = runner.run("infinite-loop", Call::values("spin", &[])).unwrap();
    assert_eq!(report.result, Err(Stop::OutOfFuel { limit: 1000 }));
    assert_eq!(report.usage.fuel, 1000);
}

#[test]
fn reports_tell_what_a_run_used() {
    let runner = runner();
    let report = runner.run("greet", Call::bytes("greet", "World")).unwrap();
    assert_eq!(report.result.unwrap(), b"Hello, World");
    assert!(report.usage.fuel > 0 && report.usage.peak_pages == 1, "{:?}", report.usage);
    let same = runner.run(&prebuilt("greet.wasm"), Call::bytes("greet", "World")).unwrap();
    assert_eq!(same.usage.fuel, report.usage.fuel);
}

#[test]
fn a_command_gets_its_input_and_its_output_is_the_result() {
    let runner = runner();
    let call = || Invocation { stdin: Stdin::Bytes(b"a b\nc\n".to_vec()), ..Invocation::default() };
    let report = runner.run(&prebuilt("wordcount.wasm"), call()).unwrap();
    assert_eq!(report.result.unwrap(), b"2 3 6\n");
    let report = runner.run("wordcount", Call::bytes("_start", b"a b\nc\n")).unwrap();
    assert_eq!(report.result.unwrap(), b"2 3 6\n");
}

/// A writer whose bytes are looked at from outside.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_guests_print_goes_to_the_writer() {
    let source = r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "\08\00\00\00\06\00\00\00print\n")
        (func (export "f") (param $fd i32) (result i32)
          (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 32))))"#;
    let dir = TempDir::new();
    let file = dir.write("print.wasm", wat(source));
    let kept = Shared::default();
    let stdout: Option<Box<dyn Write + Send>> = Some(Box::new(kept.clone()));
    let runner = Runner::new(RunnerConfig { stdout, ..crate::support::runner_config() }).unwrap();
    for fd in [1, 2, 1] {
        assert_eq!(runner.values(&file, "f", &[fd.into()]).unwrap(), [0.into()]);
    }
    assert_eq!(*kept.0.lock().unwrap(), b"print\nprint\n", "standard error goes to the log");
    // The output of a command is its result instead.
    let report = runner.run(&prebuilt("hello-c.wasm"), Invocation::default()).unwrap();
    assert_eq!(report.result.unwrap(), b"Hello, World\n");
    assert_eq!(kept.0.lock().unwrap().len(), 12);
}

/// Counts its calls in a global, in memory and in a table.
const COUNTER: &str = r#"(module
    (memory (export "memory") 1) (global $g (mut i32) (i32.const 0)) (table $t 2 funcref) (elem declare func $f)
    (func $f (export "f") (result i32 i32 i32 i32)
      (global.set $g (i32.add (global.get $g) (i32.const 1)))
      (i32.store (i32.const 500) (i32.add (i32.load (i32.const 500)) (i32.const 1)))
      (global.get $g) (i32.load (i32.const 500)) (ref.is_null (table.get $t (i32.const 1)))
      (memory.grow (i32.const 1))
      (table.set $t (i32.const 1) (ref.func $f))))"#;

#[test]
fn nothing_of_one_call_is_visible_to_the_next_or_to_one_beside() {
    let dir = TempDir::new();
    dir.write("counter.wasm", wat(COUNTER));
    let runner = runner();
    runner.load_plugins(&dir.0).unwrap();
    let first = [1, 1, 1, 1].map(Value::I32);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(runner.values("counter", "f", &[]).unwrap(), first);
                }
            });
        }
    });
}

#[test]
fn calls_from_eight_threads_get_their_own_answers() {
    let runner = runner();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let runner = &runner;
            scope.spawn(move || {
                for i in 0..50 {
                    let input = format!("{thread}-{i}");
                    let output = runner.bytes("greet-rust", "greet", &input).unwrap();
                    assert_eq!(output, format!("Hello, {input}").into_bytes());
                    let sum = runner.values("add", "add", &[thread.into(), i.into()]).unwrap();
                    assert_eq!(sum, [(thread + i).into()]);
                }
            });
        }
    });
}

#[test]
fn limits_that_nothing_could_run_under_are_refused() {
    let zero = std::time::Duration::ZERO;
    for (limits, flag) in [
        (Limits { fuel: 0, ..Limits::default() }, "--fuel"),
        (Limits { deadline: Some(zero), ..Limits::default() }, "--timeout"),
        (Limits { memory_pages: 65_537, ..Limits::default() }, "--memory-pages"),
        (Limits { recursion: 0, ..Limits::default() }, "--max-recursion"),
        (Limits { stack_bytes: 0, ..Limits::default() }, "--max-stack"),
    ] {
        let error = Runner::new(RunnerConfig { limits, ..crate::support::runner_config() }).unwrap_err();
        assert!(matches!(error, Error::Limits(_)), "{error:?}");
        assert!(error.to_string().contains(flag), "{error}");
    }
}

const _: () = {
    const fn shared_between_threads<T: Send + Sync + 'static>() {}
    shared_between_threads::<Runner>();
    shared_between_threads::<fuelbox::Program>();
    shared_between_threads::<Error>();
    shared_between_threads::<fuelbox::plugins::registry::Plugin>();
};
