//! One run: what it is made with, and the frame that every convention calls its function in.

use super::exports::initializers;
use crate::base::error::Error;
use crate::base::heap;
use crate::base::limits::Limits;
use crate::base::outcome::{Report, Stop};
use crate::host::guest_log::Tail;
use crate::host::streams::{SinkTo, Stdin};
use crate::host::wasi::ctx::{GuestEnv, WasiCtx};
use crate::sandbox::instance::{HostPanic, Sandbox};
use crate::sandbox::pool::{Pool, Warm};
use crate::sandbox::program::Program;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

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

/// What a run calls, for a host that must then see to something else first. Each may be called any number of times.
#[derive(Clone, Copy, Default)]
pub struct Hooks<'a> {
    /// The guest outlives its first fuel slice, or waits.
    pub when_long: Option<&'a dyn Fn()>,
    /// The thread waits for another process, which may take a moment.
    pub when_waiting: Option<&'a dyn Fn()>,
}

impl Hooks<'_> {
    /// Calls [`Hooks::when_long`].
    pub fn long(&self) {
        if let Some(call) = self.when_long {
            call();
        }
    }

    /// Calls [`Hooks::when_waiting`].
    pub fn waiting(&self) {
        if let Some(call) = self.when_waiting {
            call();
        }
    }
}

/// What a command line or a gateway adds to a run.
#[derive(Default)]
pub struct CallContext<'a> {
    /// What the run calls.
    pub hooks: Hooks<'a>,
    /// A deadline of this run alone, if it is before that of its limits.
    pub deadline: Option<Duration>,
    /// The name of the request, for what the guest says in the log.
    pub request_id: Option<&'a Arc<str>>,
    /// Where standard output goes, if not where the runner would have it.
    pub stdout: Option<SinkTo>,
    /// Where standard error goes, if not to the log.
    pub stderr: Option<SinkTo>,
    /// Keeps the last lines that go to the log.
    pub tail: Option<Arc<Tail>>,
}

impl Job<'_> {
    pub(super) fn check_input(&self, size: usize) -> Result<(), Error> {
        let limit = self.limits.input_bytes;
        if size > limit { Err(Error::InputTooLarge { size, limit }) } else { Ok(()) }
    }
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
pub(super) fn exited(code: u32) -> Stop {
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
    if guest_env.seed.is_some() && (guest_env.remote.is_some() || !guest_env.http.is_empty()) {
        return Err(Error::Input("a reproducible run cannot make HTTP calls: their responses change".into()));
    }
    heap::check(0).map_err(|_| Stop::NoMemory { what: "a run" })?;
    let dirs = guest_env.dirs.len();
    WasiCtx::new(limits, guest_env, stdin, stdout, stderr).map_err(|_| {
        let cap = limits.descriptors;
        Error::Input(format!("{dirs} directories are more than --max-descriptors allows, which is {cap}"))
    })
}

/// What a panic is to whoever asked for the run.
fn panicked(payload: Box<dyn Any + Send>) -> Error {
    let what = if payload.is::<HostPanic>() {
        "a function of the host panicked"
    } else {
        "the interpreter panicked on this module"
    };
    Error::Internal(what.into())
}

/// The frame of a command's run: makes the sandbox, instantiates, calls `body`, and collects what was used. A
/// panic of the interpreter ends the run and nothing else.
pub(super) fn guarded<T>(
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
        let result = sandbox.instantiate(&[]).and_then(|()| body(&mut sandbox));
        let trace = sandbox.traced(&result);
        let (usage, wasi) = sandbox.finish();
        (Report { result, usage, trace }, wasi)
    }))
    .map_err(panicked)
}

/// The frame of a function's run: as `guarded`, but in an instance that is warm, if there is one; and the
/// instance is kept afterwards, if the job has where.
pub(super) fn called<T>(
    job: Job<'_>,
    body: impl FnOnce(&mut Sandbox<'_>) -> Result<T, Stop>,
) -> Result<Report<T>, Error> {
    called_with(job, |_| {}, Stdin::Empty, body)
}

/// As `called`, with standard input, and a context that is made ready for it.
pub(super) fn called_with<T>(
    job: Job<'_>,
    prepare: impl FnOnce(&mut WasiCtx),
    stdin: Stdin,
    body: impl FnOnce(&mut Sandbox<'_>) -> Result<T, Stop>,
) -> Result<Report<T>, Error> {
    let Job { program, limits, stdout, stderr, guest_env, warm, when_long } = job;
    let mut wasi = context(limits, guest_env, stdin, (stdout, stderr))?;
    prepare(&mut wasi);
    catch_unwind(AssertUnwindSafe(|| {
        let kept = warm.and_then(Pool::take);
        let uses = kept.as_ref().map(Warm::uses);
        let mut sandbox = match kept {
            Some(kept) => Sandbox::wake(kept.parked, program, limits, wasi, when_long),
            None => Sandbox::new(program, limits, wasi, when_long),
        };
        let ready = match uses {
            Some(_) => sandbox.begin(),
            None => sandbox.instantiate(&initializers(program.info())),
        };
        let result = ready.and_then(|()| body(&mut sandbox));
        let trace = sandbox.traced(&result);
        let Some(pool) = warm.filter(|_| result.is_ok()) else {
            return Report { result, usage: sandbox.finish().0, trace };
        };
        let (usage, parked) = sandbox.park();
        if let Some(parked) = parked {
            pool.keep(parked, uses);
        }
        Report { result, usage, trace }
    }))
    .map_err(panicked)
}
