//! How the interpreter is configured.

use crate::base::limits::{BULK_BYTES_PER_FUEL, GROW_FUEL, Limits, NOP_FUEL, STACK_BYTES_INITIAL};
use wasmi::{CompilationMode, Config, CustomFuelCosts, OperatorCost};

/// The configuration for a module under `limits`, translated as `mode` says. Modules of a component may have initialisers of
/// several instructions, whose number was checked. In a module that `is_traced`, the kinds of instructions that the
/// instrumentation consists of cost nothing (`module/trace`).
pub fn config(limits: &Limits, mode: CompilationMode, is_component: bool, is_traced: bool) -> Config {
    let mut config = Config::default();
    let mut costs = OperatorCost {
        memory_grow: GROW_FUEL,
        table_grow: GROW_FUEL,
        nop: NOP_FUEL,
        ..OperatorCost::default()
    };
    if is_traced {
        let OperatorCost { br, call, call_indirect, global_get, global_set, f64_const, .. } = &mut costs;
        for cost in [br, call, call_indirect, global_get, global_set, f64_const] {
            *cost = 0;
        }
    }
    // `reader.rs` has checked the number of declarations. wasmi's own strict limits refuse the output of Go and
    // CPython.
    config
        .consume_fuel(true)
        .fuel_cost(CustomFuelCosts {
            bytes_copied_per_fuel: BULK_BYTES_PER_FUEL,
            // Lazy translation happens in the run that comes first. If it took fuel, that run would use more
            // fuel than all others.
            fuel_per_bytes_translated: 0,
            fuel_per_bytes_validated: 0,
        })
        .operator_cost(costs)
        .compilation_mode(mode)
        .ignore_custom_sections(true)
        .wasm_multi_memory(false)
        // Initialisers run, unmetered, for every instance. Without this feature, each is one instruction;
        // in components, a few (`module/initialisers.rs`).
        .wasm_extended_const(is_component)
        // In wasmi 2.0.0, a pause in an import that was called by a tail call resumes at a wrong place.
        .wasm_tail_call(false)
        .set_max_recursion_depth(limits.recursion);
    // Its results may differ between processors; fuel and output must not.
    #[cfg(feature = "simd")]
    config.wasm_relaxed_simd(false).wasm_memory64(false);
    config.set_min_stack_height(STACK_BYTES_INITIAL);
    config.set_max_stack_height(limits.stack_bytes);
    // A reused value stack contains what the last run left, and each is kept at its largest size.
    config.set_max_cached_stacks(0);
    config
}
