//! Interfaces of an embedding program that components import.

use fuelbox::component::{HostInterface, Value};
use fuelbox::{Call, Error, Guest, HostFunctions, Limits, Runner, RunnerConfig, Stop, Trap};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn runner(interfaces: Vec<HostInterface>) -> Runner {
    runner_under(Limits { fuel: 10_000_000, ..Limits::default() }, interfaces)
}

fn runner_under(limits: Limits, interfaces: Vec<HostInterface>) -> Runner {
    let mut host_functions = HostFunctions::default();
    for interface in interfaces {
        host_functions.add_interface(interface);
    }
    Runner::new(RunnerConfig { limits, host_functions, ..RunnerConfig::default() }).unwrap()
}

fn call(runner: &Runner, wasm: &[u8], func: &str, values: &[Value]) -> Result<Option<Value>, Stop> {
    let program = runner.compile("test", wasm).unwrap();
    runner.run(&program, Call::component(func, values)).unwrap().result
}

/// A component that imports these things as `demo:kv/store VERSION`, and exports its function `get` again, through a core
/// module.
fn store(version: &str, ty: &str) -> Vec<u8> {
    crate::support::wat(&format!(
        r#"(component
            (import "demo:kv/store{version}" (instance $store (export "get" (func {ty}))))
            (alias export $store "get" (func $get))
            (export "get" (func $get)))"#
    ))
}

fn text(value: &str) -> Value {
    Value::String(value.into())
}

fn shouting(name: &'static str) -> HostInterface {
    HostInterface::new(name, "").function(
        "get",
        "func(key: string) -> string",
        |_: &mut Guest<'_>, args: &[Value]| {
            let [Value::String(key)] = args else { return Err(Trap::new("no string")) };
            Ok(Some(text(&key.to_uppercase())))
        },
    )
}

const STRINGS: &str = r#"(param "key" string) (result string)"#;

