//! Shorthands that compile a guest from its text and call it once.

use crate::support::{job, program};
use fuelbox::abi::{command, numeric, packed};
use fuelbox::{Error, Invocation, Limits, LoadProblem, Program, Report, Stop, Value};
use std::time::Duration;

/// Calls `func` with numbers.
pub fn numbers(source: &str, limits: &Limits, func: &str, params: &[Value]) -> Report<Vec<Value>> {
    let program = program(source, limits);
    numeric::run(job(&program, limits), func, params).unwrap()
}

/// Calls `func` with bytes, by the packed convention.
pub fn bytes(source: &str, limits: &Limits, func: &str, input: &[u8]) -> Report<Vec<u8>> {
    let program = program(source, limits);
    packed::run(job(&program, limits), func, input).unwrap()
}

/// Runs `_start`.
pub fn start(source: &str, limits: &Limits, invocation: Invocation) -> Report<Vec<u8>> {
    let program = program(source, limits);
    command::run(job(&program, limits), invocation).unwrap()
}

/// Why a module does not load.
#[track_caller]
pub fn refusal(bytes: &[u8], limits: &Limits) -> LoadProblem {
    match Program::compile("test", bytes, limits) {
        Err(Error::Load { name, problem }) => {
            assert_eq!(name, "test");
            problem
        }
        other => panic!("not refused: {other:?}"),
    }
}

/// The text of a trap.
#[track_caller]
pub fn trap<T: std::fmt::Debug>(report: &Report<T>) -> &str {
    match &report.result {
        Err(Stop::Trap(what)) => what,
        other => panic!("no trap: {other:?}"),
    }
}

/// Limits that only fuel bounds.
pub fn fuel_only(fuel: u64) -> Limits {
    Limits { fuel, deadline: None, ..Limits::default() }
}

/// A guard against hanging, far above any time that a test measures.
pub const LONG: Duration = Duration::from_secs(10);
