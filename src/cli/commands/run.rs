//! `fuelbox run`: a program, or a function of numbers.

#[cfg(feature = "component")]
use crate::abi::component::text;
use crate::abi::{Call, CallContext, Input, Invocation, command, numeric, offered};
use crate::base::error::{Error, Names};
use crate::base::escape::printable;
use crate::base::limits::Limits;
use crate::base::lock::lock;
use crate::base::outcome::{Report, Stop};
use crate::cli::args::command::Run;
use crate::cli::args::table::lookup;
use crate::cli::args::words::flag_name;
use crate::cli::confinement::{confine, set_calls_apart};
use crate::cli::failure::Failure;
use crate::cli::output::messages::{print, report};
use crate::cli::output::stderr::STDERR;
use crate::cli::output::stdout::Out;
use crate::cli::target::Module;
use crate::cli::tracing::{Stopped, Tracer};
use crate::cli::{exit, guest_env, target, watchdog};
#[cfg(feature = "component")]
use crate::host::component::value as component;
use crate::host::streams::{SinkTo, Stdin};
use crate::host::wasi::ctx::GuestEnv;
use crate::runner::{Runner, RunnerConfig, Target};
use crate::sandbox::program::Program;
use std::borrow::Cow;
use std::ffi::OsString;
use std::io::ErrorKind;

/// A run.
struct Running<'a> {
    args: &'a Run,
    tracer: Tracer<'a>,
}

/// Runs it.
pub fn execute(run: Run) -> Result<(), Failure> {
    let mut module = target::find(&run.target, &run.source, &run.limits)?;
    let mut guest_env = guest_env::build(&run.guest_env)?;
    let tracer = Tracer::open(&run.tracing)?;
    set_calls_apart(run.confine, &mut guest_env, &run.limits)?;
    // What a guest has made is looked at from here on.
    confine(run.confine, &guest_env)?;
    module.say_origin();
    let program = module.compile(&run.limits, tracer.tracing())?;
    let run = Running { args: &run, tracer };
    match &run.args.invoke {
        Some(call) => invoke(&run, &program, guest_env, call),
        None if command::can_run(program.info()) => {
            crate::cli::commands::run::program(&run, &program, guest_env, &module)
        }
        None => named(&run, &program, guest_env, &module),
    }
}

/// Calls the function that the first word after the module names.
fn named(run: &Running<'_>, program: &Program, guest_env: GuestEnv, module: &Module) -> Result<(), Failure> {
    let usage = |what: String| Err(Failure::new(exit::USAGE, what));
    let is_flag = |word: &&OsString| flag_name(word).is_some_and(|name| lookup::flag(&name).is_some());
    if let Some(flag) = run.args.words.iter().find(is_flag) {
        let (flag, name) = (printable(&flag.to_string_lossy()), printable(&module.name));
        return usage(format!("flags come before the module: fuelbox run {flag} ... {name}"));
    }
    match run.args.words.split_first() {
        Some((func, args)) => {
            // Nobody means it as an argument.
            let args = args.strip_prefix(&[OsString::from("--")]).unwrap_or(args);
            function(run, program, guest_env, (&func.to_string_lossy(), args))
        }
        None => {
            let names: Names = offered(program.info()).map(|(name, _)| name).collect();
            let name = printable(&module.name);
            usage(format!("{name} is not a program: it has no `_start`. Give FUNC, one of: {names}"))
        }
    }
}

/// Calls a function as `--invoke` says: `add(10, 20)`, or its name alone with the arguments after it.
fn invoke(run: &Running<'_>, program: &Program, guest_env: GuestEnv, call: &str) -> Result<(), Failure> {
    let Some(open) = call.find('(') else {
        return function(run, program, guest_env, (call.trim(), &run.args.words));
    };
    if !run.args.words.is_empty() {
        return Err(Failure::new(exit::USAGE, "give the arguments once: in --invoke, or after the module"));
    }
    #[cfg(feature = "component")]
    if program.component().is_some() {
        let (func, params) = text::invocation(program, call)?;
        return of_component(run, program, guest_env, (&func, &params));
    }
    let Some(inner) = call[open + 1..].trim_end().strip_suffix(')') else {
        return Err(Failure::new(
            exit::USAGE,
            format!("--invoke {}: there is no `)` at its end", printable(call)),
        ));
    };
    let texts: Vec<_> =
        inner.split(',').map(str::trim).filter(|text| !text.is_empty()).map(Cow::from).collect();
    call_function(run, program, guest_env, (call[..open].trim(), &texts))
}

fn function(
    run: &Running<'_>,
    program: &Program,
    guest_env: GuestEnv,
    (func, args): (&str, &[OsString]),
) -> Result<(), Failure> {
    let texts: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
    call_function(run, program, guest_env, (func, &texts))
}

