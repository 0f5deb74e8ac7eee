//! Runs that are cancelled from another thread.

use crate::support::{prebuilt, wat};
use fuelbox::{Call, Cancel, GuestEnv, Invocation, Limits, Report, Runner, RunnerConfig, Stdin, Stop};
use std::time::{Duration, Instant};

/// Without a deadline, so that nothing else ends a run.
fn runner() -> Runner {
    let limits = Limits { deadline: None, fuel: u64::MAX, ..Limits::default() };
    Runner::new(RunnerConfig { limits, ..RunnerConfig::default() }).unwrap()
}

/// What comes of a run that is cancelled while it goes on.
fn cancelled<T: Send>(run: impl FnOnce(&Runner, GuestEnv) -> Report<T>) -> Result<T, Stop> {
    let (runner, cancel) = (runner(), Cancel::default());
    let guest_env = GuestEnv { cancel: Some(cancel.clone()), ..GuestEnv::default() };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(30));
            cancel.cancel();
        });
        run(&runner, guest_env).result
    })
}

#[test]
fn a_guest_that_computes_is_cancelled() {
    let spin = prebuilt("infinite-loop.wasm");
    let result = cancelled(|runner, env| {
        runner.run(spin.as_path(), Call::values("spin", &[]).guest_env(env)).unwrap()
    });
    assert_eq!(result, Err(Stop::Cancelled));
}

#[test]
fn a_guest_that_waits_is_cancelled() {
    // It sleeps for an hour.
    let sleeps = wat(r#"(module
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "_start")
            (i64.store offset=24 (i32.const 0) (i64.const 3600000000000))
            (i32.store offset=16 (i32.const 0) (i32.const 1))
            (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))))"#);
    let result = cancelled(|runner, guest_env| {
        let program = runner.compile("sleeps", &sleeps).unwrap();
        runner.run(&program, Invocation { guest_env, ..Invocation::default() }).unwrap()
    });
    assert_eq!(result, Err(Stop::Cancelled));
}

#[test]
fn a_guest_that_sleeps_with_a_handle_sleeps_as_long_as_it_asked_to() {
    let sleeps = wat(r#"(module
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "_start")
            (i64.store offset=24 (i32.const 0) (i64.const 50000000))
            (i32.store offset=16 (i32.const 0) (i32.const 1))
            (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))))"#);
    let runner = runner();
    let program = runner.compile("sleeps", &sleeps).unwrap();
    let guest_env = GuestEnv { cancel: Some(Cancel::default()), ..GuestEnv::default() };
    let begin = Instant::now();
    let report = runner.run(&program, Invocation { guest_env, ..Invocation::default() }).unwrap();
    assert_eq!(report.result, Ok(Vec::new()));
    assert!(begin.elapsed() >= Duration::from_millis(50));
}

#[test]
fn what_is_cancelled_before_does_not_run() {
    let cancel = Cancel::default();
    cancel.cancel();
    assert!(cancel.clone().is_cancelled());
    let guest_env = || GuestEnv { cancel: Some(cancel.clone()), ..GuestEnv::default() };
    let (runner, add) = (runner(), prebuilt("add.wasm"));
    let values = [1.into(), 2.into()];
    let call = Call::values("add", &values).guest_env(guest_env());
    assert_eq!(runner.run(add.as_path(), call).unwrap().result, Err(Stop::Cancelled));
    let wordcount = prebuilt("wordcount.wasm");
    let stdin = Stdin::Bytes(b"a".to_vec());
    let invocation = Invocation { stdin, guest_env: guest_env(), ..Invocation::default() };
    assert_eq!(runner.run(wordcount.as_path(), invocation).unwrap().result, Err(Stop::Cancelled));
    // Others run.
    assert!(runner.run(add.as_path(), Call::values("add", &values)).unwrap().result.is_ok());
}

#[test]
#[cfg(target_os = "linux")]
fn a_guest_in_a_process_is_cancelled() {
    let limits = Limits { deadline: Some(Duration::from_secs(60)), ..Limits::default() };
    let isolation = crate::support::runner_config().isolation;
    let runner = Runner::new(RunnerConfig { limits, isolation, ..RunnerConfig::default() }).unwrap();
    runner.load_built_in().unwrap();
    let cancel = Cancel::default();
    let guest_env = || GuestEnv { cancel: Some(cancel.clone()), ..GuestEnv::default() };
    let begin = Instant::now();
    let report = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            cancel.cancel();
        });
        runner.run("infinite-loop", Call::values("spin", &[]).guest_env(guest_env())).unwrap()
    });
    assert_eq!(report.result, Err(Stop::Cancelled));
    // What else ends it is its deadline.
    assert!(begin.elapsed() < Duration::from_secs(50));
    // Others run in another process.
    let report = runner.run("greet", Call::bytes("greet", "World")).unwrap();
    assert_eq!(report.result.unwrap(), b"Hello, World");
}
