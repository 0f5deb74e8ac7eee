//! The convention of plug-ins built with Extism's development kits: a function without parameters, which asks
//! its host for the input, tells it the output, and returns 0 or, after it told of an error, a code.

use super::job::{Job, called};
use super::message::shown_message;
use super::reserved::no_function;
use crate::base::error::Error;
use crate::base::heap;
use crate::base::outcome::{Report, Stop};
use crate::host::extism;
use crate::host::extism::calls;
use crate::host::extism::memory::Blocks;
use crate::module::reader::{ModuleInfo, Signature, Ty};
use crate::sandbox::instance::{Ended, Sandbox};
use wasmi::Val;

/// Whether `signature` is that of a plug-in's function.
pub fn is_callable(signature: &Signature) -> bool {
    signature.params.is_empty() && matches!(signature.results[..], [] | [Ty::I32])
}

/// Whether `func` can be called this way, and its module was made for it.
pub fn fits(info: &ModuleInfo, func: &str) -> bool {
    extism::is_imported(info) && info.function(func).is_some_and(is_callable)
}

/// Calls `func` with `input` and gives its output.
///
/// # Errors
/// No such function, one with parameters or another result, or too large an input; a stopped guest is in the
/// report.
pub fn run(job: Job<'_>, func: &str, input: &[u8]) -> Result<Report<Vec<u8>>, Error> {
    job.check_input(input.len())?;
    let info = job.program.info();
    let signature = info.function(func).ok_or_else(|| no_function(info, func))?;
    if !is_callable(signature) {
        return Err(Error::Input(format!(
            "`{func}` is {signature}, which does not fit the extism convention: that needs () -> i32"
        )));
    }
    let has_code = !signature.results.is_empty();
    let output_bytes = job.limits.output_bytes;
    called(job, |sandbox| exchange(sandbox, (func, has_code), input, output_bytes))
}

fn exchange(
    sandbox: &mut Sandbox<'_>,
    (func, has_code): (&str, bool),
    input: &[u8],
    output_bytes: usize,
) -> Result<Vec<u8>, Stop> {
    let callee = sandbox.function(func).ok_or_else(|| Stop::Convention(format!("`{func}` is gone")))?;
    let host = sandbox.host();
    host.clear_blocks(0);
    calls::set_input(host, input)?;
    let mut results = [Val::I32(0)];
    let ended = sandbox.call(callee, &[], &mut results[..usize::from(has_code)]);
    let message = told(&sandbox.host().blocks);
    let code = match ended {
        Ok(Ended::Returned) => results[0].i32().unwrap_or(0),
        // The end of a program, which may have set its output before.
        Ok(Ended::Exited(0)) => 0,
        Ok(Ended::Exited(code)) if message.is_none() => return Err(Stop::Exit(code)),
        Ok(Ended::Exited(code)) => code as i32,
        Err(Stop::Trap(trap)) => {
            return Err(Stop::Trap(match message {
                Some(message) => format!("{trap}; before, it told of an error: {message}"),
                None => trap,
            }));
        }
        Err(stop) => return Err(stop),
    };
    if code != 0 || message.is_some() {
        return Err(Stop::Failed { code, message: message.unwrap_or_default() });
    }
    let bytes = sandbox.host().blocks.output().len();
    if bytes > output_bytes {
        return Err(Stop::OutputFull { stream: "result", limit: output_bytes });
    }
    sandbox.before_copy(bytes)?;
    let output = heap::copy(sandbox.host().blocks.output());
    let output = output.map_err(|_| Stop::NoMemory { what: "the output" })?;
    sandbox.after_copy(bytes)?;
    Ok(output)
}

/// The message of the error that it told of; empty if it set one that is not there any more.
fn told(blocks: &Blocks) -> Option<String> {
    (blocks.error() != 0).then(|| blocks.get(blocks.error()).map(shown_message).unwrap_or_default())
}
