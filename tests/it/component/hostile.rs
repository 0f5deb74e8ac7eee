//! Components that mean harm: the limits hold for them as for core modules.

use super::{call_under, component, limits, refusal, trap};
use crate::support::wat;
use fuelbox::component::Value;
use fuelbox::{Denied, Limits, Stop};
use std::time::Duration;

/// Components that instantiate each other, `width` times on each of `levels` levels.
fn nested(levels: u32, width: u32) -> Vec<u8> {
    let mut source = "(component $c0)".to_string();
    for level in 1..=levels {
        let inner = level - 1;
        let instances = format!("(instance (instantiate $c{inner}))").repeat(width as usize);
        source = format!("(component $c{level} {source} {instances})");
    }
    wat(&format!("(component {source} (instance (instantiate $c{levels})))"))
}

#[test]
fn instances_of_instances_have_a_limit() {
    for levels in [4, 9, 30] {
        assert!(refusal(&nested(levels, 10)).contains("instances of components"), "{levels}");
    }
    assert!(fuelbox::Program::compile("few", &nested(2, 10), &limits()).is_ok());
}

#[test]
fn components_within_each_other_have_a_limit() {
    // In bytes: the text format has a limit of its own.
    let within = |levels: usize| {
        let header = b"\0asm\x0d\0\x01\0";
        let mut wasm = header.to_vec();
        for _ in 0..levels {
            let (mut size, mut section) = (wasm.len(), vec![4]);
            while size > 127 {
                section.push(size as u8 & 127 | 128);
                size >>= 7;
            }
            section.push(size as u8);
            wasm = [&header[..], &section, &wasm].concat();
        }
        wasm
    };
    assert!(fuelbox::Program::compile("deep", &within(100), &limits()).is_ok());
    assert!(refusal(&within(101)).contains("more components within each other than the 100 supported"));
    assert!(refusal(&within(10_000)).contains("components within each other"));
}

#[test]
fn types_within_each_other_have_a_limit() {
    let chain = |levels: u32| {
        let types: String = (1..=levels).map(|n| format!("(type $t{n} (list $t{}))", n - 1)).collect();
        wat(&format!("(component (type $t0 (list u8)) {types})"))
    };
    // `u8` and the first list are two levels.
    assert!(fuelbox::Program::compile("deep", &chain(98), &limits()).is_ok());
    assert!(refusal(&chain(99)).contains("101 types nested in each other, more than the 100 supported"));
    let wide = |levels: u32| {
        let types: String = (1..=levels)
            .map(|n| {
                let t = n - 1;
                format!("(type $t{n} (tuple $t{t} $t{t} $t{t} $t{t}))")
            })
            .collect();
        wat(&format!("(component (type $t0 (tuple u8 u8 u8 u8)) {types})"))
    };
    assert!(fuelbox::Program::compile("wide", &wide(4), &limits()).is_ok());
    assert!(refusal(&wide(6)).contains("types within one type, more than the 10000 supported"));
    assert!(refusal(&wide(12)).contains("type size"));
}

#[test]
fn memories_count_together() {
    let of = |first: u32, second: u32| {
        wat(&format!(
            r#"(component (core module $a (memory {first}))
            (core module $b (memory {second})
              (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))
            (core instance (instantiate $a)) (core instance (instantiate $a)) (core instance $b (instantiate $b))
            (func (export "grow") (param "by" u32) (result s32) (canon lift (core func $b "grow"))))"#
        ))
    };
    let limits = Limits { memory_pages: 10, ..limits() };
    let grow =
        |wasm: &[u8], by| call_under(&limits, wasm, "grow", &[Value::U32(by)]).map(|result| result.unwrap());
    assert!(grow(&of(3, 5), 0).is_err_and(|error| error.to_string().contains("11")));
    assert_eq!(grow(&of(3, 4), 0).unwrap(), Some(Value::S32(4)));
    assert_eq!(grow(&of(3, 4), 1).unwrap(), Some(Value::S32(-1)));
    assert_eq!(grow(&of(3, 3), 1).unwrap(), Some(Value::S32(3)));
    assert_eq!(grow(&of(3, 3), 2).unwrap(), Some(Value::S32(-1)));
}

