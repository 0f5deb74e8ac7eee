//! `fuelbox run`: a program, or a function of numbers.

use super::args::Run;
use super::target::{self, Module};
use super::{Failure, exit, output, report, world};
use crate::abi::command::{self, Invocation};
use crate::abi::{Job, numeric};
use crate::engine::Program;
use crate::limits::Limits;
use crate::wasi::ctx::World;
use crate::wasi::streams::{SharedWriter, SinkTo};
use std::io::Write;
use std::sync::{Arc, Mutex};

/// Runs it.
pub fn execute(run: Run) -> Result<(), Failure> {
    let module = target::find(&run.target, &run.source, &run.limits)?;
    let program = module.compile(&run.limits)?;
    match &run.func {
        Some(func) => function(&run, &program, func),
        None => self::program(&run, &program, &module),
    }
}

fn function(run: &Run, program: &Program, func: &str) -> Result<(), Failure> {
    let texts: Vec<_> = run.args.iter().map(|arg| arg.to_string_lossy()).collect();
    let params = numeric::parse(program.facts(), func, &texts)?;
    let world = world::build(&run.world)?;
    let run_report = numeric::run(Job { world, ..job(program, &run.limits) }, func, &params)?;
    if run.report {
        report(&run_report.usage);
    }
    output(&numeric::lines(&run_report.result?))
}

fn program(run: &Run, program: &Program, module: &Module) -> Result<(), Failure> {
    if !command::fits(program.facts()) {
        let names: Vec<_> = program.facts().functions().map(|(name, _)| name).collect();
        let what = format!("{} has no `_start`; which function? There is: {}", module.name, names.join(", "));
        return Err(Failure::new(exit::USAGE, what));
    }
    let mut args = vec![module.name.clone().into_bytes()];
    args.extend(run.args.iter().map(|arg| world::bytes(arg.clone())));
    let world = world::build(&run.world)?;
    let invocation = Invocation { args, stdin: world::stdin(&run.world, run.limits.input_bytes)?, world };
    let run_report = command::run(job(program, &run.limits), invocation)?;
    if run.report {
        report(&run_report.usage);
    }
    run_report.result?;
    Ok(())
}

/// A job whose standard streams are this process's.
fn job<'a>(program: &'a Program, limits: &'a Limits) -> Job<'a> {
    fn shared(writer: impl Write + Send + 'static) -> SinkTo {
        SinkTo::Writer(Arc::new(Mutex::new(writer)) as SharedWriter)
    }
    Job {
        program,
        limits,
        stdout: shared(std::io::stdout()),
        stderr: shared(std::io::stderr()),
        world: World::default(),
        when_long: None,
    }
}
