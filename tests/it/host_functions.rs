//! Functions of an embedding program: what guests can do with them, and what they cannot.

use crate::support::wat;
use fuelbox::{
    Call, Error, Guest, GuestEnv, HostFunctions, Limits, LoadProblem, Report, Runner, RunnerConfig, Stop,
    Trap, Value,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

fn runner_under(limits: Limits, add: impl FnOnce(&mut HostFunctions)) -> Runner {
    let mut host_functions = HostFunctions::default();
    add(&mut host_functions);
    Runner::new(RunnerConfig { limits, host_functions, ..RunnerConfig::default() }).unwrap()
}

fn runner(add: impl FnOnce(&mut HostFunctions)) -> Runner {
    runner_under(Limits { fuel: 10_000_000, ..Limits::default() }, add)
}

fn run(runner: &Runner, module: &str, values: &[Value]) -> Report<Vec<Value>> {
    let program = runner.compile("test", &wat(module)).unwrap();
    runner.run(&program, Call::values("f", values)).unwrap()
}

fn trap(runner: &Runner, module: &str) -> String {
    match run(runner, module, &[]).result {
        Err(Stop::Trap(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn numbers_of_every_type_pass_both_ways() {
    let runner = runner(|functions| {
        functions
            .add("env", "i32", |_: &mut Guest<'_>, v: i32| v.wrapping_neg())
            .add("env", "i64", |_: &mut Guest<'_>, v: u64| -> Result<u64, Trap> { Ok(!v) })
            .add("env", "f32", |_: &mut Guest<'_>, v: f32| v * 2.0)
            .add("env", "f64", |_: &mut Guest<'_>, v: f64| v / 2.0)
            .add("env", "none", |_: &mut Guest<'_>| {})
            .add(
                "env",
                "eight",
                |_: &mut Guest<'_>, a: i32, b: u32, c: i64, d: u64, e: f32, f: f64, g: i32, h: i32| {
                    f64::from(a) + f64::from(b) + c as f64 + d as f64 + f64::from(e) + f + f64::from(g + h)
                },
            );
    });
    let module = r#"(module
        (import "env" "i32" (func $i32 (param i32) (result i32)))
        (import "env" "i64" (func $i64 (param i64) (result i64)))
        (import "env" "f32" (func $f32 (param f32) (result f32)))
        (import "env" "f64" (func $f64 (param f64) (result f64)))
        (import "env" "none" (func $none))
        (import "env" "eight" (func $eight (param i32 i32 i64 i64 f32 f64 i32 i32) (result f64)))
        (func (export "f") (param i32 i64 f32 f64) (result i32 i64 f32 f64 f64)
            (call $none)
            (call $i32 (local.get 0)) (call $i64 (local.get 1)) (call $f32 (local.get 2)) (call $f64 (local.get 3))
            (call $eight (i32.const 1) (i32.const 2) (i64.const 3) (i64.const 4) (f32.const 0.5) (f64.const 0.25)
                (i32.const -7) (i32.const 8))))"#;
    let values = [i32::MIN.into(), 0_u64.into(), f32::INFINITY.into(), 3.0_f64.into()];
    let expected = [i32::MIN.into(), u64::MAX.into(), f32::INFINITY.into(), 1.5_f64.into(), 11.75_f64.into()];
    assert_eq!(run(&runner, module, &values).result.unwrap(), expected);
}

const SUM: &str = r#"(module
    (import "env" "sum" (func $sum (param i32 i32) (result i32)))
    (import "env" "fill" (func $fill (param i32 i32 i32)))
    (memory (export "memory") 1)
    (func (export "f") (result i32) (call $fill (i32.const FROM) (i32.const LEN) (i32.const 3))
        (call $sum (i32.const FROM) (i32.const LEN))))"#;

fn with_memory(functions: &mut HostFunctions) {
    functions.add("env", "sum", |guest: &mut Guest<'_>, at: u32, len: u32| -> Result<u32, Trap> {
        Ok(guest.read(at, len)?.iter().map(|byte| u32::from(*byte)).sum())
    });
    functions.add("env", "fill", |guest: &mut Guest<'_>, at: u32, len: u32, byte: u32| -> Result<(), Trap> {
        guest.write(at, &vec![byte as u8; len as usize])
    });
}

#[test]
fn memory_is_read_and_written_within_its_bounds() {
    let runner = runner(with_memory);
    let module =
        |from: i32, len: i32| SUM.replace("FROM", &from.to_string()).replace("LEN", &len.to_string());
    for (from, len, sum) in [(0, 65_536, 196_608), (65_535, 1, 3), (65_536, 0, 0)] {
        assert_eq!(run(&runner, &module(from, len), &[]).result.unwrap(), [sum.into()], "{from} {len}");
    }
    for (from, len) in [(0, 65_537), (65_535, 2), (65_536, 1), (65_537, 0), (-1, 1), (-1, 0)] {
        let why = trap(&runner, &module(from, len));
        let expected =
            format!("env.fill: {len} bytes at {} are not in the guest's memory of 65536 bytes", from as u32);
        assert_eq!(why, expected);
    }
    // Without a memory there is nothing to read.
    let none = SUM.replace("(memory (export \"memory\") 1)", "").replace("FROM", "0").replace("LEN", "1");
    assert!(trap(&runner, &none).contains("are not in the guest's memory of 0 bytes"));
}

#[test]
fn what_is_no_text_is_an_error() {
    let runner = runner(|functions| {
        functions.add("env", "text", |guest: &mut Guest<'_>, at: u32| -> Result<u32, Trap> {
            Ok(guest.read_str(at, 2)?.len() as u32)
        });
    });
    let module = r#"(module (import "env" "text" (func $text (param i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "\c3\a4\ff")
        (func (export "f") (result i32) (call $text (i32.const AT))))"#;
    assert_eq!(run(&runner, &module.replace("AT", "0"), &[]).result.unwrap(), [2.into()]);
    assert!(trap(&runner, &module.replace("AT", "1")).starts_with("env.text: the text at 1 is not UTF-8"));
}

const TWICE: &str = r#"(module (import "env" "cost" (func $cost (result i32)))
    (func (export "f") (result i32) (drop (call $cost)) (call $cost)))"#;

#[test]
fn fuel_is_charged_to_the_guest() {
    let with = |limit: u64, cost: u64| {
        let limits = Limits { fuel: limit, ..Limits::default() };
        let runner = runner_under(limits, |functions| {
            functions.add("env", "cost", move |guest: &mut Guest<'_>| {
                guest.charge(cost);
                1
            });
        });
        run(&runner, TWICE, &[])
    };
    let free = with(1_000_000, 0).usage.fuel;
    assert_eq!(with(1_000_000, 10_000).usage.fuel, free + 20_000);
    // N - 1, N, N + 1.
    let needed = free + 20_000;
    assert_eq!(with(needed - 1, 10_000).result, Err(Stop::OutOfFuel { limit: needed - 1 }));
    assert!(with(needed, 10_000).result.is_ok());
    assert!(with(needed + 1, 10_000).result.is_ok());
    assert_eq!(with(1_000_000, u64::MAX).result, Err(Stop::OutOfFuel { limit: 1_000_000 }));
    // What is read and written costs fuel by its size.
    let runner = runner(with_memory);
    let bytes = |len: &str| run(&runner, &SUM.replace("FROM", "0").replace("LEN", len), &[]).usage.fuel;
    assert!(bytes("65536") > bytes("0") + 1_000);
}

#[test]
fn the_deadline_is_looked_at_after_each_call() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let limits = Limits { deadline: Some(Duration::from_millis(20)), ..Limits::default() };
    let runner = runner_under(limits, |functions| {
        functions.add("env", "cost", move |_: &mut Guest<'_>| {
            counted.fetch_add(1, Relaxed);
            std::thread::sleep(Duration::from_millis(30));
            1
        });
    });
    let report = run(&runner, TWICE, &[]);
    assert!(matches!(report.result, Err(Stop::Deadline { .. })), "{report:?}");
    assert_eq!(calls.load(Relaxed), 1);
}