#[test]
fn a_component_imports_a_function() {
    let runner = runner(vec![shouting("demo:kv/store")]);
    for version in ["", "@1.0.0", "@2.3.4-rc"] {
        assert_eq!(call(&runner, &store(version, STRINGS), "get", &[text("a")]), Ok(Some(text("A"))));
    }
    // Another type, another interface, another function.
    for (wasm, why) in [
        (
            store("", r#"(param "key" u8) (result string)"#),
            "with another type than func(key: string) -> string",
        ),
        (store("", r#"(param "key" string)"#), "with another type"),
        (store("", r#"(param "key" string) (param "b" string) (result string)"#), "with another type"),
        (
            crate::support::wat(r#"(component (import "demo:kv/other" (instance (export "get" (func)))))"#),
            "which fuelbox does not provide",
        ),
        (
            crate::support::wat(r#"(component (import "demo:kv/store" (instance (export "put" (func)))))"#),
            "which fuelbox does not provide",
        ),
    ] {
        let Err(Error::Load { problem, .. }) = runner.compile("test", &wasm) else { panic!("{why}") };
        assert!(problem.to_string().contains(why), "{problem}");
    }
}

#[test]
fn an_interface_with_a_version_is_for_that_version() {
    let one = HostInterface::new("demo:kv/store@1.0.0", "").function(
        "get",
        "func(key: string) -> string",
        |_: &mut Guest<'_>, _: &[Value]| Ok(Some(text("one"))),
    );
    let only = runner(vec![one.clone()]);
    assert_eq!(call(&only, &store("@1.0.0", STRINGS), "get", &[text("a")]), Ok(Some(text("one"))));
    assert!(only.compile("test", &store("@1.0.1", STRINGS)).is_err());
    assert!(only.compile("test", &store("", STRINGS)).is_err());
    let both = runner(vec![one, shouting("demo:kv/store")]);
    assert_eq!(call(&both, &store("@1.0.0", STRINGS), "get", &[text("a")]), Ok(Some(text("one"))));
    assert_eq!(call(&both, &store("@1.0.1", STRINGS), "get", &[text("a")]), Ok(Some(text("A"))));
}

#[test]
fn functions_of_a_world_have_no_interface() {
    let wasm = crate::support::wat(
        r#"(component (import "next" (func $next (param "n" u32) (result u32))) (export "f" (func $next)))"#,
    );
    let world = HostInterface::new("", "").function(
        "next",
        "func(n: u32) -> u32",
        |_: &mut Guest<'_>, args: &[Value]| match args {
            [Value::U32(n)] => Ok(Some(Value::U32(n + 1))),
            _ => Err(Trap::new("no number")),
        },
    );
    assert_eq!(call(&runner(vec![world]), &wasm, "f", &[Value::U32(1)]), Ok(Some(Value::U32(2))));
}

#[test]
fn results_have_to_be_of_the_type() {
    let giving = |value: Option<Value>| {
        let interface = HostInterface::new("demo:kv/store", "").function(
            "get",
            "func(key: string) -> string",
            move |_: &mut Guest<'_>, _: &[Value]| Ok(value.clone()),
        );
        call(&runner(vec![interface]), &store("", STRINGS), "get", &[text("a")])
    };
    assert_eq!(giving(Some(text("x"))), Ok(Some(text("x"))));
    let Err(Stop::Trap(why)) = giving(None) else { panic!() };
    assert_eq!(why, "demo:kv/store#get: it gave no result of its type");
}

#[test]
fn types_of_an_interface_are_its_own() {
    let types = "record entry { key: string, hits: option<u32> } enum color { red, green }";
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let interface = HostInterface::new("demo:kv/store", types).function(
        "paint",
        "func(entry: entry) -> tuple<color, u32>",
        move |guest: &mut Guest<'_>, args: &[Value]| {
            guest.charge(1_000);
            counted.fetch_add(1, Relaxed);
            let [Value::Record(fields)] = args else { return Err(Trap::new("no record")) };
            let hits = match &fields[1] {
                Value::Variant(1, Some(hits)) => hits.as_ref().clone(),
                _ => Value::U32(0),
            };
            Ok(Some(Value::Record(vec![Value::case(1), hits])))
        },
    );
    let wasm = crate::support::wat(
        r#"(component
            (import "demo:kv/store" (instance $store
                (type $entry' (record (field "key" string) (field "hits" (option u32))))
                (export "entry" (type $entry (eq $entry')))
                (type $color' (enum "red" "green"))
                (export "color" (type $color (eq $color')))
                (export "paint" (func (param "entry" $entry) (result (tuple $color u32))))))
            (alias export $store "entry" (type $entry))
            (alias export $store "color" (type $color))
            (alias export $store "paint" (func $paint))
            (export $e "entry" (type $entry))
            (export $c "color" (type $color))
            (export "paint" (func $paint) (func (param "entry" $e) (result (tuple $c u32)))))"#,
    );
    let runner = runner(vec![interface]);
    let entry = |hits: Value| Value::Record(vec![text("a"), hits]);
    let painted = call(&runner, &wasm, "paint", &[entry(Value::some(Value::U32(7)))]);
    assert_eq!(painted, Ok(Some(Value::Record(vec![Value::case(1), Value::U32(7)]))));
    let painted = call(&runner, &wasm, "paint", &[entry(Value::NONE)]);
    assert_eq!(painted, Ok(Some(Value::Record(vec![Value::case(1), Value::U32(0)]))));
    assert_eq!(calls.load(Relaxed), 2);
}

/// What a cursor of the host stands for. It counts those that are alive.
struct Cursor(u32, Arc<AtomicU32>);

impl Drop for Cursor {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Relaxed);
    }
}

fn cursors(alive: &Arc<AtomicU32>) -> HostInterface {
    let counted = Arc::clone(alive);
    HostInterface::new("demo:kv/cursors", "resource cursor;")
        .function(
            "[constructor]cursor",
            "func(at: u32) -> own<cursor>",
            move |guest: &mut Guest<'_>, args: &[Value]| {
                let [Value::U32(at)] = args else { return Err(Trap::new("no number")) };
                counted.fetch_add(1, Relaxed);
                guest.new_resource(Cursor(*at, Arc::clone(&counted))).map(Some)
            },
        )
        .function("[method]cursor.next", "func(self: borrow<cursor>) -> u32", |guest, args| {
            let cursor = guest.resource::<Cursor>(&args[0])?;
            cursor.0 += 1;
            Ok(Some(Value::U32(cursor.0)))
        })
        .function("[static]cursor.close", "func(cursor: own<cursor>) -> u32", |guest, args| {
            Ok(Some(Value::U32(guest.take_resource::<Cursor>(&args[0])?.0)))
        })
}

/// A component that makes a cursor and then runs `body` with its handle in local 0.
fn with_cursor(body: &str) -> Vec<u8> {
    crate::support::wat(&format!(
        r#"(component
            (import "demo:kv/cursors" (instance $cursors
                (export "cursor" (type $cursor (sub resource)))
                (export "[constructor]cursor" (func (param "at" u32) (result (own $cursor))))
                (export "[method]cursor.next" (func (param "self" (borrow $cursor)) (result u32)))
                (export "[static]cursor.close" (func (param "cursor" (own $cursor)) (result u32)))))
            (alias export $cursors "cursor" (type $cursor))
            (core func $new (canon lower (func $cursors "[constructor]cursor")))
            (core func $next (canon lower (func $cursors "[method]cursor.next")))
            (core func $close (canon lower (func $cursors "[static]cursor.close")))
            (core func $drop (canon resource.drop $cursor))
            (core module $m
                (import "c" "new" (func $new (param i32) (result i32)))
                (import "c" "next" (func $next (param i32) (result i32)))
                (import "c" "close" (func $close (param i32) (result i32)))
                (import "c" "drop" (func $drop (param i32)))
                (func (export "f") (result i32) (local i32)
                    (local.set 0 (call $new (i32.const 5)))
                    {body}))
            (core instance $i (instantiate $m (with "c" (instance
                (export "new" (func $new)) (export "next" (func $next))
                (export "close" (func $close)) (export "drop" (func $drop))))))
            (func (export "f") (result u32) (canon lift (core func $i "f"))))"#
    ))
}

#[test]
fn resources_live_until_the_guest_drops_them() {
    let alive = Arc::new(AtomicU32::new(0));
    let runner = runner(vec![cursors(&alive)]);
    let run = |body: &str| {
        let result = call(&runner, &with_cursor(body), "f", &[]);
        assert_eq!(alive.load(Relaxed), 0, "what the guest did not drop goes with the instance: {body}");
        result
    };
    let next = "(call $next (local.get 0))";
    assert_eq!(run(next), Ok(Some(Value::U32(6))));
    assert_eq!(run(&format!("(drop {next}) {next}")), Ok(Some(Value::U32(7))));
    assert_eq!(run("(call $close (local.get 0))"), Ok(Some(Value::U32(5))));
    assert_eq!(run("(call $drop (local.get 0)) (i32.const 1)"), Ok(Some(Value::U32(1))));
    // Handles that are no longer, or never were.
    for body in [
        "(call $drop (local.get 0)) (call $next (local.get 0))",
        "(drop (call $close (local.get 0))) (call $next (local.get 0))",
        "(drop (call $close (local.get 0))) (call $close (local.get 0))",
        "(call $next (i32.const 77))",
        "(call $next (i32.const -1))",
    ] {
        assert!(matches!(run(body), Err(Stop::Trap(_))), "{body}");
    }
    // As many as the host keeps.
    let flood = "(loop $l (drop (call $new (i32.const 0))) (br $l)) (i32.const 0)";
    assert!(matches!(run(flood), Err(Stop::Trap(why)) if why.contains("10000")));
}

#[test]
fn a_panic_ends_the_run_alone() {
    let interface = HostInterface::new("demo:kv/store", "").function(
        "get",
        "func(key: string) -> string",
        |_: &mut Guest<'_>, _: &[Value]| panic!("on purpose"),
    );
    let runner = runner(vec![interface]);
    let program = runner.compile("test", &store("", STRINGS)).unwrap();
    for _ in 0..2 {
        let error = runner.run(&program, Call::component("get", &[text("a")])).unwrap_err();
        assert!(
            matches!(&error, Error::Internal(why) if why == "a function of the host panicked"),
            "{error}"
        );
    }
}

#[test]
fn a_type_that_is_no_wit_is_named() {
    for (types, ty) in [("", "func(key: strin) -> string"), ("record", "func(key: x) -> string"), ("", "(")] {
        let interface = HostInterface::new("demo:kv/store", types).function("get", ty, |_, _| Ok(None));
        let error = runner(vec![interface]).compile("test", &store("", STRINGS)).unwrap_err().to_string();
        assert!(error.contains("demo:kv/store: get: "), "{error}");
    }
}

#[test]
fn a_function_that_is_exported_again_is_paid_for() {
    let get = |guest: &mut Guest<'_>, _: &[Value]| {
        guest.charge(1_000_000);
        Ok(Some(text("a")))
    };
    let store_of =
        || HostInterface::new("demo:kv/store", "").function("get", "func(key: string) -> string", get);
    for (limit, is_enough) in [(2_000_000, true), (100_000, false)] {
        let runner = runner_under(Limits { fuel: limit, ..Limits::default() }, vec![store_of()]);
        let program = runner.compile("test", &store("", STRINGS)).unwrap();
        let report = runner.run(&program, Call::component("get", &[text("a")])).unwrap();
        let expected = if is_enough { Ok(Some(text("a"))) } else { Err(Stop::OutOfFuel { limit }) };
        assert_eq!(report.result, expected);
        assert!(report.usage.fuel >= limit.min(1_000_000), "{:?}", report.usage);
    }
}

/// One element of a list may have so many values that few elements take long to pass.
#[test]
fn values_of_few_elements_end_at_the_deadline() {
    const FIELDS: usize = 1_000;
    let ty = format!("tuple<{}>", vec!["u8"; FIELDS].join(", "));
    let ty: &'static str = Box::leak(format!("func() -> list<{ty}>").into_boxed_str());
    let until = Arc::new(Mutex::new(None::<Instant>));
    let seen = Arc::clone(&until);
    // The time of the function ends just before that of the guest.
    let get = move |_: &mut Guest<'_>, _: &[Value]| {
        let value = Value::List(vec![Value::Record(vec![Value::U8(1); FIELDS]); 2_000]);
        if let Some(until) = *seen.lock().unwrap() {
            std::thread::sleep(until.saturating_duration_since(Instant::now()));
        }
        Ok(Some(value))
    };
    let source = HostInterface::new("demo:kv/store", "").function("get", ty, get);
    let wit = format!("(tuple {})", "u8 ".repeat(FIELDS));
    let wasm = crate::support::wat(&format!(
        r#"(component
          (import "demo:kv/store" (instance $store (export "get" (func (result (list {wit}))))))
          (core module $a (memory (export "mem") 40)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 16)))
          (core instance $a (instantiate $a))
          (core func $f (canon lower (func $store "get") (memory (core memory $a "mem"))
            (realloc (core func $a "realloc"))))
          (core module $m (import "" "f" (func $f (param i32)))
            (func (export "f") (call $f (i32.const 0))))
          (core instance $m (instantiate $m (with "" (instance (export "f" (func $f))))))
          (func (export "f") (canon lift (core func $m "f"))))"#
    ));
    let run = |deadline| {
        let limits = Limits { deadline, memory_pages: 2_000, ..Limits::default() };
        let runner = runner_under(limits, vec![source.clone()]);
        let program = runner.compile("test", &wasm).unwrap();
        let begin = Instant::now();
        let report = runner.run(&program, Call::component("f", &[])).unwrap();
        (report.result, begin.elapsed())
    };
    let (result, whole) = run(None);
    assert_eq!(result, Ok(None));
    let limit = 2 * whole;
    // The machine may be busy at a time.
    let late = (0..5).map(|_| {
        *until.lock().unwrap() = Some(Instant::now() + limit - Duration::from_millis(5));
        let (result, took) = run(Some(limit));
        assert!(matches!(result, Err(Stop::Deadline { .. })), "{result:?}");
        took.saturating_sub(limit)
    });
    let late = late.min().unwrap();
    assert!(late < whole / 5, "{late:?} after the deadline, and all takes {whole:?}");
}

#[test]
fn each_value_is_paid_for() {
    let fuel = |len: u32| {
        let take = HostInterface::new("demo:kv/store", "").function(
            "take",
            "func(all: list<tuple<u8>>)",
            |_: &mut Guest<'_>, _: &[Value]| Ok(None),
        );
        let wasm = crate::support::wat(&format!(
            r#"(component
                (import "demo:kv/store" (instance $store (export "take" (func (param "all" (list (tuple u8)))))))
                (alias export $store "take" (func $take))
                (core module $memory (memory (export "memory") 1))
                (core instance $memory (instantiate $memory))
                (core func $take (canon lower (func $take) (memory (core memory $memory "memory"))))
                (core module $m (import "" "take" (func $take (param i32 i32)))
                    (func (export "f") (call $take (i32.const 0) (i32.const {len}))))
                (core instance $i (instantiate $m (with "" (instance (export "take" (func $take))))))
                (func (export "f") (canon lift (core func $i "f"))))"#
        ));
        let runner = runner(vec![take]);
        let program = runner.compile("test", &wasm).unwrap();
        let report = runner.run(&program, Call::component("f", &[])).unwrap();
        assert_eq!(report.result, Ok(None));
        report.usage.fuel
    };
    // A tuple and a number for each element, 60 each.
    let more = fuel(3_000) - fuel(1_000);
    assert!((240_000..400_000).contains(&more), "{more}");
}
