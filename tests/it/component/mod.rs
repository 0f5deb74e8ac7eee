//! Components: the canonical ABI, WASI 0.2, and what hostile ones try.

mod abi;
mod attack;
mod echo;
mod embedder;
mod hostile;
mod http;
mod languages;
mod random;
mod shape;
mod slices;
mod traps;
mod usage;

use crate::support::wat;
use echo::{MODULE, OPTIONS};
use fuelbox::component::Value;
use fuelbox::{Call, Error, Limits, Program, Runner, RunnerConfig, Stop};

/// A component with `body` in its core module, and `rest` after it. `OPTIONS` in `rest` stands for memory and allocator.
fn component(body: &str, rest: &str) -> Vec<u8> {
    let module = MODULE.replace("BODY", body);
    wat(&format!("(component {module} {})", rest.replace("OPTIONS", OPTIONS)))
}

fn limits() -> Limits {
    Limits { fuel: 100_000_000, ..Limits::default() }
}

/// Calls `func` of the component `wasm`.
fn call_under(
    limits: &Limits,
    wasm: &[u8],
    func: &str,
    values: &[Value],
) -> Result<Result<Option<Value>, Stop>, Error> {
    let runner = Runner::new(RunnerConfig { limits: limits.clone(), ..RunnerConfig::default() })?;
    let program = Program::compile("test", wasm, limits)?;
    Ok(runner.run(&program, Call::component(func, values))?.result)
}

/// The result of `func`, which returns one.
fn call(wasm: &[u8], func: &str, values: &[Value]) -> Value {
    call_under(&limits(), wasm, func, values).unwrap().unwrap().unwrap()
}

/// Why the guest is stopped.
fn trap(wasm: &[u8], func: &str, values: &[Value]) -> String {
    match call_under(&limits(), wasm, func, values).unwrap() {
        Err(Stop::Trap(why)) => why,
        other => panic!("not a trap: {other:?}"),
    }
}

/// Why the component is not loaded.
fn refusal(wasm: &[u8]) -> String {
    match Program::compile("test", wasm, &limits()) {
        Err(Error::Load { problem, .. }) => problem.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}
