//! Components: the canonical ABI, WASI 0.2, and what hostile ones try.

mod abi;
mod hostile;
mod http;
mod random;
mod shape;
mod traps;
mod usage;

use crate::support::wat;
use fuelbox::component::Value;
use fuelbox::{Call, Error, Limits, Program, Runner, RunnerConfig, Stop};

/// A core module with a memory of one page, an allocator that only goes on, and `body`. Its functions use the first 1,024
/// bytes for results.
const MODULE: &str = r#"
  (core module $m
    (memory (export "mem") 1)
    (global $next (mut i32) (i32.const 1024))
    (func $realloc (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32)
      (result i32)
      (global.set $next
        (i32.and (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
          (i32.sub (i32.const 0) (local.get $align))))
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (local.get $size))))
    BODY)
  (core instance $i (instantiate $m))
"#;

/// What every lifted function here has.
const OPTIONS: &str = r#"(memory (core memory $i "mem")) (realloc (core func $i "realloc"))"#;

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
