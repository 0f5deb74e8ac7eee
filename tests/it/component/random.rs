//! Random values of random types, by both ways into a component and out of it.

use super::echo::{STRINGS, around, flat, in_memory_of};
use super::shape::Ty;
use super::{call, component};
use crate::support::{Chance, wat};
use fuelbox::component::Value;

/// Types whose value is passed as core values: there are at most 16.
const FLAT_MAX: usize = 16;

#[test]
fn random_values_pass() {
    let mut chance = Chance(20_251_122);
    let (mut in_memory, mut as_core_values) = (0, 0);
    for _ in 0..400 {
        let ty = Ty::random(&mut chance, 3);
        let (inner, outer) = (chance.one_of(&STRINGS), chance.one_of(&STRINGS));
        let spilled = wat(&in_memory_of(&ty, inner));
        let passed =
            (ty.flat().len() <= FLAT_MAX).then(|| [wat(&flat(&ty, inner)), wat(&around(&ty, inner, outer))]);
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