/// An allocator that never ends, in the middle of a call.
#[test]
fn an_allocator_has_no_other_fuel_nor_time() {
    let wasm = wat(r#"(component (core module $m (memory (export "mem") 1)
          (func (export "realloc") (param i32 i32 i32 i32) (result i32) (loop (br 0)) (i32.const 0))
          (func (export "f") (param i32 i32)))
        (core instance $i (instantiate $m))
        (func (export "f") (param "s" string)
          (canon lift (core func $i "f") (memory (core memory $i "mem")) (realloc (core func $i "realloc")))))"#);
    let args = [Value::String("x".into())];
    let fuel = Limits { fuel: 1_000_000, ..Limits::default() };
    assert_eq!(call_under(&fuel, &wasm, "f", &args).unwrap(), Err(Stop::OutOfFuel { limit: 1_000_000 }));
    let limit = Duration::from_millis(50);
    let time = Limits { deadline: Some(limit), ..Limits::default() };
    assert!(matches!(call_under(&time, &wasm, "f", &args).unwrap(), Err(Stop::Deadline { .. })));
}

/// A list of so many elements takes more at the host than in the guest, and counts for what it takes there.
#[test]
fn what_the_host_keeps_counts() {
    let gives = |len: u32| {
        component(
            &format!(
                r#"(func (export "f") (result i32) (drop (memory.grow (i32.const 100)))
                (i32.store (i32.const 16) (i32.const 65536)) (i32.store (i32.const 20) (i32.const {len})) (i32.const 16))"#
            ),
            r#"(func (export "f") (result (list bool)) (canon lift (core func $i "f") OPTIONS))"#,
        )
    };
    let limits = Limits { memory_pages: 120, ..limits() };
    // 19 pages are left.
    let fits = 19 * 65_536 / size_of::<Value>() as u32;
    let Value::List(values) = call_under(&limits, &gives(fits), "f", &[]).unwrap().unwrap().unwrap() else {
        panic!()
    };
    assert_eq!(values.len(), fits as usize);
    match call_under(&limits, &gives(fits + 1), "f", &[]).unwrap() {
        Err(Stop::Trap(why)) => assert!(why.contains("--memory-pages"), "{why}"),
        Err(Stop::MemoryDenied { denied: Denied::Pages { .. }, .. }) => {}
        other => panic!("{:?}", other.map(|_| ())),
    }
}

/// A calls B, which calls A again by way of an import that it was given.
#[test]
fn a_component_is_not_entered_twice() {
    let wasm = wat(r#"(component
        (component $b (import "a" (func $a)) (core func $a (canon lower (func $a)))
          (core module $m (import "" "a" (func $a)) (func (export "f") (call $a)))
          (core instance $i (instantiate $m (with "" (instance (export "a" (func $a))))))
          (func (export "f") (canon lift (core func $i "f"))))
        (core module $first (table (export "t") 1 funcref) (type $v (func))
          (func (export "go") (call_indirect (type $v) (i32.const 0))))
        (core instance $first (instantiate $first))
        (func $go (canon lift (core func $first "go")))
        (instance $b (instantiate $b (with "a" (func $go))))
        (core func $b (canon lower (func $b "f")))
        (core module $fill (import "" "t" (table 1 funcref)) (import "" "b" (func $b)) (elem (i32.const 0) func $b))
        (core instance (instantiate $fill (with "" (instance (export "t" (table $first "t")) (export "b" (func $b))))))
        (export "go" (func $go)))"#);
    let why = trap(&wasm, "go", &[]);
    assert!(why.contains("called while it is called already"), "{why}");
}

#[test]
fn what_is_not_of_wasi_0_2_is_refused_by_name() {
    let import = |name: &str, ty: &str| refusal(&wat(&format!(r#"(component (import "{name}" {ty}))"#)));
    assert!(
        import("wasi:cli/exit@0.3.0", r#"(instance (export "exit" (func)))"#).contains("another version")
    );
    assert!(import("wasi:cli/exit@0.2.0", r#"(instance (export "exit" (func)))"#).contains("another type"));
    assert!(
        import("wasi:cli/exit@0.2.0", r#"(instance (export "leave" (func)))"#).contains("does not provide")
    );
    assert!(import("my:own/thing", r#"(instance (export "f" (func)))"#).contains("my:own/thing#f"));
    assert!(import("f", "(func)").contains("does not provide"));
    assert!(import("c", "(component)").contains("only another component could provide"));
}

/// A start function is in the limits too.
#[test]
fn a_start_function_of_a_core_module_is_limited() {
    let wasm = wat(r#"(component (core module $m (func $s (loop (br 0))) (start $s) (func (export "f")))
        (core instance $i (instantiate $m)) (func (export "f") (canon lift (core func $i "f"))))"#);
    let fuel = Limits { fuel: 1_000_000, ..Limits::default() };
    assert_eq!(call_under(&fuel, &wasm, "f", &[]).unwrap(), Err(Stop::OutOfFuel { limit: 1_000_000 }));
}
