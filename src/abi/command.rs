//! The command convention: a WASI program with `_start` (WASI application ABI, "command"). Arguments,
//! environment and standard input go in; standard output and the exit code come out.

#[cfg(feature = "component")]
use super::component::http::Entry;
#[cfg(feature = "component")]
use super::job::called_with;
use super::job::{Job, guarded};
use super::reserved::{is_reserved, no_function};
use crate::base::error::Error;
use crate::base::outcome::{Report, Stop};
use crate::host::extism::is_imported;
use crate::host::streams::Stdin;
use crate::host::wasi::ctx::{GuestEnv, WasiCtx};
use crate::module::reader::{ModuleInfo, Signature};
use crate::sandbox::instance::Ended;

pub use super::exports::{START, can_run, ends_with_run, is_command as fits};

/// What a command is started with.
///
/// ```
/// use fuelbox::{Invocation, Runner, RunnerConfig, Stdin};
/// use std::path::Path;
///
/// let stdin = Stdin::Bytes(b"one two\n".to_vec());
/// let invocation = Invocation { args: vec![b"wc".to_vec()], stdin, ..Invocation::default() };
/// let runner = Runner::new(RunnerConfig::default())?;
/// let report = runner.run(Path::new("guests/prebuilt/wordcount.wasm"), invocation)?;
/// assert_eq!(report.result?, b"1 2 8\n");
/// # Ok::<(), fuelbox::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Invocation {
    /// Arguments, the program's name first.
    pub args: Vec<Vec<u8>>,
    /// The function that is called, without parameters and results; `None` for `_start`. Of a component, `_start` only.
    pub entry: Option<String>,
    /// Standard input.
    pub stdin: Stdin,
    /// Environment, directories, and whether the run is reproducible.
    pub guest_env: GuestEnv,
}

/// Whether the exported function `func` can be run as a program is: `_start` of a command, or one of a module's own without
/// parameters and results.
pub fn can_start(info: &ModuleInfo, func: &str) -> bool {
    match func {
        START => fits(info),
        _ => {
            info.function(func) == Some(&Signature::default())
                && !is_reserved(info, func)
                && !is_imported(info)
        }
    }
}

/// Runs the program to its end. The result is what it wrote to standard output, if the job keeps it; an
/// exit code other than 0 is [`Stop::Exit`].
///
/// # Errors
/// The module is no command, or has no such function; an argument or variable holds a NUL or a name is empty or holds `=`; there are
/// more directories than descriptors.
pub fn run(job: Job<'_>, invocation: Invocation) -> Result<Report<Vec<u8>>, Error> {
    let info = job.program.info();
    let name = invocation.entry.as_deref().unwrap_or(START).to_string();
    let can_be_called = if name == START { can_run(info) } else { can_start(info, &name) };
    if !can_be_called {
        return Err(no_function(info, &name));
    }
    #[cfg_attr(not(feature = "component"), allow(unused_mut))]
    let Invocation { args, entry: _, stdin, mut guest_env } = invocation;
    if let Stdin::Bytes(bytes) = &stdin {
        job.check_input(bytes.len())?;
    }
    check_args(&args)?;
    #[cfg(feature = "component")]
    let entry = Entry::of(job.program, &mut guest_env);
    let job = Job { guest_env, ..job };
    let prepare = |wasi: &mut WasiCtx| {
        wasi.args = args;
        #[cfg(feature = "component")]
        if let Some(entry) = &entry {
            entry.prepare(wasi);
        }
    };
    // An instance of a handler may answer one request after the other. A program ends.
    #[cfg(feature = "component")]
    if let Some(entry @ Entry::Handler { .. }) = &entry {
        return called_with(job, prepare, stdin, |sandbox| {
            entry.start(sandbox)?;
            Ok(sandbox.host().wasi.files.take_stdout())
        });
    }
    let (report, wasi) = guarded(job, prepare, stdin, |sandbox| {
        #[cfg(feature = "component")]
        if let Some(entry) = &entry {
            return entry.start(sandbox);
        }
        let start = sandbox.function(&name).ok_or_else(|| Stop::Convention(format!("`{name}` is gone")))?;
        match sandbox.call(start, &[], &mut [])? {
            Ended::Returned | Ended::Exited(0) => Ok(()),
            Ended::Exited(code) => Err(Stop::Exit(code)),
        }
    })?;
    let Report { result, usage, trace } = report;
    // A start section may exit as well as `_start`.
    let result = if result == Err(Stop::Exit(0)) { Ok(()) } else { result };
    Ok(Report { result, usage, trace }.map(|()| wasi.files.stdout.into_bytes()))
}

/// Guests get these as C strings, so a NUL would cut one short.
fn check_args(args: &[Vec<u8>]) -> Result<(), Error> {
    match args.iter().any(|arg| arg.contains(&0)) {
        true => Err(Error::Input("an argument holds a NUL byte".into())),
        false => Ok(()),
    }
}
