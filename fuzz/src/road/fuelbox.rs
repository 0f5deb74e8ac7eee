//! fuelbox's own road: its checks, its rewriting, its slices, and the numeric convention.

use super::{End, FUEL, Loaded, MEMORY_PAGES, Road, Run, trapped};
use crate::value::Num;
use fuelbox::abi::{Job, numeric};
use fuelbox::host::streams::SinkTo;
use fuelbox::{CompileOptions, Error, Limits, Program, Stop, Value, GuestEnv};
use std::cell::Cell;

/// fuelbox with slices of one size.
pub struct Fuelbox {
    name: &'static str,
    options: CompileOptions,
    limits: Limits,
}

impl Fuelbox {
    /// With slices of fuelbox's own size.
    pub fn new(work_arounds: bool) -> Fuelbox {
        let options = CompileOptions { work_arounds, ..CompileOptions::default() };
        let limits = Limits { fuel: FUEL, deadline: None, memory_pages: MEMORY_PAGES, ..Limits::default() };
        Fuelbox { name: "fuelbox", options, limits }
    }

    /// With slices so small that runs pause in many places.
    pub fn paused(work_arounds: bool, slice_fuel: u64) -> Fuelbox {
        let one = Fuelbox::new(work_arounds);
        let options = CompileOptions { slice_fuel, ..one.options };
        Fuelbox { name: "fuelbox, small slices", options, limits: one.limits }
    }
}

struct Compiled {
    program: Program,
    limits: Limits,
}

impl Road for Fuelbox {
    fn name(&self) -> &'static str {
        self.name
    }

    fn load(&self, wasm: &[u8]) -> Result<Box<dyn Loaded>, String> {
        let program = Program::compile_with("m", wasm, &self.limits, &self.options);
        let program = program.map_err(|error| error.to_string())?;
        Ok(Box::new(Compiled { program, limits: self.limits.clone() }))
    }
}

impl Loaded for Compiled {
    fn call(&mut self, function: &str, args: &[Num]) -> Run {
        let pauses = Cell::new(0);
        let count = || pauses.set(pauses.get() + 1);
        let job = Job {
            program: &self.program,
            limits: &self.limits,
            stdout: SinkTo::Buffer(Vec::new()),
            stderr: SinkTo::Buffer(Vec::new()),
            guest_env: GuestEnv::default(),
            warm: None,
            when_long: Some(&count),
        };
        let args: Vec<Value> = args.iter().map(|arg| to_value(*arg)).collect();
        match numeric::run(job, function, &args) {
            Ok(report) => Run { end: end(report.result), fuel: report.usage.fuel, pauses: pauses.get() },
            Err(error) => Run { end: failed(&error), fuel: 0, pauses: pauses.get() },
        }
    }
}

fn end(result: Result<Vec<Value>, Stop>) -> End {
    match result {
        Ok(values) => End::Returned(values.into_iter().map(from_value).collect()),
        Err(Stop::Trap(text) | Stop::MemoryDenied { trap: text, .. }) => trapped(&text),
        Err(Stop::OutOfFuel { .. } | Stop::NoMemory { .. }) => End::Limit,
        Err(other) => End::Trapped(format!("unexpected stop: {other}")),
    }
}

/// An error that is not the guest's, such as a panic of the interpreter. It differs from what any engine gives.
fn failed(error: &Error) -> End {
    End::Trapped(format!("error: {error}"))
}

fn to_value(num: Num) -> Value {
    match num {
        Num::I32(v) => Value::I32(v),
        Num::I64(v) => Value::I64(v),
        Num::F32(bits) => Value::F32(f32::from_bits(bits)),
        Num::F64(bits) => Value::F64(f64::from_bits(bits)),
    }
}

fn from_value(value: Value) -> Num {
    match value {
        Value::I32(v) => Num::I32(v),
        Value::I64(v) => Num::I64(v),
        Value::F32(v) => Num::F32(v.to_bits()),
        Value::F64(v) => Num::F64(v.to_bits()),
        other => panic!("a value of a type that no generated function has: {other}"),
    }
}
