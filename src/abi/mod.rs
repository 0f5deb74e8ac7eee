//! Calling conventions: how bytes get into a guest and out of it. One file each.
//!
//! Here: which convention a function has, and the frame of a run that they share. Nothing here knows HTTP
//! or flags.

pub mod command;
pub mod extism;
pub mod numeric;
pub mod packed;
mod reserved;

pub use reserved::{is_reserved, offered, passes_bytes};

use crate::base::error::Error;
use crate::base::heap;
use crate::base::limits::Limits;
use crate::base::outcome::{Report, Stop};
use crate::host::streams::{SinkTo, Stdin};
use crate::host::wasi::ctx::{GuestEnv, WasiCtx};
use crate::module::reader::{ModuleInfo, Signature};
use crate::sandbox::instance::Sandbox;
use crate::sandbox::pool::{Pool, Warm};
use crate::sandbox::program::Program;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// How a function takes its input and gives its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Convention {
    /// Numbers in, numbers out.
    Numeric,
    /// Bytes through memory: `allocate(len) -> ptr`, `f(ptr, len) -> ptr << 32 | len`.
    Packed,
    /// A WASI program: `_start`, standard input and standard output.
    Command,
    /// A plug-in made with Extism's development kits.
    Extism,
}

impl Convention {
    /// Every convention.
    pub const ALL: [Convention; 4] =
        [Convention::Command, Convention::Packed, Convention::Numeric, Convention::Extism];

    /// Its name in flags, listings and documentation.
    pub fn name(self) -> &'static str {
        match self {
            Convention::Numeric => "numeric",
            Convention::Packed => "packed",
            Convention::Command => "command",
            Convention::Extism => "extism",
        }
    }

    /// The convention called `name`.
    pub fn parse(name: &str) -> Option<Convention> {
        Convention::ALL.into_iter().find(|c| c.name() == name)
    }

    /// Their names, for messages.
    pub fn names() -> String {
        let [command, packed, numeric, extism] = Convention::ALL.map(Convention::name);
        format!("{numeric}, {packed}, {command} or {extism}")
    }

    /// Whether the exported function `func` is offered, and can be called by it.
    pub fn fits(self, info: &ModuleInfo, func: &str) -> bool {
        info.function(func).is_some_and(|signature| match self {
            Convention::Command => func == command::START && command::fits(info),
            _ if is_reserved(info, func) => false,
            Convention::Numeric => numeric::fits(signature),
            Convention::Packed => packed::fits(info, func),
            Convention::Extism => extism::fits(info, func),
        })
    }

    /// The convention of the exported function `func`, by its signature and the exports around it; none also if it
    /// is never offered ([`is_reserved`]).
    pub fn of(info: &ModuleInfo, func: &str) -> Option<Convention> {
        let signature = info.function(func)?;
        if func == command::START && command::fits(info) {
            Some(Convention::Command)
        } else if is_reserved(info, func) {
            None
        } else if extism::fits(info, func) {
            Some(Convention::Extism)
        } else if packed::fits(info, func) {
            Some(Convention::Packed)
        } else if numeric::fits(signature) {
            Some(Convention::Numeric)
        } else {
            None
        }
    }
}

/// What is run, under which limits, and where the guest's standard streams go.
pub struct Job<'a> {
    /// The program.
    pub program: &'a Program,
    /// The limits of this run.
    pub limits: &'a Limits,
    /// Where standard output goes.
    pub stdout: SinkTo,
    /// Where standard error goes.
    pub stderr: SinkTo,
    /// Its environment, directories, clock and randomness.
    pub guest_env: GuestEnv,
    /// Instances to use again, and where they go afterwards; without, an instance is made for this run.
    pub warm: Option<&'a Pool>,
    /// Called when the guest outlives a fuel slice (at each slice), for a host that must then see to
    /// something else first.
    pub when_long: Option<&'a dyn Fn()>,
}

/// What a run is for, as far as that concerns how it runs.
#[derive(Clone, Copy, Default)]
pub struct CallContext<'a> {
    /// Called should the guest outlive its first fuel slice.
    pub when_long: Option<&'a dyn Fn()>,
    /// The name of the request, for what the guest says in the log.
    pub request_id: Option<&'a Arc<str>>,
}

impl Job<'_> {
    fn check_input(&self, size: usize) -> Result<(), Error> {
        let limit = self.limits.input_bytes;
        if size > limit { Err(Error::InputTooLarge { size, limit }) } else { Ok(()) }
    }
}

/// The error for a function that is not there.
pub fn no_function(info: &ModuleInfo, name: &str) -> Error {
    Error::NoFunction {
        name: name.into(),
        known: offered(info).map(|(name, _)| name).collect(),
        command: command::fits(info),
    }
}

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
    // What the others do not fit, they say themselves. This one would run `_start`, whatever was asked for.
    if let (Some(Convention::Command), false, Some(signature)) = (forced, is_program, info.function(func)) {
        let what = format!("`{func}` is {signature}, which does not fit the command convention");
        return Err(Error::Input(what));
    }
    match forced.unwrap_or(found) {
        Convention::Packed => packed::run(job, func, input),
        Convention::Extism => extism::run(job, func, input),
        Convention::Numeric => {
            let params = numeric::parse_text(info, func, input)?;
            Ok(numeric::run(job, func, &params)?.map(|values| numeric::lines(&values)))
        }
        Convention::Command => {
            let input = heap::copy(input).map_err(|_| Stop::NoMemory { what: "the input" })?;
            let (args, stdin) = (vec![func.into()], Stdin::Bytes(input));
            let invocation = command::Invocation { args, stdin, guest_env: job.guest_env.clone() };
            // Its standard output is the answer, wherever that of other functions goes.
            command::run(Job { stdout: SinkTo::Buffer(Vec::new()), ..job }, invocation)
        }
    }
}

