//! `fuelbox run`: a program, or a function of numbers.

use super::args::Run;
use super::target::{self, Module};
use super::{Failure, exit, output, report};
use crate::abi::command::{self, Invocation};
use crate::abi::{Job, numeric};
use crate::engine::Program;
use crate::limits::{HOST_CALL_BYTES_MAX, Limits};
use crate::wasi::files::{SharedWriter, SinkTo, Stdin};
use std::ffi::OsString;
use std::io::{Read, Write};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};

/// Chunks of standard input that may wait for the guest, and the size of one in bytes.
const STDIN_CHUNKS: usize = 4;
const STDIN_CHUNK_BYTES: usize = 64 * 1024;
const _: () = assert!(STDIN_CHUNK_BYTES <= HOST_CALL_BYTES_MAX);

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
    let run_report = numeric::run(job(program, &run.limits), func, &params)?;
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
    let env = run.env.iter().map(variable).collect::<Result<Vec<_>, _>>()?;
    let mut args = vec![module.name.clone().into_bytes()];
    args.extend(run.args.iter().map(|arg| bytes(arg.clone())));
    let invocation = Invocation { args, env: env.into_iter().flatten().collect(), stdin: piped_stdin() };
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
        when_long: None,
    }
}

/// Standard input, read by a thread of its own: a guest that waits for it must still meet its deadline,
/// and a blocking read cannot be called off. The thread ends with the process.
fn piped_stdin() -> Stdin {
    let (send, receive) = sync_channel(STDIN_CHUNKS);
    let spawned = std::thread::Builder::new().name("stdin".into()).spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut buffer = vec![0; STDIN_CHUNK_BYTES];
        loop {
            match stdin.read(&mut buffer) {
                Ok(0) => return,
                Ok(n) if send.send(buffer[..n].to_vec()).is_ok() => {}
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                _ => return,
            }
        }
    });
    match spawned {
        Ok(_) => Stdin::Pipe(receive),
        Err(error) => {
            log::error!("no thread for standard input: {error}");
            Stdin::Empty
        }
    }
}

/// A variable's name and value, as bytes.
type Variable = (Vec<u8>, Vec<u8>);

/// `K=V`, or `K` for the value it has here; none if it has none.
fn variable(text: &OsString) -> Result<Option<Variable>, Failure> {
    let whole = bytes(text.clone());
    if let Some(at) = whole.iter().position(|byte| *byte == b'=') {
        return Ok(Some((whole[..at].to_vec(), whole[at + 1..].to_vec())));
    }
    if whole.is_empty() {
        return Err(Failure::new(exit::USAGE, "--env needs K=V or K"));
    }
    Ok(std::env::var_os(text).map(|value| (whole, bytes(value))))
}

#[cfg(unix)]
fn bytes(text: OsString) -> Vec<u8> {
    std::os::unix::ffi::OsStringExt::into_vec(text)
}

#[cfg(not(unix))]
fn bytes(text: OsString) -> Vec<u8> {
    text.to_string_lossy().into_owned().into_bytes()
}