#[test]
fn errors_stop_the_guest_and_panics_only_the_run() {
    let runner = runner(|functions| {
        functions
            .add("env", "parse", |_: &mut Guest<'_>| -> Result<i32, Trap> { Ok("x".parse::<i32>()?) })
            .add("env", "panic", |_: &mut Guest<'_>| -> i32 { panic!("on purpose") })
            .add("env", "long", |_: &mut Guest<'_>| -> Result<i32, Trap> {
                Err(Trap::new("x".repeat(100_000)))
            });
    });
    let module =
        r#"(module (import "env" "NAME" (func $f (result i32))) (func (export "f") (result i32) (call $f)))"#;
    let of = |name: &str| module.replace("NAME", name);
    assert_eq!(trap(&runner, &of("parse")), "env.parse: invalid digit found in string");
    assert!(trap(&runner, &of("long")).len() < 10_000);
    let program = runner.compile("test", &wat(&of("panic"))).unwrap();
    for _ in 0..2 {
        let error = runner.run(&program, Call::values("f", &[])).unwrap_err();
        assert!(
            matches!(&error, Error::Internal(why) if why == "a function of the host panicked"),
            "{error}"
        );
    }
}

fn refusal(runner: &Runner, module: &str) -> String {
    match runner.compile("test", &wat(module)) {
        Err(Error::Load { problem, .. }) => problem.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn imports_have_to_be_of_the_functions_type() {
    let runner = runner(|functions| {
        functions.add("env", "cost", |_: &mut Guest<'_>, _: i64| 1.0_f32);
    });
    for (import, why) in [
        (r#"(import "env" "cost" (func (param i32) (result f32)))"#, "but it is"),
        (r#"(import "env" "cost" (func (param i64)))"#, "but it is"),
        (r#"(import "env" "cost" (func (param i64 i64) (result f32)))"#, "but it is"),
        (r#"(import "env" "cost" (global i32))"#, "but it is a function"),
        (r#"(import "env" "other" (func))"#, "which fuelbox does not provide"),
        (r#"(import "other" "cost" (func (param i64) (result f32)))"#, "which fuelbox does not provide"),
    ] {
        let found = refusal(&runner, &format!("(module {import})"));
        assert!(found.contains(why), "{import}: {found}");
    }
    assert!(
        runner
            .compile("test", &wat(r#"(module (import "env" "cost" (func (param i64) (result f32))))"#))
            .is_ok()
    );
    // A program keeps the functions of the runner that compiled it.
    let module = wat(r#"(module (import "env" "cost" (func $f (param i64) (result f32)))
        (func (export "f") (result f32) (call $f (i64.const 0))))"#);
    let program = runner.compile("test", &module).unwrap();
    let other = Runner::new(RunnerConfig::default()).unwrap();
    assert!(other.compile("test", &module).is_err());
    assert_eq!(other.run(&program, Call::values("f", &[])).unwrap().result.unwrap(), [1.0_f32.into()]);
}

#[test]
fn a_function_comes_before_fuelboxs_own() {
    let runner = runner(|functions| {
        functions.add("wasi_snapshot_preview1", "sched_yield", |_: &mut Guest<'_>| 1);
        functions.add("wasi_snapshot_preview1", "sched_yield", |_: &mut Guest<'_>| 7);
    });
    let module = r#"(module (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
        (func (export "f") (result i32) (call $yield)))"#;
    assert_eq!(run(&runner, module, &[]).result.unwrap(), [7.into()]);
}

#[test]
fn extism_plugins_pass_blocks() {
    let module = r#"(module
        (import "extism:host/env" "input_offset" (func $input (result i64)))
        (import "extism:host/env" "length" (func $length (param i64) (result i64)))
        (import "extism:host/env" "output_set" (func $output (param i64 i64)))
        (import "extism:host/user" "reversed" (func $reversed (param i64) (result i64)))
        (func (export "f") (result i32) (local $block i64)
            (local.set $block (call $reversed (call $input)))
            (call $output (local.get $block) (call $length (local.get $block)))
            (i32.const 0))
        (func (export "bad") (result i32) (drop (call $reversed (i64.const 12345))) (i32.const 0)))"#;
    let runner = runner(|functions| {
        functions.add(
            "extism:host/user",
            "reversed",
            |guest: &mut Guest<'_>, text: u64| -> Result<u64, Trap> {
                let reversed: Vec<u8> = guest.block(text)?.iter().rev().copied().collect();
                guest.new_block(&reversed)
            },
        );
    });
    let program = runner.compile("test", &wat(module)).unwrap();
    for (input, output) in [(&b"abc"[..], &b"cba"[..]), (b"\xff\0", b"\0\xff"), (b"", b"")] {
        let report = runner.run(&program, Call::bytes("f", input)).unwrap();
        assert_eq!(report.result.unwrap(), output);
    }
    let bad = runner.run(&program, Call::bytes("bad", "")).unwrap().result;
    let why = "extism:host/user.reversed: there is no block of memory at 12345";
    assert_eq!(bad, Err(Stop::Trap(why.into())));
    // What is missing is named, and only that.
    let two = r#"(module (import "extism:host/user" "reversed" (func (param i64) (result i64)))
        (import "extism:host/user" "other" (func (param i64))))"#;
    let Err(Error::Load { problem: LoadProblem::HostFunctions { names }, .. }) =
        runner.compile("test", &wat(two))
    else {
        panic!()
    };
    assert_eq!(names, ["other"]);
}

#[test]
fn blocks_count_to_the_memory_of_the_guest() {
    let limits = Limits { memory_pages: 2, ..Limits::default() };
    let runner = runner_under(limits, |functions| {
        functions.add("extism:host/user", "much", |guest: &mut Guest<'_>, bytes: u64| -> Result<u64, Trap> {
            guest.new_block(&vec![1; bytes as usize])
        });
    });
    let module = r#"(module (import "extism:host/user" "much" (func $much (param i64) (result i64)))
        (func (export "f") (param i64) (result i64) (call $much (local.get 0))))"#;
    let program = runner.compile("test", &wat(module)).unwrap();
    let run = |bytes: u64| runner.run(&program, Call::values("f", &[bytes.into()])).unwrap().result;
    assert!(run(130_000).is_ok());
    assert!(run(131_072).is_err());
}

#[test]
fn a_run_has_data_for_the_functions() {
    let runner = runner(|functions| {
        functions.add("env", "user", |guest: &mut Guest<'_>| -> Result<i32, Trap> {
            let wrong = guest.data::<i64>().is_some();
            let user = guest.data::<i32>().ok_or_else(|| Trap::new("nobody"))?;
            Ok(if wrong { -1 } else { *user })
        });
    });
    let module = r#"(module (import "env" "user" (func $user (result i32))) (func (export "f") (result i32) (call $user)))"#;
    let program = runner.compile("test", &wat(module)).unwrap();
    let run = |data: Option<i32>| {
        let data = data.map(|user| Arc::new(user) as Arc<_>);
        let guest_env = GuestEnv { data, ..GuestEnv::default() };
        runner.run(&program, Call::values("f", &[]).guest_env(guest_env)).unwrap().result
    };
    assert_eq!(run(Some(5)), Ok(vec![5.into()]));
    assert_eq!(run(Some(6)), Ok(vec![6.into()]));
    assert_eq!(run(None), Err(Stop::Trap("env.user: nobody".into())));
}

#[test]
fn plugins_have_the_functions_too() {
    let runner = runner(|functions| {
        functions.add("env", "answer", |_: &mut Guest<'_>| 42);
    });
    let module = r#"(module (import "env" "answer" (func $f (result i32))) (func (export "f") (result i32) (call $f)))"#;
    runner.load_bytes("asks", &wat(module)).unwrap();
    assert_eq!(runner.run("asks", Call::values("f", &[])).unwrap().result.unwrap(), [42.into()]);
    // A replacement that does not load leaves the plug-in as it was.
    assert!(runner.load_bytes("asks", b"rubbish").is_err());
    assert_eq!(runner.run("asks", Call::values("f", &[])).unwrap().result.unwrap(), [42.into()]);
    runner.load_bytes("asks", &wat(&module.replace("(call $f)", "(i32.const 1)"))).unwrap();
    assert_eq!(runner.run("asks", Call::values("f", &[])).unwrap().result.unwrap(), [1.into()]);
    for name in ["", "a/b", "../a", ".a", "a.wasm", &"a".repeat(65)] {
        assert!(matches!(runner.load_bytes(name, &wat("(module)")), Err(Error::Input(_))), "{name}");
    }
}
