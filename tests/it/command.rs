//! The command convention: arguments, environment and standard input in, output and exit code out.

use crate::guest::start;
use crate::support::{deadline_ms, job, prebuilt, program};
use fuelbox::abi::{Job, call_bytes, command};
use fuelbox::host::streams::{SharedWriter, SinkTo};
use fuelbox::{Error, GuestEnv, Invocation, Limits, Program, Report, Stdin, Stop};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

fn run(name: &str, invocation: Invocation) -> Report<Vec<u8>> {
    let limits = Limits::default();
    let program = Program::compile(name, &std::fs::read(prebuilt(name)).unwrap(), &limits).unwrap();
    command::run(job(&program, &limits), invocation).unwrap()
}

fn args(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

fn with_stdin(bytes: &[u8]) -> Invocation {
    Invocation { args: args(&["wc"]), stdin: Stdin::Bytes(bytes.to_vec()), ..Invocation::default() }
}

#[test]
fn wordcount_counts_its_input() {
    for (input, expected) in [
        (&b""[..], "0 0 0\n"),
        (b"one two\nthree", "1 3 13\n"),
        (b"\0\xff \n\n", "2 1 5\n"),
        (&b"word ".repeat(100_000)[..], "0 100000 500000\n"),
    ] {
        assert_eq!(run("wordcount.wasm", with_stdin(input)).result.unwrap(), expected.as_bytes());
    }
}

#[test]
fn wordcount_takes_arguments_and_exits_2_on_a_wrong_one() {
    let call = |flag| Invocation { args: args(&["wc", flag]), ..with_stdin(b"a b\n") };
    assert_eq!(run("wordcount.wasm", call("-w")).result.unwrap(), b"2\n");
    assert_eq!(run("wordcount.wasm", call("-x")).result, Err(Stop::Exit(2)));
}

#[test]
fn hello_c_greets_arguments_with_the_greeting_of_its_environment() {
    let call = |words: &[&str], env: &[(&str, &str)]| {
        let env = env.iter().map(|(k, v)| (k.as_bytes().to_vec(), v.as_bytes().to_vec())).collect();
        let guest_env = GuestEnv { env, ..GuestEnv::default() };
        let invocation = Invocation { args: args(words), guest_env, ..Invocation::default() };
        String::from_utf8(run("hello-c.wasm", invocation).result.unwrap()).unwrap()
    };
    assert_eq!(call(&["hello"], &[]), "Hello, World\n");
    assert_eq!(call(&[], &[]), "Hello, World\n", "not even a name");
    assert_eq!(call(&["hello", "Ada", "Grace"], &[]), "Hello, Ada\nHello, Grace\n");
    assert_eq!(call(&["hello", "", "\u{e9}"], &[]), "Hello, \nHello, \u{e9}\n");
    let env = [("OTHER", "x"), ("GREETING", "a=b"), ("GREETING2", "y")];
    assert_eq!(call(&["hello", "Ada"], &env), "a=b, Ada\n");
    assert_eq!(call(&["hello", "Ada"], &[("GREETING", "")]), ", Ada\n");
}

#[test]
fn a_pipe_of_chunks_is_read_to_its_end() {
    let (send, receive) = channel();
    for chunk in [&b"one t"[..], b"wo", b"\nthree"] {
        send.send(chunk.to_vec()).unwrap();
    }
    drop(send);
    let invocation = Invocation { args: args(&["wc"]), stdin: Stdin::Pipe(receive), ..Invocation::default() };
    assert_eq!(run("wordcount.wasm", invocation).result.unwrap(), b"1 3 13\n");
}

fn exiting(code: &str) -> String {
    format!(
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
             (func (export "_start") (call $exit (i32.const {code})) (unreachable)))"#
    )
}

#[test]
fn exit_codes_are_told_and_0_is_success() {
    let exit = |code: &str| start(&exiting(code), &Limits::default(), Invocation::default()).result;
    assert_eq!(exit("0"), Ok(vec![]));
    for (code, told) in [("1", 1), ("255", 255), ("256", 256), ("-1", u32::MAX)] {
        assert_eq!(exit(code), Err(Stop::Exit(told)));
    }
}

