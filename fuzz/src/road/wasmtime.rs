//! A second reference: wasmtime, a compiler that shares no author with wasmi. It checks the first reference.

use super::{End, FUEL, Loaded, MEMORY_PAGES, Road, Run, trapped};
use crate::value::Num;
use std::sync::OnceLock;
use wasmtime as w;
use wasmtime::{Trap, Val};

/// wasmtime with fuel.
pub struct Wasmtime {
    engine: w::Engine,
}

impl Default for Wasmtime {
    fn default() -> Wasmtime {
        // One for all modules: to make one takes longer than to run a module.
        static ENGINE: OnceLock<w::Engine> = OnceLock::new();
        let engine = ENGINE.get_or_init(|| {
            let mut config = w::Config::new();
            config.consume_fuel(true).cranelift_opt_level(w::OptLevel::None);
            // What a build has by default is valid.
            w::Engine::new(&config).expect("a valid configuration")
        });
        Wasmtime { engine: engine.clone() }
    }
}

/// Denies what fuelbox denies; see the first reference.
struct Cap {
    is_sealed: bool,
}

impl w::ResourceLimiter for Cap {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> w::Result<bool> {
        Ok(desired <= MEMORY_PAGES as usize * 0x1_0000)
    }

    fn table_growing(&mut self, current: usize, _: usize, _: Option<usize>) -> w::Result<bool> {
        // A table is made from nothing; wasm-smith's start functions that grow an empty table are not told apart.
        Ok(current == 0 && !self.is_sealed)
    }
}

struct Compiled {
    engine: w::Engine,
    module: w::Module,
}

impl Road for Wasmtime {
    fn name(&self) -> &'static str {
        "wasmtime"
    }

    fn load(&self, wasm: &[u8]) -> Result<Box<dyn Loaded>, String> {
        let engine = self.engine.clone();
        let module = w::Module::new(&engine, wasm).map_err(|error| error.to_string())?;
        Ok(Box::new(Compiled { engine, module }))
    }
}

impl Loaded for Compiled {
    fn call(&mut self, function: &str, args: &[Num]) -> Run {
        let mut store = w::Store::new(&self.engine, Cap { is_sealed: false });
        store.limiter(|cap| cap);
        // Fails only without fuel metering, which is on.
        let _ = store.set_fuel(FUEL);
        let end = match w::Instance::new(&mut store, &self.module, &[]) {
            Ok(instance) => {
                store.data_mut().is_sealed = true;
                call(&mut store, instance, function, args)
            }
            Err(error) => ended(&error),
        };
        Run { end, fuel: 0, pauses: 0 }
    }
}

fn call(store: &mut w::Store<Cap>, instance: w::Instance, function: &str, args: &[Num]) -> End {
    let Some(function) = instance.get_func(&mut *store, function) else {
        return End::Trapped("no such function".into());
    };
    let args: Vec<Val> = args.iter().map(|arg| to_val(*arg)).collect();
    let mut results = vec![Val::I32(0); function.ty(&*store).results().len()];
    match function.call(store, &args, &mut results) {
        Ok(()) => End::Returned(results.iter().filter_map(from_val).collect()),
        Err(error) => ended(&error),
    }
}

/// By the texts that wasmi has.
fn ended(error: &w::Error) -> End {
    let text = match error.downcast_ref::<Trap>() {
        Some(Trap::UnreachableCodeReached) => "wasm `unreachable` instruction executed",
        Some(Trap::MemoryOutOfBounds) => "out of bounds memory access",
        Some(Trap::TableOutOfBounds) => "undefined element: out of bounds table access",
        Some(Trap::IndirectCallToNull) => "uninitialized element 2",
        Some(Trap::IntegerDivisionByZero) => "integer divide by zero",
        Some(Trap::IntegerOverflow) => "integer overflow",
        Some(Trap::BadConversionToInteger) => "invalid conversion to integer",
        Some(Trap::BadSignature) => "indirect call type mismatch",
        Some(Trap::StackOverflow | Trap::OutOfFuel) => return End::Limit,
        _ => return End::Trapped(error.to_string()),
    };
    trapped(text)
}

fn to_val(num: Num) -> Val {
    match num {
        Num::I32(v) => Val::I32(v),
        Num::I64(v) => Val::I64(v),
        Num::F32(bits) => Val::F32(bits),
        Num::F64(bits) => Val::F64(bits),
    }
}

fn from_val(val: &Val) -> Option<Num> {
    Some(match val {
        Val::I32(v) => Num::I32(*v),
        Val::I64(v) => Num::I64(*v),
        Val::F32(bits) => Num::F32(*bits),
        Val::F64(bits) => Num::F64(*bits),
        _ => return None,
    })
}
