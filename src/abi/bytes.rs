//! Calls with bytes, whatever the convention of the function is.

#[cfg(feature = "component")]
use super::component;
use super::convention::Convention;
use super::job::{Job, called};
use super::reserved::{is_reserved, no_function};
use super::{command, extism, numeric, packed};
use crate::base::error::Error;
use crate::base::heap;
use crate::base::limits::Limits;
use crate::base::outcome::{Report, Stop};
use crate::host::streams::{SinkTo, Stdin};
use crate::host::wasi::ctx::GuestEnv;
use crate::sandbox::program::Program;

/// Calls `func` with bytes, by its own convention or the one that is forced. Numbers are written as text:
/// arguments between white space or as a JSON array, results one a line.
///
/// # Errors
/// No such function, one that is never offered, input too large or not fitting; a stopped guest is in the report.
pub fn call_bytes(
    job: Job<'_>,
    func: &str,
    input: &[u8],
    forced: Option<Convention>,
) -> Result<Report<Vec<u8>>, Error> {
    job.check_input(input.len())?;
    let info = job.program.info();
    let is_program = command::fits(info) && func == command::START;
    let found = Convention::of(info, func).ok_or_else(|| match info.function(func) {
        None => no_function(info, func),
        Some(_) if is_reserved(info, func) => Error::Reserved { name: func.into() },
        Some(signature) => Error::Input(format!("`{func}` is {signature}, which fits no calling convention")),
    })?;
    if is_program && forced.is_some_and(|forced| forced != Convention::Command) {
        return Err(Error::Reserved { name: func.into() });
    }
    // What the others do not fit, they say themselves.
    let can_start = command::can_start(info, func);
    if let (Some(Convention::Command), false, Some(signature)) = (forced, can_start, info.function(func)) {
        let what = format!("`{func}` is {signature}, which does not fit the command convention");
        return Err(Error::Input(what));
    }
    match forced.unwrap_or(found) {
        #[cfg(feature = "component")]
        Convention::Component => component::call::run(job, func, input),
        #[cfg(not(feature = "component"))]
        Convention::Component => Err(no_function(info, func)),
        Convention::Packed => packed::run(job, func, input),
        Convention::Extism => extism::run(job, func, input),
        Convention::Numeric => {
            let params = numeric::parse_text(info, func, input)?;
            Ok(numeric::run(job, func, &params)?.map(|values| numeric::lines(&values)))
        }
        Convention::Command => {
            let input = heap::copy(input).map_err(|_| Stop::NoMemory { what: "the input" })?;
            let (args, stdin) = (vec![func.into()], Stdin::Bytes(input));
            let entry = Some(func.into());
            let invocation = command::Invocation { args, entry, stdin, guest_env: job.guest_env.clone() };
            // Its standard output is the answer, wherever that of other functions goes.
            command::run(Job { stdout: SinkTo::Buffer(Vec::new()), ..job }, invocation)
        }
    }
}

/// Makes an instance of `program`, its start function included, and calls nothing.
///
/// # Errors
/// The guest environment cannot be made; a guest that was stopped while it started is in the report.
pub fn try_instance(program: &Program, limits: &Limits, guest_env: GuestEnv) -> Result<Report<()>, Error> {
    let buffer = || SinkTo::Buffer(Vec::new());
    let job =
        Job { program, limits, stdout: buffer(), stderr: buffer(), guest_env, warm: None, when_long: None };
    called(job, |_| Ok(()))
}

/// JSON Schemas of the functions of a component, as JSON: an object by their names, each with `arguments` and `result` where
/// these are JSON. Empty if there is none.
pub fn schemas(program: &Program) -> String {
    #[cfg(feature = "component")]
    return component::schemas::schemas(program);
    #[cfg(not(feature = "component"))]
    {
        let _ = program;
        String::new()
    }
}
