//! `fuelbox call`: bytes in, bytes out.

use crate::abi::{self, Convention, Input, offered};
use crate::base::error::{Error, Names};
use crate::base::escape::printable;
use crate::base::outcome::Report;
use crate::cli::args::command::{Call, Data};
use crate::cli::confinement::{confine, set_calls_apart};
use crate::cli::failure::Failure;
use crate::cli::output::messages::{print, report};
use crate::cli::target::Module;
use crate::cli::tracing::Tracer;
use crate::cli::{exit, guest_env, target, watchdog};
use crate::host::wasi::ctx::GuestEnv;
use crate::module::reader::ModuleInfo;
use crate::runner::{Runner, RunnerConfig, Target};
use crate::sandbox::program::Program;
use std::fs::File;
use std::io::{IsTerminal, Read};

/// Functions that are looked at for an error.
const NAMES_SHOWN: usize = 1_000;

/// Runs it.
pub fn execute(mut call: Call) -> Result<(), Failure> {
    let mut module = target::find(&call.target, &call.source, &call.limits)?;
    if let Some(manifest) = module.manifest.take() {
        manifest.apply(&mut call.limits, &mut call.guest_env)?;
        call.convention.get_or_insert(Convention::Extism);
    }
    let mut guest_env = guest_env::build(&call.guest_env)?;
    let file = data_file(&call.data)?;
    let tracer = Tracer::open(&call.tracing)?;
    set_calls_apart(call.confine, &mut guest_env, &call.limits)?;
    // What a guest has made is looked at from here on.
    confine(call.confine, &guest_env)?;
    module.say_origin();
    let program = module.compile(&call.limits, tracer.tracing())?;
    let func = function(&call, &program, &module)?;
    if !call.args.is_empty() {
        return with_arguments(&call, &program, guest_env, func);
    }
    let input = input(&call, file, takes_input(program.info(), func))?;
    let mut given = abi::Call::bytes(func, &input).guest_env(guest_env);
    if let Some(convention) = call.convention {
        given = given.convention(convention);
    }
    let run_report = ran(&call, &program, given)?;
    print(&tracer.result(&program, run_report)??)
}

/// Runs `program` under the watchdog, and reports what it used if that was asked for.
fn ran<I: Input>(call: &Call, program: &Program, input: I) -> Result<Report<I::Output>, Failure> {
    let has_dirs = !call.guest_env.dirs.is_empty();
    let runner = Runner::new(RunnerConfig { limits: call.limits.clone(), ..RunnerConfig::default() })?;
    let run_report =
        watchdog::guard(program, &call.limits, has_dirs, || runner.run(Target::Program(program), input))?;
    if call.report {
        report(&run_report.usage);
    }
    Ok(run_report)
}

/// The function that is called: the one that is named, or the only one.
fn function<'c>(call: &'c Call, program: &'c Program, module: &Module) -> Result<&'c str, Failure> {
    if let Some(func) = &call.func {
        return Ok(func);
    }
    let names: Vec<&str> = offered(program.info()).map(|(name, _)| name).take(NAMES_SHOWN).collect();
    match names[..] {
        [only] => Ok(only),
        [] => Err(Failure::new(exit::USAGE, format!("{} exports no function", printable(&module.name)))),
        _ => {
            let names: Names = names.into_iter().collect();
            Err(Failure::new(exit::USAGE, format!("FUNC is missing, one of: {names}")))
        }
    }
}

/// Whether the function has a use for input. If not, nothing waits for stdin.
fn takes_input(info: &ModuleInfo, func: &str) -> bool {
    let signature = info.function(func);
    let has_none = signature.is_some_and(|signature| match &signature.wit {
        Some(wit) => wit.starts_with("func()"),
        None => signature.params.is_empty() && Convention::of(info, func) == Some(Convention::Numeric),
    });
    !has_none
}

/// Calls a function of a component with arguments in WAVE.
#[cfg(feature = "component")]
fn with_arguments(call: &Call, program: &Program, guest_env: GuestEnv, func: &str) -> Result<(), Failure> {
    use crate::abi::component::text;
    if program.component().is_none() {
        return Err(Failure::new(exit::USAGE, unexpected_argument(call)));
    }
    let params = text::parse(program, func, &call.args)?;
    let run_report = ran(call, program, abi::Call::component(func, &params).guest_env(guest_env))?;
    super::run::print_value(program, func, run_report.result?.as_ref(), call.limits.output_bytes)
}

#[cfg(not(feature = "component"))]
fn with_arguments(call: &Call, _: &Program, _: GuestEnv, _: &str) -> Result<(), Failure> {
    Err(Failure::new(exit::USAGE, unexpected_argument(call)))
}

fn unexpected_argument(call: &Call) -> String {
    let extra = call.args.first().map(|arg| printable(arg)).unwrap_or_default();
    format!(
        "unexpected argument `{extra}`: only functions of components take arguments here; see `fuelbox call --help`"
    )
}

/// Opens the file of `--data-file`.
fn data_file(data: &Data) -> Result<Option<File>, Error> {
    match data {
        Data::File(path) => {
            File::open(path).map(Some).map_err(|source| Error::Io { path: path.clone(), source })
        }
        _ => Ok(None),
    }
}

/// Reads the input, at most one byte more than allowed. `file` is that of `--data-file`.
fn input(call: &Call, file: Option<File>, is_taken: bool) -> Result<Vec<u8>, Failure> {
    let limit = call.limits.input_bytes;
    let mut bytes = Vec::new();
    let most = (limit as u64).saturating_add(1);
    match &call.data {
        // The module came from there; or nobody has asked for input, and a terminal would wait for some.
        Data::Piped if call.target == target::STDIN || !is_taken || std::io::stdin().is_terminal() => {}
        #[cfg(unix)]
        Data::Text(text) => bytes = std::os::unix::ffi::OsStringExt::into_vec(text.clone()),
        #[cfg(not(unix))]
        Data::Text(text) => bytes = text.to_string_lossy().into_owned().into_bytes(),
        Data::File(path) => {
            let read = file.map(|file| file.take(most).read_to_end(&mut bytes)).transpose();
            read.map_err(|source| Error::Io { path: path.clone(), source })?;
        }
        Data::Piped | Data::Stdin => bytes = guest_env::whole_stdin(limit)?,
    }
    if bytes.len() > limit {
        return Err(Error::InputTooLarge { size: bytes.len(), limit }.into());
    }
    Ok(bytes)
}
