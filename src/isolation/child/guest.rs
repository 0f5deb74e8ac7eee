//! The plug-in that this process is for: its module, and runs of it.

use super::callout::Server;
use super::outlet::{Frames, Way};
use super::pieces::Pieces;
use crate::abi::given::Given;
use crate::abi::{Call, FromPolicy, Input, Invocation, Job, command, schemas, try_instance};
use crate::base::error::Error;
use crate::base::heap;
use crate::base::limits::Limits;
use crate::base::lock::lock;
use crate::base::outcome::{Report, Stop, Value};
use crate::base::trace::{Chain, Trace};
use crate::host::outbound::way::Remote;
use crate::host::reply::Reply;
use crate::host::streams::{SinkTo, Stdin};
use crate::host::wasi::ctx::GuestEnv;
use crate::isolation::wire::{Binding, Facts, Frame, Ran, Values};
use crate::sandbox::pool::{Budget, Pool};
use crate::sandbox::program::{CompileOptions, Program, Tracing, Translation};
use std::cell::Cell;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex};

/// The plug-in, loaded.
pub struct Guest {
    program: Program,
    limits: Limits,
    policy: FromDoor,
    warm: Option<Pool>,
    /// Whether all of its code was tried.
    is_tried: bool,
    frames: Arc<Mutex<Frames>>,
    #[cfg(debug_assertions)]
    has_faults: bool,
}

/// What the policy gives.
struct FromDoor {
    convention: Option<crate::abi::Convention>,
    guest_env: GuestEnv,
    args: Vec<String>,
    is_traced: bool,
}

impl Guest {
    /// Compiles the module in `file` as `binding` says; `guest_env` has its directories.
    ///
    /// # Errors
    /// As [`Program::compile`].
    pub fn load(
        binding: Binding,
        file: &File,
        guest_env: GuestEnv,
        frames: &Arc<Mutex<Frames>>,
    ) -> Result<Guest, Error> {
        let bytes = read(file, binding.module_bytes)?;
        Guest::compile(binding, bytes, guest_env, frames)
    }

    /// As [`Guest::load`], with the bytes of the module.
    ///
    /// # Errors
    /// As there.
    pub fn compile(
        binding: Binding,
        bytes: Vec<u8>,
        guest_env: GuestEnv,
        frames: &Arc<Mutex<Frames>>,
    ) -> Result<Guest, Error> {
        let Binding {
            name,
            limits,
            convention,
            args,
            warm,
            is_traced,
            tries_all,
            has_faults,
            environment,
            ..
        } = binding;
        let has_http = environment.has_http;
        let work_arounds = !(cfg!(debug_assertions) && has_faults);
        let translation = if tries_all { Translation::AtLoad } else { Translation::Known };
        let tracing = if is_traced { Tracing::Chain } else { Tracing::Off };
        let options = CompileOptions { translation, work_arounds, tracing, ..CompileOptions::default() };
        let program = Program::compile_bytes(&name, bytes.into(), &limits, &options)?;
        let warm = warm.filter(|_| !command::ends_with_run(program.info()));
        let warm = warm.map(|limits| Pool::new(&limits, &Budget::new(limits.memory_bytes)));
        let remote = has_http.then(|| Arc::new(Server::new(frames, &limits)) as Arc<dyn Remote>);
        let policy = FromDoor { convention, guest_env: GuestEnv { remote, ..guest_env }, args, is_traced };
        #[cfg(debug_assertions)]
        if has_faults && name.contains("dies-while-loading") && !tries_all {
            std::process::abort();
        }
        Ok(Guest {
            program,
            limits,
            policy,
            warm,
            is_tried: tries_all,
            frames: Arc::clone(frames),
            #[cfg(debug_assertions)]
            has_faults,
        })
    }

    /// What is known of it, if it is loaded to find that out.
    pub fn facts(&self) -> Option<Facts> {
        self.is_tried.then(|| Facts {
            info: self.program.info().clone(),
            size: self.program.size(),
            // Processes for runs translate functions at their first call.
            is_slow_to_translate: self.program.has_much_code(),
            schemas: schemas(&self.program),
        })
    }

    /// Whether faults are met.
    #[cfg(debug_assertions)]
    pub fn has_faults(&self) -> bool {
        self.has_faults
    }

    /// Whether runs left anything for the next ones.
    pub fn has_spares(&self) -> bool {
        self.program.has_spares()
    }

    /// Gives back what they left, unless that was just now.
    pub fn trim(&self) {
        self.program.trim();
    }