fn call_function(
    run: &Running<'_>,
    program: &Program,
    guest_env: GuestEnv,
    (func, texts): (&str, &[Cow<'_, str>]),
) -> Result<(), Failure> {
    #[cfg(feature = "component")]
    if program.component().is_some() {
        let params = text::parse(program, func, texts)?;
        return of_component(run, program, guest_env, (func, &params));
    }
    let params = numeric::parse(program.info(), func, texts)?;
    let result = done(run, program, Call::values(func, &params).guest_env(guest_env))?;
    print(&numeric::lines(&result?))
}

/// Calls a function of a component. Arguments and result are in WAVE.
#[cfg(feature = "component")]
fn of_component(
    run: &Running<'_>,
    program: &Program,
    guest_env: GuestEnv,
    (func, params): (&str, &[component::Value]),
) -> Result<(), Failure> {
    let result = done(run, program, Call::component(func, params).guest_env(guest_env))?;
    print_value(program, func, result?.as_ref(), run.args.limits.output_bytes)
}

/// Prints a result in WAVE, on a line.
#[cfg(feature = "component")]
pub fn print_value(
    program: &Program,
    func: &str,
    value: Option<&component::Value>,
    most: usize,
) -> Result<(), Failure> {
    match text::print(program, func, value, most)? {
        Some(mut text) => {
            text.push('\n');
            print(text.as_bytes())
        }
        None => Ok(()),
    }
}

fn program(
    run: &Running<'_>,
    program: &Program,
    guest_env: GuestEnv,
    module: &Module,
) -> Result<(), Failure> {
    let mut args = vec![module.name.clone().into_bytes()];
    args.extend(run.args.words.iter().map(|arg| guest_env::bytes(arg.clone())));
    let stdin = match run.args.target == target::STDIN {
        // The module was read from it.
        true => Stdin::Empty,
        false => guest_env::stdin(&run.args.guest_env, run.args.limits.input_bytes),
    };
    match done(run, program, Invocation { args, entry: None, stdin, guest_env })? {
        // The program speaks for itself, as without fuelbox.
        Err(Stopped { stop: stop @ Stop::Exit(_), .. }) if exit::is_programs_own(exit::of_stop(&stop)) => {
            Err(Failure::new(exit::of_stop(&stop), ""))
        }
        other => Ok(other.map(|_| ())?),
    }
}

/// Does the run, and reports what it used if that was asked for. Returns its result.
fn done<I: Input>(
    run: &Running<'_>,
    program: &Program,
    input: I,
) -> Result<Result<I::Output, Stopped>, Failure> {
    let has_dirs = !run.args.guest_env.dirs.is_empty();
    let run_report = attached(&run.args.limits, |stdout, stderr| {
        watchdog::guard(program, &run.args.limits, has_dirs, || {
            given_out(run, program, input, (stdout, stderr))
        })
    })?;
    if run.args.report {
        report(&run_report.usage);
    }
    run.tracer.result(program, run_report)
}

/// Runs `program`, whose outputs go to these two.
fn given_out<I: Input>(
    run: &Running<'_>,
    program: &Program,
    input: I,
    (stdout, stderr): (SinkTo, SinkTo),
) -> Result<Report<I::Output>, Error> {
    let runner = Runner::new(RunnerConfig { limits: run.args.limits.clone(), ..RunnerConfig::default() })?;
    let context = CallContext { stdout: Some(stdout), stderr: Some(stderr), ..CallContext::default() };
    runner.run_in(Target::Program(program), input, context)
}

/// Runs `body` with this process's stdout and stderr, and ensures that all output arrives.
fn attached<T>(
    limits: &Limits,
    body: impl FnOnce(SinkTo, SinkTo) -> Result<Report<T>, Error>,
) -> Result<Report<T>, Failure> {
    let failed = |what: &str, error: std::io::Error| {
        Failure::new(exit::FAILURE, format!("cannot write to {what}: {error}"))
    };
    // Earlier messages come before the guest's output.
    STDERR.settle();
    let out = Out::new(std::io::stdout(), limits.deadline);
    let stdout = out.map_err(|error| failed("stdout", error))?;
    let out = Out::new(std::io::stderr(), limits.deadline);
    let stderr = out.map_err(|error| failed("stderr", error))?;
    let report = body(Out::sink(&stdout), Out::sink(&stderr))?;
    for (what, out) in [("stdout", stdout), ("stderr", stderr)] {
        match lock(&out).finish() {
            // A reader that stopped (`| head`) is no failure. One that was not ready until the deadline is the
            // reason why the guest was stopped.
            Err(error)
                if report.result.is_ok()
                    && !matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::TimedOut) =>
            {
                return Err(failed(what, error));
            }
            _ => {}
        }
    }
    Ok(report)
}
