//! Modules from wasm-smith: a second source, which knows nothing of wasmi and has ideas of its own.

use crate::choices::Choices;
use crate::generate::Made;
use crate::road::MEMORY_PAGES;
use crate::value::{Num, Ty, number};
use arbitrary::Unstructured;
use wasm_smith::{Config, Module};
use wasmparser::{CompositeInnerType, ExternalKind, FuncType, Parser, Payload, ValType};

/// Bytes that a module is made of.
const BYTES: usize = 6_000;

/// Loops and calls of a run, beyond which it traps.
const STEPS: u32 = 300;

/// Calls of each exported function.
const CALLS_OF_EACH: usize = 4;

/// What fuelbox runs: WebAssembly 2.0 without vectors, no imports. NaNs are canonical.
fn config(multi_value_enabled: bool) -> Config {
    Config {
        multi_value_enabled,
        canonicalize_nans: true,
        export_everything: true,
        max_imports: 0,
        min_funcs: 3,
        min_exports: 3,
        max_instructions: 300,
        max_memory32_bytes: u64::from(MEMORY_PAGES) * 0x1_0000,
        memory_max_size_required: true,
        max_table_elements: 100,
        max_tables: 4,
        simd_enabled: false,
        relaxed_simd_enabled: false,
        tail_call_enabled: false,
        exceptions_enabled: false,
        gc_enabled: false,
        threads_enabled: false,
        memory64_enabled: false,
        extended_const_enabled: false,
        ..Config::default()
    }
}

/// A module from a seed, or none if wasm-smith makes none of it.
pub fn make(seed: u64) -> Option<Made> {
    let mut c = Choices::seeded(seed);
    let bytes: Vec<u8> = (0..BYTES / 8).flat_map(|_| c.bits().to_le_bytes()).collect();
    // Half of them without several results, and so without blocks with parameters, which fuelbox refuses.
    let mut module = Module::new(config(seed.is_multiple_of(4)), &mut Unstructured::new(&bytes)).ok()?;
    module.ensure_termination(STEPS).ok()?;
    let wasm = module.to_bytes();
    let calls = calls(&wasm, &mut c)?;
    Some(Made { wasm, calls })
}

/// Calls of all exported functions of numbers.
fn calls(wasm: &[u8], c: &mut Choices<'_>) -> Option<Vec<(String, Vec<Num>)>> {
    let (mut types, mut functions, mut calls) = (Vec::new(), Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.ok()? {
            Payload::TypeSection(section) => {
                for group in section {
                    types.extend(group.ok()?.into_types().map(|ty| match ty.composite_type.inner {
                        CompositeInnerType::Func(ty) => ty,
                        _ => FuncType::new([], []),
                    }));
                }
            }
            Payload::FunctionSection(section) => {
                functions = section.into_iter().collect::<Result<_, _>>().ok()?;
            }
            Payload::ExportSection(section) => {
                for export in section.into_iter().flatten().filter(|e| e.kind == ExternalKind::Func) {
                    let ty: &FuncType = types.get(*functions.get(export.index as usize)? as usize)?;
                    calls.extend((0..CALLS_OF_EACH).filter_map(|_| {
                        let args = ty.params().iter().map(|ty| Some(number(number_type(*ty)?, c)));
                        let args = args.collect::<Option<Vec<Num>>>()?;
                        let fits = ty.results().iter().all(|ty| number_type(*ty).is_some());
                        fits.then(|| (export.name.to_string(), args))
                    }));
                }
            }
            _ => {}
        }
    }
    Some(calls)
}

fn number_type(ty: ValType) -> Option<Ty> {
    match ty {
        ValType::I32 => Some(Ty::I32),
        ValType::I64 => Some(Ty::I64),
        ValType::F32 => Some(Ty::F32),
        ValType::F64 => Some(Ty::F64),
        _ => None,
    }
}