/// Writes `count` times the byte `.` to `fd`, one a call, and exits with the errno of the last if it is not 0.
fn writing(fd: u32, count: usize) -> String {
    format!(
        r#"(module
             (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
             (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
             (memory (export "memory") 1)
             (data (i32.const 0) "\08\00\00\00\01\00\00\00.")
             (func (export "_start") (local $n i32) (local $errno i32)
               (local.set $n (i32.const {count}))
               (block $done (loop $l
                 (br_if $done (i32.eqz (local.get $n)))
                 (local.set $errno (call $write (i32.const {fd}) (i32.const 0) (i32.const 1) (i32.const 16)))
                 (if (local.get $errno) (then (call $exit (local.get $errno))))
                 (local.set $n (i32.sub (local.get $n) (i32.const 1)))
                 (br $l)))))"#
    )
}

#[test]
fn outputs_may_reach_their_cap_and_not_pass_it() {
    let limits = Limits { output_bytes: 100, ..Limits::default() };
    for (fd, stream) in [(1, "stdout"), (2, "stderr")] {
        for count in [0, 99, 100] {
            let result = start(&writing(fd, count), &limits, Invocation::default()).result;
            assert_eq!(result, Ok(if fd == 1 { vec![b'.'; count] } else { vec![] }), "{stream} {count}");
        }
        let result = start(&writing(fd, 101), &limits, Invocation::default()).result;
        assert_eq!(result, Err(Stop::OutputFull { stream, limit: 100 }));
    }
}

#[test]
fn what_fits_is_written_before_the_guest_is_stopped() {
    let limits = Limits { output_bytes: 100, ..Limits::default() };
    let program = program(&writing(1, 101), &limits);
    let kept = Arc::new(Mutex::new(Vec::new()));
    let stdout = SinkTo::Writer(Arc::clone(&kept) as SharedWriter);
    let job = Job { stdout, ..job(&program, &limits) };
    let report = command::run(job, Invocation::default()).unwrap();
    assert_eq!(report.result, Err(Stop::OutputFull { stream: "stdout", limit: 100 }));
    assert_eq!(*kept.lock().unwrap(), vec![b'.'; 100]);
}

#[test]
fn printing_without_end_is_stopped() {
    let result = start(&writing(1, usize::MAX >> 33), &deadline_ms(60_000), Invocation::default()).result;
    assert_eq!(result, Err(Stop::OutputFull { stream: "stdout", limit: 1024 * 1024 }));
}

#[test]
fn a_writer_that_fails_is_an_error_for_the_guest() {
    struct Broken;
    impl std::io::Write for Broken {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
    }
    let limits = Limits::default();
    let program = program(&writing(1, 1), &limits);
    let stdout = SinkTo::Writer(Arc::new(Mutex::new(Broken)) as SharedWriter);
    let job = Job { stdout, ..job(&program, &limits) };
    let report = command::run(job, Invocation::default()).unwrap();
    assert_eq!(report.result, Err(Stop::Exit(64)), "EPIPE");
}

#[track_caller]
fn refused(invocation: Invocation, expected: &str) {
    let limits = Limits::default();
    let program = program(r#"(module (func (export "_start")))"#, &limits);
    let error = command::run(job(&program, &limits), invocation).unwrap_err();
    assert!(matches!(error, Error::Input(_)), "{error:?}");
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn texts_that_no_c_string_can_hold_are_refused() {
    let with_arg = |arg: &str| Invocation { args: args(&["x", arg]), ..Invocation::default() };
    refused(with_arg("a\0b"), "an argument holds a NUL byte");
    let with_env = |key: &str, value: &str| {
        let guest_env = GuestEnv { env: vec![(key.into(), value.into())], ..GuestEnv::default() };
        Invocation { guest_env, ..Invocation::default() }
    };
    for key in ["", "a=b", "=", "a\0"] {
        refused(with_env(key, "v"), "no name for an environment variable");
    }
    refused(with_env("KEY", "a\0b"), "environment variable `KEY` holds a NUL byte");
}

#[test]
fn standard_input_may_reach_the_cap_and_not_pass_it() {
    let limits = Limits { input_bytes: 10, ..Limits::default() };
    let program = program(r#"(module (func (export "_start")))"#, &limits);
    for size in [9, 10] {
        assert!(command::run(job(&program, &limits), with_stdin(&vec![0; size])).is_ok());
    }
    let error = command::run(job(&program, &limits), with_stdin(&[0; 11])).unwrap_err();
    assert!(matches!(error, Error::InputTooLarge { size: 11, limit: 10 }), "{error:?}");
}

#[test]
fn a_module_without_start_is_no_command() {
    let limits = Limits::default();
    for source in [
        r#"(module (func (export "main")))"#,
        r#"(module (func (export "_start") (param i32)))"#,
        r#"(module (func (export "_start") (result i32) (i32.const 0)))"#,
    ] {
        let program = program(source, &limits);
        let error = command::run(job(&program, &limits), Invocation::default()).unwrap_err();
        assert!(matches!(error, Error::NoFunction { command: false, .. }), "{error:?}");
    }
}

#[test]
fn a_commands_initialize_is_not_called() {
    // `_initialize` belongs to reactors; a command that has one too must not run it (WASI application ABI).
    let source = r#"(module (func (export "_initialize") (unreachable)) (func (export "_start")))"#;
    assert_eq!(start(source, &Limits::default(), Invocation::default()).result, Ok(vec![]));
}

#[test]
fn call_bytes_gives_a_command_its_input_on_stdin() {
    let limits = Limits::default();
    let wasm = std::fs::read(prebuilt("wordcount.wasm")).unwrap();
    let program = Program::compile("wordcount", &wasm, &limits).unwrap();
    let report = call_bytes(job(&program, &limits), "_start", b"a b c", None).unwrap();
    assert_eq!(report.result.unwrap(), b"0 3 5\n");
}