/// Makes an instance, its start function included, and calls nothing.
///
/// # Errors
/// The guest environment cannot be made; a guest that was stopped while it started is in the report.
pub fn try_instance(job: Job<'_>) -> Result<Report<()>, Error> {
    called(job, |_| Ok(()))
}

/// Calls `func` by one of the conventions that pass bytes as they are: the packed one, or Extism's.
///
/// # Errors
/// As [`call_bytes`]; also if `func` is a function of numbers or a program.
pub fn pass_bytes(job: Job<'_>, func: &str, input: &[u8]) -> Result<Report<Vec<u8>>, Error> {
    match extism::fits(job.program.info(), func) {
        true => extism::run(job, func, input),
        false => packed::run(job, func, input),
    }
}

/// What is called when an instance of a module stands, before any other function: of a program nothing (WASI
/// application ABI), of others `_initialize` or what Extism calls.
fn initializers(info: &ModuleInfo) -> Vec<&'static str> {
    const REACTOR: &str = "_initialize";
    if command::fits(info) {
        return Vec::new();
    }
    if crate::host::extism::is_imported(info) {
        return extism::initializers(info);
    }
    // By its type too: one that takes values is no initializer, and could not be called like one.
    Some(REACTOR).filter(|name| info.function(name) == Some(&Signature::default())).into_iter().collect()
}

/// Guests get these as C strings, so a NUL would cut them and an `=` in a name would forge another.
fn check_env(guest_env: &GuestEnv) -> Result<(), Error> {
    for (key, value) in &guest_env.env {
        let name = String::from_utf8_lossy(key);
        if key.is_empty() || key.contains(&b'=') || key.contains(&0) {
            return Err(Error::Input(format!("`{name}` is no name for an environment variable")));
        }
        if value.contains(&0) {
            return Err(Error::Input(format!("environment variable `{name}` holds a NUL byte")));
        }
    }
    Ok(())
}

/// How a function ends that was to give a result, and called `proc_exit` instead.
fn exited(code: u32) -> Stop {
    match code {
        0 => Stop::Convention("it exited with code 0 before it gave a result".into()),
        code => Stop::Exit(code),
    }
}

/// The context of a run.
fn context(
    limits: &Limits,
    guest_env: GuestEnv,
    stdin: Stdin,
    (stdout, stderr): (SinkTo, SinkTo),
) -> Result<WasiCtx, Error> {
    check_env(&guest_env)?;
    heap::check(0).map_err(|_| Stop::NoMemory { what: "a run" })?;
    let dirs = guest_env.dirs.len();
    WasiCtx::new(limits, guest_env, stdin, stdout, stderr).map_err(|_| {
        let cap = limits.descriptors;
        Error::Input(format!("{dirs} directories are more than --max-descriptors allows, which is {cap}"))
    })
}

fn panicked<T>(_: T) -> Error {
    Error::Internal("the interpreter panicked on this module".into())
}

/// The frame of a command's run: makes the sandbox, instantiates, calls `body`, and collects what was used. A
/// panic of the interpreter ends the run and nothing else.
fn guarded<T>(
    job: Job<'_>,
    prepare: impl FnOnce(&mut WasiCtx),
    stdin: Stdin,
    body: impl FnOnce(&mut Sandbox<'_>) -> Result<T, Stop>,
) -> Result<(Report<T>, WasiCtx), Error> {
    let Job { program, limits, stdout, stderr, guest_env, when_long, .. } = job;
    let mut wasi = context(limits, guest_env, stdin, (stdout, stderr))?;
    prepare(&mut wasi);
    catch_unwind(AssertUnwindSafe(|| {
        let mut sandbox = Sandbox::new(program, limits, wasi, when_long);
        let result = sandbox.instantiate(program, &[]).and_then(|()| body(&mut sandbox));
        let (usage, wasi) = sandbox.finish();
        (Report { result, usage }, wasi)
    }))
    .map_err(panicked)
}

/// The frame of a function's run: as `guarded`, but in an instance that is warm, if there is one; and the
/// instance is kept afterwards, if the job has where.
fn called<T>(
    job: Job<'_>,
    body: impl FnOnce(&mut Sandbox<'_>) -> Result<T, Stop>,
) -> Result<Report<T>, Error> {
    let Job { program, limits, stdout, stderr, guest_env, warm, when_long } = job;
    let wasi = context(limits, guest_env, Stdin::Empty, (stdout, stderr))?;
    catch_unwind(AssertUnwindSafe(|| {
        let kept = warm.and_then(Pool::take);
        let uses = kept.as_ref().map(Warm::uses);
        let mut sandbox = match kept {
            Some(kept) => Sandbox::wake(kept.parked, program, limits, wasi, when_long),
            None => Sandbox::new(program, limits, wasi, when_long),
        };
        let ready = match uses {
            Some(_) => sandbox.begin(),
            None => sandbox.instantiate(program, &initializers(program.info())),
        };
        let result = ready.and_then(|()| body(&mut sandbox));
        let Some(pool) = warm.filter(|_| result.is_ok()) else {
            return Report { result, usage: sandbox.finish().0 };
        };
        let (usage, parked) = sandbox.park();
        if let Some(parked) = parked {
            pool.keep(parked, uses);
        }
        Report { result, usage }
    }))
    .map_err(panicked)
}