    /// Makes an instance, and calls nothing.
    ///
    /// # Errors
    /// As [`try_instance`].
    pub fn try_instance(&self) -> Result<Ran, Error> {
        let report = try_instance(&self.program, &self.limits, self.policy.guest_env.clone())?;
        Ok(Ran {
            result: report.result.map(|()| Values(None)),
            usage: report.usage,
            trailers: Vec::new(),
            chain: chain_of(report.trace),
        })
    }

    /// Runs it. The second part of the result are the bytes that it gave.
    ///
    /// # Errors
    /// What does not fit.
    pub fn run(&self, given: Given, bytes: Vec<u8>) -> Result<(Ran, Vec<u8>), Error> {
        match given {
            Given::Values { func, values, environment } => {
                let call = Call::values(&func, &values).guest_env(environment.into());
                Ok(values_of(self.report(call, None)?))
            }
            Given::Bytes { func, convention, environment } => {
                let call = Call::bytes(&func, &bytes).guest_env(environment.into());
                let call = match convention {
                    Some(convention) => call.convention(convention),
                    None => call,
                };
                Ok(bytes_of(self.report(call, None)?))
            }
            Given::Program { args, entry, environment, has_stdin, streams } => {
                let stdin = if has_stdin { Stdin::Bytes(bytes) } else { Stdin::Empty };
                let invocation = Invocation { args, entry, stdin, guest_env: environment.into() };
                let pieces = streams.then(|| Pieces::new(&self.frames));
                let trailers = pieces.as_ref().map(Pieces::trailers);
                let (ran, bytes) = bytes_of(self.report(invocation, pieces)?);
                let trailers = trailers.map(|trailers| std::mem::take(&mut *lock(&trailers)));
                Ok((Ran { trailers: trailers.unwrap_or_default(), ..ran }, bytes))
            }
        }
    }

    fn report<I: Input>(&self, input: I, pieces: Option<Pieces>) -> Result<Report<I::Output>, Error> {
        let FromDoor { convention, guest_env, args, is_traced } = &self.policy;
        let given = FromPolicy { convention: *convention, guest_env, args, is_traced: *is_traced };
        let is_long = Cell::new(false);
        let when_long = || {
            if !is_long.replace(true) {
                lock(&self.frames).send(Frame::Long, &[]);
            }
        };
        let job = self.job(I::IS_STDOUT, &when_long);
        let reply = pieces.map(|pieces| SinkTo::Reply(Reply::new(Box::new(pieces))));
        let stdout = reply.unwrap_or(job.stdout);
        input.under(&given).run(Job { stdout, ..job })
    }

    fn job<'a>(&'a self, keeps_stdout: bool, when_long: &'a dyn Fn()) -> Job<'a> {
        let way = |kind| SinkTo::Elsewhere(Box::new(Way::new(&self.frames, kind)));
        Job {
            program: &self.program,
            limits: &self.limits,
            stdout: if keeps_stdout { SinkTo::Buffer(Vec::new()) } else { way(Frame::Stdout) },
            stderr: way(Frame::Stderr),
            guest_env: GuestEnv::default(),
            warm: self.warm.as_ref(),
            when_long: Some(when_long),
        }
    }
}

/// The first `size` bytes of a module.
fn read(file: &File, size: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = heap::zeroed(size).map_err(|_| Stop::NoMemory { what: "the input" })?;
    // Not from its position, which other processes share.
    let read = file.read_exact_at(&mut bytes, 0);
    read.map_err(|error| Error::Internal(format!("the module cannot be read: {error}")))?;
    Ok(bytes)
}

/// The chain of calls of a trace.
fn chain_of(trace: Option<Box<Trace>>) -> Option<Chain> {
    trace.and_then(|trace| trace.chain)
}

fn values_of(report: Report<Vec<Value>>) -> (Ran, Vec<u8>) {
    let result = report.result.map(|values| Values(Some(values)));
    (Ran { result, usage: report.usage, trailers: Vec::new(), chain: chain_of(report.trace) }, Vec::new())
}

fn bytes_of(report: Report<Vec<u8>>) -> (Ran, Vec<u8>) {
    let (result, bytes) = match report.result {
        Ok(bytes) => (Ok(Values(None)), bytes),
        Err(stop) => (Err(stop), Vec::new()),
    };
    (Ran { result, usage: report.usage, trailers: Vec::new(), chain: chain_of(report.trace) }, bytes)
}
