//! The library alone, built with whatever features: modules from files are run under limits, and nothing else is needed.

use fuelbox::{Call, Error, Invocation, Limits, LoadProblem, Runner, RunnerConfig, Stdin, Stop};
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
    let sum = runner.run(&guest("add.wasm"), Call::values("add", &[10.into(), 20.into()])).unwrap();
    assert_eq!(sum.result, Ok(vec![30.into()]));
    let bytes = |name: &str, func: &str, input: &str| {
        runner.run(&guest(name), Call::bytes(func, input)).unwrap().result.unwrap()
    };
    assert_eq!(bytes("greet.wasm", "greet", "World"), b"Hello, World");
    assert_eq!(bytes("add.wasm", "add", "10 20"), b"30\n");
    let vowels = bytes("extism-c.wasm", "count_vowels", "Hello, World!");
    assert_eq!(vowels, br#"{"count": 3, "total": 3, "vowels": "aeiouAEIOU"}"#);
    assert_eq!(bytes("wordcount.wasm", "_start", "one two\n"), b"1 2 8\n");
    let stdin = Stdin::Bytes(b"one two\n".to_vec());
    let invocation = Invocation { args: vec![b"wc".to_vec()], stdin, ..Invocation::default() };
    assert_eq!(runner.run(&guest("wordcount.wasm"), invocation).unwrap().result.unwrap(), b"1 2 8\n");
}

#[test]
fn what_is_compiled_once_is_run_often_and_from_many_threads() {
    let runner = runner(Limits::default());
    let wasm = std::fs::read(guest("fibonacci.wasm")).unwrap();
    let program = runner.compile("fibonacci", &wasm).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let report = runner.run(&program, Call::values("fibonacci", &[20.into()])).unwrap();
                assert_eq!(report.result, Ok(vec![6765_i64.into()]));
            });
        }
    });
    let refused = runner.compile("rubbish", b"rubbish").unwrap_err();
    assert!(refused.to_string().starts_with("rubbish: "), "{refused}");
}

#[test]
fn limits_hold() {
    let spin = || Call::values("spin", &[]);
    let fuel = runner(Limits { fuel: 1_000, ..Limits::default() });
    let report = fuel.run(&guest("infinite-loop.wasm"), spin()).unwrap();
    assert_eq!((report.result, report.usage.fuel), (Err(Stop::OutOfFuel { limit: 1_000 }), 1_000));
    let deadline = runner(Limits { deadline: Some(Duration::from_millis(20)), ..Limits::default() });
    let report = deadline.run(&guest("infinite-loop.wasm"), spin()).unwrap();
    assert!(matches!(report.result, Err(Stop::Deadline { .. })), "{report:?}");
    let small = runner(Limits { module_bytes: 10, ..Limits::default() });
    let refused = small.run(&guest("add.wasm"), Call::values("add", &[])).unwrap_err();
    assert!(matches!(refused, Error::Load { problem: LoadProblem::TooLarge { .. }, .. }), "{refused:?}");
}
