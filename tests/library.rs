//! The library alone, built with whatever features: modules from files are run under limits, and nothing else is needed.

use fuelbox::{Error, Invocation, Limits, LoadProblem, Runner, RunnerConfig, Stdin, Stop};
use std::path::PathBuf;
use std::time::Duration;

fn guest(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("guests/prebuilt").join(name)
}

fn runner(limits: Limits) -> Runner {
    Runner::new(RunnerConfig { limits, ..RunnerConfig::default() }).unwrap()
}

#[test]
fn every_convention_works() {
    let runner = runner(Limits::default());
    let sum = runner.run_function(guest("add.wasm"), "add", &[10.into(), 20.into()]).unwrap();
    assert_eq!(sum, [30.into()]);
    assert_eq!(runner.run_string(guest("greet.wasm"), "greet", b"World").unwrap(), b"Hello, World");
    let vowels = runner.run_string(guest("extism-c.wasm"), "count_vowels", b"Hello, World!").unwrap();
    assert_eq!(vowels, br#"{"count": 3, "total": 3, "vowels": "aeiouAEIOU"}"#);
    let stdin = Stdin::Bytes(b"one two\n".to_vec());
    let call = Invocation { args: vec![b"wc".to_vec()], stdin, ..Invocation::default() };
    let report = runner.report_command(guest("wordcount.wasm"), call).unwrap();
    assert_eq!(report.result.unwrap(), b"1 2 8\n");
}

#[test]
fn limits_hold() {
    let fuel = runner(Limits { fuel: 1_000, ..Limits::default() });
    let report = fuel.report_function(guest("infinite-loop.wasm"), "spin", &[]).unwrap();
    assert_eq!((report.result, report.usage.fuel), (Err(Stop::OutOfFuel { limit: 1_000 }), 1_000));
    let deadline = runner(Limits { deadline: Some(Duration::from_millis(20)), ..Limits::default() });
    let report = deadline.report_function(guest("infinite-loop.wasm"), "spin", &[]).unwrap();
    assert!(matches!(report.result, Err(Stop::Deadline { .. })), "{report:?}");
    let small = runner(Limits { module_bytes: 10, ..Limits::default() });
    let refused = small.run_function(guest("add.wasm"), "add", &[]).unwrap_err();
    assert!(matches!(refused, Error::Load { problem: LoadProblem::TooLarge { .. }, .. }), "{refused:?}");
}
