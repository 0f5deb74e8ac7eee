//! Random values of random types, by both ways into a component and out of it.

use super::shape::Ty;
use super::{call, component};
use crate::support::{Chance, wat};
use fuelbox::component::Value;

const STRINGS: [&str; 3] = ["string-encoding=utf8", "string-encoding=utf16", "string-encoding=latin1+utf16"];

/// Types whose value is passed as core values: there are at most 16.
const FLAT_MAX: usize = 16;

/// The body of a core function that stores its parameters as a record of a value and a byte, and gives its place. The record is
/// the result: values that need no memory would be returned as core values.
fn stores(ty: &Ty) -> (String, String) {
    let flat = ty.flat();
    let params: String = flat.iter().map(|core| format!(" {core}")).collect();
    let get = |n: usize, wanted: &'static str| match (flat[n], wanted) {
        (own, wanted) if own == wanted => format!("(local.get {n})"),
        ("i32", "f32") => format!("(f32.reinterpret_i32 (local.get {n}))"),
        ("i64", "i32") => format!("(i32.wrap_i64 (local.get {n}))"),
        ("i64", "f32") => format!("(f32.reinterpret_i32 (i32.wrap_i64 (local.get {n})))"),
        ("i64", "f64") => format!("(f64.reinterpret_i64 (local.get {n}))"),
        other => panic!("{other:?}"),
    };
    let (size, _) = ty.layout();
    let store = ty.store(16, &get);
    let body = format!("{store} (i32.store8 (i32.const {}) (i32.const 7)) (i32.const 16)", 16 + size);
    (params, body)
}

/// A component that takes its value as core values.
fn flat(ty: &Ty, strings: &str) -> String {
    let mut types = String::new();
    let name = ty.wat(&mut types);
    let (params, body) = stores(ty);
    let module = super::MODULE
        .replace("BODY", &format!(r#"(func (export "echo") (param{params}) (result i32) {body})"#));
    format!(
        r#"{module} {types} (type $w-type (record (field "v" {name}) (field "end" u8))) (export $w "w" (type $w-type))
        (func (export "echo") (param "v" {name}) (result $w)
          (canon lift (core func $i "echo") {strings} {}))"#,
        super::OPTIONS
    )
}

/// A component around the one above, which passes the core values on. So they are lifted and lowered between two guests.
fn around(ty: &Ty, inner: &str, outer: &str) -> Vec<u8> {
    let mut types = String::new();
    let name = ty.wat(&mut types);
    let params: String = ty.flat().iter().map(|core| format!(" {core}")).collect();
    let gets: String = (0..ty.flat().len()).map(|n| format!("(local.get {n})")).collect();
    // The allocator and the memory are of a module of their own, for the lowered function needs them before the caller is there.
    let module = super::MODULE.replace("BODY", "");
    wat(&format!(
        r#"(component (component $inner {inner_source}) (instance $in (instantiate $inner))
        {module} {types}
        (type $w-type (record (field "v" {name}) (field "end" u8))) (export $w "w" (type $w-type))
        (core func $echo (canon lower (func $in "echo") {outer} {options}))
        (core module $m2 (import "" "echo" (func $echo (param{params} i32)))
          (func (export "echo") (param{params}) (result i32) (call $echo {gets} (i32.const 512)) (i32.const 512)))
        (core instance $i2 (instantiate $m2 (with "" (instance (export "echo" (func $echo))))))
        (func (export "echo") (param "v" {name}) (result $w)
          (canon lift (core func $i2 "echo") {outer} {options})))"#,
        inner_source = flat(ty, inner),
        options = super::OPTIONS,
    ))
}

#[test]
fn random_values_pass() {
    let mut chance = Chance(20_251_122);
    let (mut in_memory, mut as_core_values) = (0, 0);
    for _ in 0..400 {
        let ty = Ty::random(&mut chance, 3);
        let (inner, outer) = (chance.one_of(&STRINGS), chance.one_of(&STRINGS));
        let spilled = super::abi::echo_of(&ty, inner);
        let passed = (ty.flat().len() <= FLAT_MAX)
            .then(|| [wat(&format!("(component {})", flat(&ty, inner))), around(&ty, inner, outer)]);
        for _ in 0..3 {
            let value = ty.value(&mut chance);
            let wrapped = Value::Record(vec![value.clone(), Value::U8(7)]);
            let mut args = vec![wrapped.clone()];
            args.extend([const { Value::U64(1) }; 17]);
            assert_eq!(call(&spilled, "echo", &args), wrapped, "{ty:?}");
            in_memory += 1;
            for wasm in passed.iter().flatten() {
                assert_eq!(call(wasm, "echo", std::slice::from_ref(&value)), wrapped, "{ty:?}");
                as_core_values += 1;
            }
        }
    }
    assert!(in_memory == 1_200 && as_core_values > 1_000, "{as_core_values}");
}

/// Bytes of a component, changed at random: it loads or is refused, and what runs ends within its limits.
#[test]
fn changed_components_do_no_harm() {
    let mut chance = Chance(7);
    let shapes = std::fs::read(crate::support::prebuilt("shapes.wasm")).unwrap();
    let limits = fuelbox::Limits { fuel: 1_000_000, ..fuelbox::Limits::default() };
    let mut loaded = 0;
    let small = component(
        r#"(func (export "f") (param i32 i32) (result i32) (i32.store (i32.const 16) (local.get 0))
            (i32.store (i32.const 20) (local.get 1)) (i32.const 16))"#,
        r#"(func (export "f") (param "s" string) (result string) (canon lift (core func $i "f") OPTIONS))"#,
    );
    for n in 0..3_000 {
        let mut wasm = if n % 10 == 0 { shapes.clone() } else { small.clone() };
        for _ in 0..=chance.below(3) {
            let at = chance.below(wasm.len() as u64) as usize;
            match chance.below(4) {
                0 => wasm[at] = chance.next() as u8,
                1 => wasm[at] ^= 1 << chance.below(8),
                2 => drop(wasm.remove(at)),
                _ => wasm.insert(at, chance.next() as u8),
            }
        }
        let Ok(program) = fuelbox::Program::compile("changed", &wasm, &limits) else { continue };
        loaded += 1;
        let names: Vec<String> = program.functions().map(|(name, _)| name.to_string()).collect();
        let config = fuelbox::RunnerConfig { limits: limits.clone(), ..fuelbox::RunnerConfig::default() };
        let runner = fuelbox::Runner::new(config).unwrap();
        for name in names {
            let _ = runner.run(&program, fuelbox::Call::bytes(&name, b"text"));
        }
    }
    assert!(loaded > 100, "{loaded}");
}
