//! wasmi 2.0.0 as it is, without fuelbox. It shows what an instance is left with, also after a trap, and
//! which faults wasmi itself has.

use super::{End, FUEL, Loaded, MEMORY_PAGES, Road, Run, State, count_tables, trapped};
use crate::value::Num;
use wasmi_2 as w;
use wasmi_2::{ResumableCall, Val};
use wasmi_2_core::LimiterError;

/// wasmi 2.0.0, with fuel handed out in slices.
pub struct Plain {
    /// Fuel of a slice.
    pub slice_fuel: u64,
}

/// Denies what fuelbox denies: memory beyond the cap, and every growth of a table once the instance stands.
struct Cap {
    /// Tables that are still to be made.
    tables: u32,
}

impl w::ResourceLimiter for Cap {
    fn memory_growing(&mut self, _: usize, desired: usize, max: Option<usize>) -> Result<bool, LimiterError> {
        Ok(desired <= MEMORY_PAGES as usize * 0x1_0000 && max.is_none_or(|max| desired <= max))
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool, LimiterError> {
        let is_first = self.tables > 0;
        self.tables = self.tables.saturating_sub(1);
        Ok(is_first)
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        100
    }

    fn memories(&self) -> usize {
        1
    }
}

struct Compiled {
    engine: w::Engine,
    module: w::Module,
    tables: u32,
    last: Option<(w::Store<Cap>, w::Instance)>,
    slice_fuel: u64,
}

impl Road for Plain {
    fn name(&self) -> &'static str {
        "wasmi 2.0.0 alone"
    }

    fn load(&self, wasm: &[u8]) -> Result<Box<dyn Loaded>, String> {
        let mut config = w::Config::default();
        // Translated at once, so that a panic of the translator can be caught: one in a running guest cannot.
        config.consume_fuel(true).compilation_mode(w::CompilationMode::Eager);
        config.fuel_cost(w::CustomFuelCosts {
            bytes_copied_per_fuel: 64,
            fuel_per_bytes_translated: 0,
            fuel_per_bytes_validated: 0,
        });
        config.wasm_tail_call(false).wasm_extended_const(false).wasm_multi_memory(false);
        let engine = w::Engine::new(&config);
        let module = w::Module::new(&engine, wasm).map_err(|error| error.to_string())?;
        let (tables, slice_fuel) = (count_tables(wasm), self.slice_fuel);
        Ok(Box::new(Compiled { engine, module, tables, last: None, slice_fuel }))
    }
}

impl Loaded for Compiled {
    fn call(&mut self, function: &str, args: &[Num]) -> Run {
        self.last = None;
        let mut store = w::Store::new(&self.engine, Cap { tables: self.tables });
        store.limiter(|cap| cap);
        // Fails only without fuel metering, which is on.
        let _ = store.set_fuel(FUEL);
        let mut run = Run { end: End::Limit, fuel: 0, pauses: 0 };
        match w::Linker::new(&self.engine).instantiate_and_start(&mut store, &self.module) {
            Ok(instance) => {
                call(&mut store, instance, function, args, self.slice_fuel, &mut run);
                self.last = Some((store, instance));
            }
            Err(error) => run.end = ended(&error),
        };
        run
    }

    fn state(&self) -> Option<State<'_>> {
        let (store, instance) = self.last.as_ref()?;
        let mut state = State { memory: &[], globals: Vec::new() };
        for export in instance.exports(store) {
            match export.into_extern() {
                w::Extern::Memory(memory) => state.memory = memory.data(store),
                w::Extern::Global(global) => state.globals.extend(from_val(&global.get(store))),
                _ => {}
            }
        }
        Some(state)
    }
}

fn call(
    store: &mut w::Store<Cap>,
    instance: w::Instance,
    function: &str,
    args: &[Num],
    slice_fuel: u64,
    run: &mut Run,
) {
    let Some(function) = instance.get_func(&*store, function) else {
        run.end = End::Trapped("no such function".into());
        return;
    };
    let args: Vec<Val> = args.iter().map(|arg| to_val(*arg)).collect();
    let mut results = vec![Val::I32(0); function.ty(&*store).results().len()];
    let mut issued = slice_fuel;
    // Neither fails with fuel metering, which is on.
    let _ = store.set_fuel(slice_fuel);
    let mut state = function.call_resumable(&mut *store, &args, &mut results);
    run.end = loop {
        state = match state {
            Ok(ResumableCall::Finished) => {
                break End::Returned(results.iter().filter_map(from_val).collect());
            }
            Ok(ResumableCall::OutOfFuel(paused)) => {
                run.pauses += 1;
                let left = store.get_fuel().unwrap_or(0);
                let slice = paused.required_fuel().saturating_sub(left).max(slice_fuel);
                issued += slice;
                if issued > FUEL {
                    break End::Limit;
                }
                let _ = store.set_fuel(left + slice);
                paused.resume(&mut *store, &mut results)
            }
            Ok(ResumableCall::HostTrap(_)) => break End::Trapped("a host trap without a host".into()),
            Err(error) => break ended(&error),
        };
    };
    run.fuel = issued - store.get_fuel().unwrap_or(0);
}

fn ended(error: &w::Error) -> End {
    trapped(&error.as_trap_code().map_or_else(|| error.to_string(), |code| code.to_string()))
}

fn to_val(num: Num) -> Val {
    match num {
        Num::I32(v) => Val::I32(v),
        Num::I64(v) => Val::I64(v),
        Num::F32(bits) => Val::F32(w::F32::from_bits(bits)),
        Num::F64(bits) => Val::F64(w::F64::from_bits(bits)),
    }
}

fn from_val(val: &Val) -> Option<Num> {
    Some(match val {
        Val::I32(v) => Num::I32(*v),
        Val::I64(v) => Num::I64(*v),
        Val::F32(v) => Num::F32(v.to_bits()),
        Val::F64(v) => Num::F64(v.to_bits()),
        _ => return None,
    })
}
