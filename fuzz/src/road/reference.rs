//! The reference: wasmi 1.1, whose translator and executor are others than those of wasmi 2.

use super::{End, FUEL, Loaded, MEMORY_PAGES, Road, Run, State, count_tables, trapped};
use crate::value::Num;
use wasmi_1 as w;
use wasmi_1::Val;
use wasmi_1_core::LimiterError;

/// wasmi 1.1.
pub struct Reference;

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
}

impl Road for Reference {
    fn name(&self) -> &'static str {
        "reference (wasmi 1.1)"
    }

    fn load(&self, wasm: &[u8]) -> Result<Box<dyn Loaded>, String> {
        let mut config = w::Config::default();
        config.consume_fuel(true);
        let engine = w::Engine::new(&config);
        let module = w::Module::new(&engine, wasm).map_err(|error| error.to_string())?;
        Ok(Box::new(Compiled { engine, module, tables: count_tables(wasm), last: None }))
    }
}

impl Loaded for Compiled {
    fn call(&mut self, function: &str, args: &[Num]) -> Run {
        self.last = None;
        let mut store = w::Store::new(&self.engine, Cap { tables: self.tables });
        store.limiter(|cap| cap);
        // Fails only without fuel metering, which is on.
        let _ = store.set_fuel(FUEL);
        let end = match w::Linker::new(&self.engine).instantiate_and_start(&mut store, &self.module) {
            Ok(instance) => {
                let end = call(&mut store, instance, function, args);
                self.last = Some((store, instance));
                end
            }
            Err(error) => ended(&error),
        };
        Run { end, fuel: 0, pauses: 0 }
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

fn call(store: &mut w::Store<Cap>, instance: w::Instance, function: &str, args: &[Num]) -> End {
    let Some(function) = instance.get_func(&*store, function) else {
        return End::Trapped("no such function".into());
    };
    let args: Vec<Val> = args.iter().map(|arg| to_val(*arg)).collect();
    let mut results = vec![Val::I32(0); function.ty(&*store).results().len()];
    match function.call(store, &args, &mut results) {
        Ok(()) => End::Returned(results.iter().filter_map(from_val).collect()),
        Err(error) => ended(&error),
    }
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
