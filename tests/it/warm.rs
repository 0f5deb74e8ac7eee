//! Warm instances: what is kept and what is not, what a guest sees of earlier calls, and that calls at once never
//! share one.

use crate::plain::PlainResults;
use crate::support::{TempDir, job, reload, wat};
use fuelbox::abi::{Job, numeric};
use fuelbox::base::limits::{INSTANCE_BYTES, PAGE_BYTES, WarmLimits};
use fuelbox::plugins::registry::Plugin;
use fuelbox::sandbox::pool::{Budget, Pool};
use fuelbox::{Call, Error, Limits, Program, Runner, RunnerConfig, Stop};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Counts its calls, in a global, in memory and in a table; and fails in every way on request.
const COUNTER: &str = r#"(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1 20)
    (global $calls (mut i64) (i64.const 0))
    (global $started (mut i64) (i64.const 0))
    (func (export "_initialize") (global.set $started (i64.add (global.get $started) (i64.const 1))))
    (func $count (export "count") (result i64)
        (global.set $calls (i64.add (global.get $calls) (i64.const 1)))
        (i64.store (i32.const 0) (i64.add (i64.load (i32.const 0)) (i64.const 1)))
        (if (i64.ne (i64.load (i32.const 0)) (global.get $calls)) (then (unreachable)))
        (global.get $calls))
    (func (export "starts") (result i64) (global.get $started))
    (func (export "trap") (result i64) (drop (call $count)) (unreachable))
    (func (export "exit") (result i64) (call $exit (i32.const 0)) (i64.const 0))
    (func (export "fail") (result i64) (call $exit (i32.const 3)) (i64.const 0))
    (func (export "spin") (result i64) (loop (br 0)) (i64.const 0))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "allocate") (param i32) (result i32) (i32.const 1024))
    (func (export "bytes") (param i32 i32) (result i64)
        (drop (call $count))
        (i64.or (i64.shl (i64.const 0) (i64.const 32)) (i64.const 1)))
    (func (export "slow") (param $n i64) (result i64)
        (loop $l (br_if $l (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
        (call $count)))"#;

/// Instances are kept here, and bytes are passed: functions of numbers have to be named.
const NAMED: &str = "functions = [\"count\", \"starts\", \"trap\", \"exit\", \"fail\", \"spin\", \"grow\", \"bytes\", \"slow\"]";

fn runner(warm: WarmLimits) -> (Runner, TempDir) {
    let dir = TempDir::new();
    dir.write("counter.wasm", wat(COUNTER));
    dir.write("counter.toml", NAMED);
    let limits = Limits { memory_pages: 10, deadline: Some(Duration::from_secs(20)), ..Limits::default() };
    let runner = Runner::new(RunnerConfig { limits, warm, ..RunnerConfig::default() }).unwrap();
    assert!(runner.load_plugins(&dir.0).unwrap().failed.is_empty());
    (runner, dir)
}

fn keeping(instances: usize) -> WarmLimits {
    WarmLimits { instances, ..WarmLimits::default() }
}

fn call(runner: &Runner, func: &str) -> Result<i64, Stop> {
    match runner.run("counter", Call::values(func, &[])).unwrap().result?[0] {
        fuelbox::Value::I64(v) => Ok(v),
        other => panic!("{other:?}"),
    }
}

fn kept(runner: &Runner) -> usize {
    let plugin: Arc<Plugin> = runner.plugins().get("counter").unwrap();
    plugin.warm.as_ref().map_or(0, |pool| pool.len())
}

#[test]
fn every_call_has_an_instance_of_its_own_unless_asked_otherwise() {
    let (runner, _dir) = runner(WarmLimits::default());
    for _ in 0..3 {
        assert_eq!(call(&runner, "count"), Ok(1));
    }
    assert_eq!((kept(&runner), runner.plugins().warm_bytes()), (0, 0));
}

#[test]
fn a_warm_instance_goes_on_where_it_was() {
    let (runner, _dir) = runner(keeping(1));
    for n in 1..=5 {
        assert_eq!(call(&runner, "count"), Ok(n));
        assert_eq!(kept(&runner), 1);
    }
    assert_eq!(call(&runner, "starts"), Ok(1), "initialised once");
    // By another convention too.
    assert_eq!(runner.bytes("counter", "bytes", b"x").unwrap(), [6]);
    let cold = runner.run("counter", Call::values("count", &[])).unwrap();
    assert_eq!(cold.usage.instantiate, Duration::ZERO);
    assert!(cold.usage.fuel > 0 && cold.usage.fuel < 100, "{:?}", cold.usage);
}

/// The answer is whole, but not what the instance has in its memory.
#[test]
fn what_trapped_in_deallocate_is_not_kept() {
    let dir = TempDir::new();
    let source = COUNTER.trim_end().strip_suffix(')').unwrap();
    let trapping = r#"(func (export "deallocate") (param i32 i32) (if (local.get 0) (then (unreachable)))))"#;
    dir.write("counter.wasm", wat(&format!("{source} {trapping}")));
    let runner = Runner::new(RunnerConfig { warm: keeping(1), ..RunnerConfig::default() }).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    for _ in 0..3 {
        assert_eq!(runner.bytes("counter", "bytes", b"x").unwrap(), [1]);
        assert_eq!(kept(&runner), 0);
    }
}

#[test]
fn what_failed_or_was_denied_something_is_not_kept() {
    let (runner, _dir) = runner(keeping(2));
    assert_eq!(call(&runner, "fail"), Err(Stop::Exit(3)));
    for func in ["trap", "exit", "fail"] {
        assert_eq!(call(&runner, "count"), Ok(1), "{func}");
        assert!(call(&runner, func).is_err());
        assert_eq!(kept(&runner), 0, "{func}");
    }
    assert_eq!(call(&runner, "count"), Ok(1));
    let grow = |pages: i32| runner.values("counter", "grow", &[pages.into()]).unwrap();
    assert_eq!(grow(2), [1.into()]);
    assert_eq!(
        (call(&runner, "count"), kept(&runner)),
        (Ok(2), 1),
        "growth within the cap is its own matter"
    );
    assert_eq!(grow(10), [(-1).into()]);
    assert_eq!(kept(&runner), 0, "it was denied memory");
    assert_eq!(call(&runner, "count"), Ok(1));
}

#[test]
fn a_warm_instance_has_the_limits_of_a_new_one() {
    let dir = TempDir::new();
    dir.write("counter.wasm", wat(COUNTER));
    dir.write("counter.toml", NAMED);
    for (limits, stopped) in [
        (Limits { fuel: 100_000, ..Limits::default() }, "fuel"),
        (Limits { deadline: Some(Duration::from_millis(50)), ..Limits::default() }, "deadline"),
    ] {
        let runner =
            Runner::new(RunnerConfig { limits, warm: keeping(1), ..RunnerConfig::default() }).unwrap();
        runner.load_plugins(&dir.0).unwrap();
        for _ in 0..3 {
            assert_eq!(call(&runner, "count"), Ok(1));
            let stop = call(&runner, "spin").unwrap_err();
            assert_eq!(matches!(stop, Stop::OutOfFuel { limit: 100_000 }), stopped == "fuel", "{stop:?}");
            assert_eq!(kept(&runner), 0);
        }
        // Many calls, none of which is near a limit, come to more than it together.
        if stopped == "fuel" {
            let used: u64 = (0..200)
                .map(|_| {
                    let report = runner.run("counter", Call::values("slow", &[1000_i64.into()])).unwrap();
                    assert!(report.result.is_ok());
                    report.usage.fuel
                })
                .sum();
            assert!(used > 200_000, "{used}");
        }
    }
}

#[test]
fn instances_are_replaced_after_their_uses() {
    for (uses, expected) in [(1, [1, 1, 1, 1]), (2, [1, 2, 1, 2]), (3, [1, 2, 3, 1])] {
        let (runner, _dir) = runner(WarmLimits { uses, ..keeping(1) });
        assert_eq!([(); 4].map(|()| call(&runner, "count").unwrap()), expected, "{uses} uses");
    }
    let none = WarmLimits { uses: 0, ..keeping(1) };
    let refused = Runner::new(RunnerConfig { warm: none, ..RunnerConfig::default() });
    assert!(matches!(refused, Err(Error::Limits(what)) if what.contains("--warm-uses")));
}

#[test]
fn idle_instances_are_let_go() {
    let idle = Duration::from_secs(60);
    let (runner, _dir) = runner(WarmLimits { idle, ..keeping(1) });
    call(&runner, "count").unwrap();
    let now = Instant::now();
    runner.plugins().expire_idle(now);
    runner.plugins().expire_idle(now + Duration::from_secs(59));
    assert_eq!(kept(&runner), 1);
    runner.plugins().expire_idle(now + Duration::from_secs(61));
    assert_eq!((kept(&runner), runner.plugins().warm_bytes()), (0, 0));
    assert_eq!(call(&runner, "count"), Ok(1));
}

#[test]
fn memory_of_kept_instances_is_capped_over_all_plug_ins() {
    let one = 65_536 + 65_536;
    for (memory_bytes, expected) in [(one - 1, [1, 1, 1]), (one, [1, 2, 3]), (one + 1, [1, 2, 3])] {
        let (runner, _dir) = runner(WarmLimits { memory_bytes, ..keeping(4) });
        assert_eq!([(); 3].map(|()| call(&runner, "count").unwrap()), expected, "{memory_bytes}");
        assert!(runner.plugins().warm_bytes() <= memory_bytes);
    }
    // What has grown counts with what it has now.
    let (runner, dir) = runner(WarmLimits { memory_bytes: one + 65_536, ..keeping(4) });
    assert_eq!(call(&runner, "count"), Ok(1));
    runner.values("counter", "grow", &[1.into()]).unwrap();
    assert_eq!(runner.plugins().warm_bytes(), one + 65_536);
    runner.values("counter", "grow", &[1.into()]).unwrap();
    assert_eq!((kept(&runner), runner.plugins().warm_bytes()), (0, 0));
    // A plug-in that is gone takes its instances with it.
    assert_eq!(call(&runner, "count"), Ok(1));
    assert_eq!(runner.plugins().warm_bytes(), one);
    std::fs::remove_file(dir.0.join("counter.wasm")).unwrap();
    reload(&runner);
    assert_eq!(runner.plugins().warm_bytes(), 0);
}

#[test]
fn a_replaced_module_begins_anew() {
    let (runner, dir) = runner(keeping(2));
    assert_eq!((call(&runner, "count"), call(&runner, "count")), (Ok(1), Ok(2)));
    dir.write("counter.wasm", wat(&COUNTER.replace("(i64.const 1)", "(i64.const 1 (;new;))")).repeat(1));
    // The same bytes but a new file: a new version all the same.
    assert_eq!(reload(&runner).replaced, ["counter"]);
    assert_eq!(call(&runner, "count"), Ok(1));
}

#[test]
fn calls_at_once_never_share_an_instance() {
    let (runner, _dir) = runner(keeping(3));
    // The counter traps if another call changes memory and global between its two looks.
    let counts: Vec<i64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    (0..50)
                        .map(|_| {
                            let report =
                                runner.run("counter", Call::values("slow", &[2000_i64.into()])).unwrap();
                            match report.result.unwrap()[0] {
                                fuelbox::Value::I64(v) => v,
                                other => panic!("{other:?}"),
                            }
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(kept(&runner) <= 3);
    // Each instance counts 1, 2, 3…: so no number comes more often than there were instances, and none is left out.
    let most = *counts.iter().max().unwrap();
    let mut before = usize::MAX;
    for n in 1..=most {
        let times = counts.iter().filter(|count| **count == n).count();
        assert!(times > 0 && times <= before, "{n} came {times} times, {} before", before);
        before = times;
    }
}

#[test]
fn programs_are_never_kept() {
    let dir = TempDir::new();
    dir.write("prog.wasm", wat(r#"(module (memory (export "memory") 1) (func (export "_start")))"#));
    let runner = Runner::new(RunnerConfig { warm: keeping(4), ..RunnerConfig::default() }).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    assert!(runner.plugins().get("prog").unwrap().warm.is_none());
}

#[test]
fn memory_that_is_not_exported_is_counted_too() {
    let dir = TempDir::new();
    dir.write("hidden.wasm", wat(r#"(module (memory 10) (func (export "f") (result i32) (memory.size)))"#));
    let memory_bytes = 10 * PAGE_BYTES + INSTANCE_BYTES;
    for (budget, kept) in [(memory_bytes - 1, 0), (memory_bytes, 1), (memory_bytes + 1, 1)] {
        let warm = WarmLimits { memory_bytes: budget, ..keeping(1) };
        let runner = Runner::new(RunnerConfig { warm, ..RunnerConfig::default() }).unwrap();
        runner.load_plugins(&dir.0).unwrap();
        runner.values("hidden", "f", &[]).unwrap();
        let plugin = runner.plugins().get("hidden").unwrap();
        assert_eq!(plugin.warm.as_ref().unwrap().len(), kept, "{budget}");
        assert_eq!(runner.plugins().warm_bytes(), kept * memory_bytes);
    }
}

/// A module that declares much, and hardly any memory, does not pass the cap by it.
#[test]
fn what_a_module_declares_is_counted_too() {
    let segments = r#"(data (i32.const 0) "x")"#.repeat(20_000);
    let source = format!(r#"(module (memory 1) {segments} (func (export "f") (result i32) (i32.const 1)))"#);
    let info = fuelbox::module::reader::read(&wat(&source)).unwrap();
    // It was measured: 48 to 85 bytes for each.
    assert!((48 * 20_000..100 * 20_000).contains(&info.instance_bytes), "{}", info.instance_bytes);
    for (memory_bytes, kept) in [(1 << 20, 0), (2 << 20, 1)] {
        let budget = Budget::new(memory_bytes);
        let limits = WarmLimits { instances: 1, memory_bytes, ..WarmLimits::default() };
        let pool = Pool::new(&limits, &budget);
        let limits = Limits::default();
        let program = Program::compile("test", &wat(&source), &limits).unwrap();
        let job = Job { warm: Some(&pool), ..job(&program, &limits) };
        assert!(numeric::run(job, "f", &[]).unwrap().result.is_ok());
        assert_eq!(pool.len(), kept, "of {memory_bytes} bytes");
    }
}
