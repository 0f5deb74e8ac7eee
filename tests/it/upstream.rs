//! The faults of the interpreter that fuelbox works around (`docs/upstream.md`), each seen in the interpreter alone. One
//! of these tests fails when wasmi no longer has its fault: then the work-around can go.

use crate::support::wat;
use std::panic::{AssertUnwindSafe, catch_unwind};
use wasmi::{
    AsContext, Caller, CompilationMode, Config, Engine, Error, Linker, Module, ResumableCall, Store,
    StoreLimits, StoreLimitsBuilder, Val,
};

/// What the host keeps in these tests: limits of growth, and where its stack was at calls.
#[derive(Default)]
struct Host {
    limits: StoreLimits,
    stack: Vec<usize>,
}

/// An instance of `source` on wasmi as it is, and its store.
struct Alone {
    store: Store<Host>,
    instance: wasmi::Instance,
}

impl Alone {
    fn new(source: &str, config: &Config) -> Alone {
        let engine = Engine::new(config);
        let module = Module::new(&engine, wat(source)).unwrap();
        let mut store = Store::new(&engine, Host::default());
        store.limiter(|host| &mut host.limits);
        let mut linker = Linker::new(&engine);
        linker
            .func_wrap("host", "pause", |_: i32| -> Result<i32, Error> { Err(Error::i32_exit(1)) })
            .unwrap();
        let here = |mut caller: Caller<'_, Host>| {
            let marker = std::hint::black_box(0_u8);
            caller.data_mut().stack.push(&raw const marker as usize);
        };
        linker.func_wrap("host", "here", here).unwrap();
        if config_has_fuel(&store) {
            store.set_fuel(1_000_000).unwrap();
        }
        let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
        Alone { store, instance }
    }

    fn call(&mut self, func: &str, params: &[Val]) -> i64 {
        let func = self.instance.get_func(&self.store, func).unwrap();
        let mut results = [Val::I64(0)];
        func.call(&mut self.store, params, &mut results).unwrap();
        match results[0] {
            Val::I32(v) => v.into(),
            Val::I64(v) => v,
            ref other => panic!("{other:?}"),
        }
    }
}

fn config_has_fuel(store: &Store<Host>) -> bool {
    store.as_context().get_fuel().is_ok()
}

fn metered() -> Config {
    let mut config = Config::default();
    // Translation when a function is first called takes fuel, too.
    config.consume_fuel(true).compilation_mode(CompilationMode::Eager);
    config
}

#[test]
fn block_parameters_lose_a_local() {
    let source = r#"(module (func (export "f") (param i64 i32) (result i64)
        local.get 0 i32.const 5 local.get 1 if (param i32) drop i64.const 1 local.set 0 else drop end))"#;
    let mut alone = Alone::new(source, &Config::default());
    // What is read instead was never written. It may be the expected value once, but not for each value.
    let is_right = (1..=8).all(|v| alone.call("f", &[Val::I64(v), Val::I32(0)]) == v);
    assert!(!is_right, "wasmi is right: blocks may have parameters");
}

#[test]
fn a_select_on_a_comparison_with_zero_is_wrong() {
    let source = r#"(module (func (export "f") (param i32) (result i32)
        i32.const 1 i32.const 0 local.get 0 i32.eqz select))"#;
    let mut alone = Alone::new(source, &Config::default());
    assert_ne!(alone.call("f", &[Val::I32(5)]), 0, "wasmi is right: `select` needs no guard");
}

#[test]
fn a_jump_table_with_values_takes_others() {
    let source = r#"(module (func (export "f") (param i32 i64) (result i64)
        block (result i64 i64)
          block (result i64 i64) i64.const 7 local.get 1 i64.const 2 local.get 0 br_table 0 1 end
        end
        drop))"#;
    let mut alone = Alone::new(source, &Config::default());
    let is_right = (1..=8).all(|v| alone.call("f", &[Val::I32(1), Val::I64(v)]) == v);
    assert!(!is_right, "wasmi is right: `br_table` may pass values");
}

#[test]
fn a_store_of_its_own_address_far_off_panics() {
    let source = r#"(module (memory 2) (func (param i32)
        local.get 0 i32.const 1 i32.add local.tee 0 local.get 0 i32.store offset=65536))"#;
    let mut config = Config::default();
    config.compilation_mode(CompilationMode::Eager);
    let translated =
        catch_unwind(AssertUnwindSafe(|| Module::new(&Engine::new(&config), wat(source)).is_ok()));
    assert!(
        translated.is_err(),
        "wasmi is right: far stores need no guard, and translation may be tried no more"
    );
}

