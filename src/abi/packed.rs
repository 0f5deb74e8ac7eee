//! The packed convention, gowasmrunner's: the module exports `memory`, `allocate(len) -> ptr` and
//! `f(ptr, len) -> i64` whose result is `ptr << 32 | len`. Pointers and lengths are i32 or i64. A
//! `deallocate(ptr, len)`, if exported, is called for the output and then the input.
//!
//! Beyond gowasmrunner's: with bit 31 of the length set, the output is the message of an error.

use super::exports::{ALLOCATE, DEALLOCATE, are_integers, is_packed};
use super::job::{Job, called, exited};
use super::message::shown_message;
use super::reserved::no_function;
use crate::base::error::Error;
use crate::base::heap;
use crate::base::outcome::{Report, Stop};
use crate::module::reader::{ModuleInfo, Ty};
use crate::sandbox::instance::{Ended, Sandbox};
use std::ops::Range;
use wasmi::Val;

/// The bit of a length that says that the output is the message of an error. No output is so long: 2 GiB.
const ERROR: u64 = 1 << 31;

/// Whether `func` can be called this way.
pub fn fits(info: &ModuleInfo, func: &str) -> bool {
    let Some(signature) = info.function(func) else { return false };
    is_packed(info)
        && func != ALLOCATE
        && are_integers(&signature.params, 2)
        && signature.results == [Ty::I64]
}

/// Calls `func` with `input` and gives its output.
///
/// # Errors
/// No such function, one of another convention, or too large an input; a stopped guest is in the report.
pub fn run(job: Job<'_>, func: &str, input: &[u8]) -> Result<Report<Vec<u8>>, Error> {
    job.check_input(input.len())?;
    let info = job.program.info();
    if !fits(info, func) {
        let signature = info.function(func).ok_or_else(|| no_function(info, func))?;
        return Err(Error::Input(format!(
            "`{func}` is {signature}, which does not fit the packed convention: that needs the exports \
             `memory`, `allocate(len) -> ptr` and `{func}(ptr, len) -> i64`"
        )));
    }
    let types = Types {
        allocate: info.function(ALLOCATE).map(|s| s.params.clone()).unwrap_or_default(),
        func: info.function(func).map(|s| s.params.clone()).unwrap_or_default(),
        deallocate: info
            .function(DEALLOCATE)
            .filter(|s| are_integers(&s.params, 2) && s.results.is_empty())
            .map(|s| s.params.clone()),
    };
    let output_bytes = job.limits.output_bytes;
    called(job, |sandbox| exchange(sandbox, &types, func, input, output_bytes))
}

struct Types {
    allocate: Vec<Ty>,
    func: Vec<Ty>,
    deallocate: Option<Vec<Ty>>,
}

fn exchange(
    sandbox: &mut Sandbox<'_>,
    types: &Types,
    func: &str,
    input: &[u8],
    output_bytes: usize,
) -> Result<Vec<u8>, Stop> {
    // A length fits i32 as unsigned: the input cap and guest memory are both below 4 GiB.
    let len = input.len() as u64;
    let pointer = call(sandbox, ALLOCATE, &types.allocate, &[len], true)?;
    let size = sandbox.bytes().len();
    let place = span(pointer, len, size).ok_or_else(|| {
        let what = format!("`{ALLOCATE}({len})` gave pointer {pointer}");
        Stop::Convention(format!("{what}, outside its memory of {size} bytes"))
    })?;
    sandbox.bytes_mut()[place].copy_from_slice(input);

    let packed = call(sandbox, func, &types.func, &[pointer, len], true)?;
    let is_error = packed & ERROR != 0;
    let (out_pointer, out_len) = (packed >> 32, packed & 0xffff_ffff & !ERROR);
    let size = sandbox.bytes().len();
    let place = span(out_pointer, out_len, size).ok_or_else(|| {
        let length = if is_error { "error length" } else { "length" };
        let what = format!("`{func}` gave pointer {out_pointer} and {length} {out_len}");
        Stop::Convention(format!("{what}, outside its memory of {size} bytes"))
    })?;
    if is_error {
        // The instance ends here, so nothing is given back.
        return Err(Stop::Failed { code: 1, message: shown_message(&sandbox.bytes()[place]) });
    }
    if place.len() > output_bytes {
        return Err(Stop::OutputFull { stream: "result", limit: output_bytes });
    }
    let output = copied(sandbox, place)?;
    give_back(sandbox, types, [[out_pointer, out_len], [pointer, len]])?;
    Ok(output)
}

/// Copies this part of the guest's memory.
fn copied(sandbox: &mut Sandbox<'_>, place: Range<usize>) -> Result<Vec<u8>, Stop> {
    let bytes = place.len();
    sandbox.before_copy(bytes)?;
    let output = heap::copy(&sandbox.bytes()[place]).map_err(|_| Stop::NoMemory { what: "the result" })?;
    sandbox.after_copy(bytes)?;
    Ok(output)
}

/// Has the guest free these pointers and lengths, if it can.
fn give_back(sandbox: &mut Sandbox<'_>, types: &Types, places: [[u64; 2]; 2]) -> Result<(), Stop> {
    if let Some(types) = &types.deallocate {
        for args in places {
            match call(sandbox, DEALLOCATE, types, &args, false) {
                Ok(_) => {}
                // The answer is complete and the instance ends here; only the limits still hold.
                Err(Stop::Trap(what)) => {
                    let said = format!("`{DEALLOCATE}` trapped: {what}");
                    sandbox.host().wasi.files.stderr.message(log::Level::Debug, said.as_bytes());
                    // What it was about to free may be half freed.
                    sandbox.let_go();
                    break;
                }
                Err(stop) => return Err(stop),
            }
        }
    }
    Ok(())
}

/// Calls an exported function of integers; gives its result as unsigned, 0 if it has none.
fn call(
    sandbox: &mut Sandbox<'_>,
    name: &str,
    types: &[Ty],
    args: &[u64],
    has_result: bool,
) -> Result<u64, Stop> {
    let func = sandbox.function(name).ok_or_else(|| Stop::Convention(format!("`{name}` is gone")))?;
    let params: Vec<Val> = types
        .iter()
        .zip(args)
        .map(|(ty, arg)| if *ty == Ty::I64 { Val::I64(*arg as i64) } else { Val::I32(*arg as u32 as i32) })
        .collect();
    let mut results = [Val::I32(0)];
    let count = usize::from(has_result);
    match sandbox.call(func, &params, &mut results[..count])? {
        Ended::Exited(code) => Err(exited(code)),
        Ended::Returned => Ok(match results[0] {
            Val::I32(v) => u64::from(v as u32),
            Val::I64(v) => v as u64,
            _ => 0,
        }),
    }
}

/// The range of `len` bytes at `pointer` in a memory of `size` bytes.
fn span(pointer: u64, len: u64, size: usize) -> Option<Range<usize>> {
    let end = pointer.checked_add(len)?;
    if end > size as u64 {
        return None;
    }
    Some(pointer as usize..end as usize)
}