#[test]
fn value_stacks_are_used_again_as_they_are() {
    let source = r#"(module
        (func (export "put") (param i64) (result i64) (local i64 i64 i64 i64)
          local.get 0 local.set 1 local.get 0 local.set 2 local.get 0 local.set 3 local.get 0 local.set 4
          local.get 4)
        (func (export "get") (param i64 i32) (result i64)
          local.get 0 i32.const 5 local.get 1
          if (param i32) drop i64.const 1 local.set 0 else drop end))"#;
    let mut alone = Alone::new(source, &Config::default());
    alone.call("put", &[Val::I64(0x5ec2e7)]);
    let got = alone.call("get", &[Val::I64(1), Val::I32(0)]);
    assert_eq!(got, 0x5ec2e7, "what is never written does not come from the last run");
}

#[test]
fn a_growth_of_a_table_without_fuel_runs_code_twice() {
    let source = r#"(module (table $t 1 funcref) (global $n (mut i32) (i32.const 0))
        (func (export "f") (result i32)
          (global.set $n (i32.add (global.get $n) (i32.const 1)))
          (drop (table.grow $t (ref.null func) (i32.const 100000)))
          (global.get $n)))"#;
    let mut alone = Alone::new(source, &metered());
    let func = alone.instance.get_func(&alone.store, "f").unwrap();
    let mut results = [Val::I32(0)];
    alone.store.set_fuel(100).unwrap();
    let call = func.call_resumable(&mut alone.store, &[], &mut results).unwrap();
    let ResumableCall::OutOfFuel(paused) = call else { panic!("it has fuel") };
    alone.store.set_fuel(1_000_000).unwrap();
    let resumed = catch_unwind(AssertUnwindSafe(|| paused.resume(&mut alone.store, &mut results).is_ok()));
    let is_right = matches!((resumed, &results), (Ok(true), [Val::I32(1)]));
    assert!(!is_right, "wasmi is right: tables may grow");
}

#[test]
fn a_growth_that_is_denied_leaves_a_frame_on_the_hosts_stack() {
    let source = r#"(module (import "host" "here" (func $here)) (memory 1)
        (func (export "f") (param i32) (result i32)
          (loop (call $here) (drop (memory.grow (i32.const 1)))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
          (i32.const 0)))"#;
    let mut alone = Alone::new(source, &metered());
    alone.store.data_mut().limits = StoreLimitsBuilder::new().memory_size(65_536).build();
    alone.call("f", &[Val::I32(100)]);
    let stack = &alone.store.data().stack;
    let taken = stack.iter().max().unwrap() - stack.iter().min().unwrap();
    assert!(taken > 99 * 16, "wasmi leaves nothing: a growth may cost what others do");
}

#[test]
fn initialisers_are_not_metered() {
    let ones = "i32.const 1 i32.add ".repeat(10_000);
    let source = format!("(module (global i32 i32.const 1 {ones}))");
    let alone = Alone::new(&source, &metered());
    assert_eq!(
        alone.store.get_fuel().unwrap(),
        1_000_000,
        "wasmi charges for them: extended constants may be on"
    );
}

#[test]
fn zeroed_local_variables_are_not_metered() {
    let fuel = |locals: usize| {
        let source = format!(
            r#"(module (func $g (local {})) (func (export "f") (result i32) call $g i32.const 0))"#,
            "i64 ".repeat(locals)
        );
        let mut alone = Alone::new(&source, &metered());
        alone.call("f", &[]);
        alone.store.get_fuel().unwrap()
    };
    assert_eq!(fuel(4_096), fuel(0), "wasmi charges for them: no `nop` need be inserted");
}

#[test]
fn a_smallest_stack_above_the_largest_panics() {
    let made = catch_unwind(|| {
        let mut config = Config::default();
        config.set_max_stack_height(1_024);
        config.set_min_stack_height(2_048);
    });
    assert!(made.is_err(), "wasmi is right: any order may be set");
}

#[test]
fn a_pause_in_an_import_that_was_called_by_a_tail_call_is_lost() {
    let source = r#"(module (import "host" "pause" (func $pause (param i32) (result i32)))
        (func $tail (param i32 i32 i32) (result i32) (local i64 i64)
          (return_call $pause (i32.add (local.get 0) (local.get 2))))
        (func (export "f") (param i32) (result i32) (local i32)
          (local.set 1 (i32.const 4))
          (i32.add (i32.mul (call $tail (local.get 0) (i32.const 8) (i32.const 9)) (i32.const 10))
            (i32.sub (local.get 1) (i32.const 1)))))"#;
    let mut alone = Alone::new(source, &Config::default());
    let func = alone.instance.get_func(&alone.store, "f").unwrap();
    let mut results = [Val::I32(0)];
    let call = func.call_resumable(&mut alone.store, &[Val::I32(1)], &mut results).unwrap();
    let ResumableCall::HostTrap(paused) = call else { panic!("it does not pause") };
    let resumed = catch_unwind(AssertUnwindSafe(|| {
        paused.resume(&mut alone.store, &[Val::I32(5)], &mut results).is_ok()
    }));
    let is_right = matches!((resumed, &results), (Ok(true), [Val::I32(53)]));
    assert!(!is_right, "wasmi is right: tail calls may be on");
}
