//! What a process says, made fit for use: it may say what no process of ours would.

use super::wire::{Facts, Failure, Ran, read_head};
use crate::base::error::{Error, LoadProblem};
use crate::base::escape::{cut, printable, printable_lines};
use crate::base::limits::{Limits, MESSAGE_BYTES_MAX, REPLY_HEAD_BYTES_MAX, SCHEMAS_BYTES_MAX};
use crate::base::outcome::Stop;
use crate::base::trace::Chain;
use crate::host::reply::Trailers;
use std::time::Duration;

/// A text that is shown as it is.
fn shown(text: &mut String) {
    let clean = cut(&printable(text), MESSAGE_BYTES_MAX);
    if clean != *text {
        *text = clean;
    }
}

/// A text that is escaped where it is shown.
fn short(text: &mut String) {
    if text.len() > MESSAGE_BYTES_MAX {
        *text = cut(text, MESSAGE_BYTES_MAX);
    }
}

/// A run's report, with the time that it took; false if no run under the limits can have it.
pub fn ran(ran: &mut Ran, bytes: usize, (limits, took): (&Limits, Duration)) -> bool {
    let usage = &mut ran.usage;
    usage.fuel = usage.fuel.min(limits.fuel);
    usage.peak_pages = usage.peak_pages.min(limits.memory_pages);
    usage.instantiate = usage.instantiate.min(took);
    usage.run = usage.run.min(took);
    if let Err(stop) = &mut ran.result {
        stopped(stop);
    }
    if let Some(Chain { fault, frames }) = &mut ran.chain {
        fault.iter_mut().for_each(shown);
        for frame in frames {
            shown(&mut frame.name);
            frame.line.iter_mut().for_each(shown);
        }
    }
    bytes <= limits.output_bytes
        && fields_bytes(&ran.trailers) <= REPLY_HEAD_BYTES_MAX
        && !matches!(ran.result, Err(Stop::Died { .. }))
}

/// Bytes of trailers as they are printed: a response has no more of them than of a head.
fn fields_bytes(trailers: &Trailers) -> usize {
    trailers.iter().map(|(name, value)| name.len() + value.len() + ": \r\n".len()).sum()
}

/// The head of an answer, whose bytes stay in `answer`; none if no process of ours says that.
pub fn answer(answer: &mut Vec<u8>, limits: &Limits, took: Duration) -> Option<Result<Ran, Error>> {
    let (head, end) = read_head::<Result<Ran, Failure>>(answer)?;
    answer.drain(..end);
    match head {
        Ok(mut report) => ran(&mut report, answer.len(), (limits, took)).then_some(Ok(report)),
        Err(mut said) => {
            failure(&mut said);
            Some(Err(said.into_error("the module")))
        }
    }
}

/// An error of a run or of loading.
pub fn failure(failure: &mut Failure) {
    match failure {
        Failure::Guest(stop) => stopped(stop),
        Failure::NoFunction { name, known, .. } => {
            short(name);
            known.show();
        }
        Failure::Limits(what) | Failure::Build(what) | Failure::Internal(what) => shown(what),
        Failure::Reserved { name: what } | Failure::Input(what) => short(what),
        Failure::Load(problem) => load(problem),
        Failure::InputTooLarge { .. } => {}
    }
}

fn load(problem: &mut LoadProblem) {
    match problem {
        LoadProblem::NotWasm(what) | LoadProblem::Invalid(what) => short(what),
        LoadProblem::Import { import, why } => {
            short(import);
            short(why);
        }
        LoadProblem::HostFunctions { names } => names.iter_mut().for_each(short),
        LoadProblem::TooLarge { .. }
        | LoadProblem::Memory { .. }
        | LoadProblem::Table { .. }
        | LoadProblem::NoMemory { .. } => {}
    }
}

/// What is known of a module; none if no module under `limits` is so.
pub fn facts(mut facts: Facts, limits: &Limits) -> Option<Facts> {
    facts.info.index_exports();
    let pages = facts.info.memory.map_or(0, |memory| memory.min_pages);
    // With the names of the functions.
    let is_so = facts.schemas.len() <= 2 * SCHEMAS_BYTES_MAX
        && facts.size <= limits.module_bytes
        && pages <= u64::from(limits.memory_pages)
        && facts.info.table_elements <= u64::from(limits.table_elements);
    is_so.then_some(facts)
}

fn stopped(stop: &mut Stop) {
    match stop {
        Stop::Failed { message, .. } => {
            let clean = printable_lines(&cut(message, MESSAGE_BYTES_MAX + '…'.len_utf8()));
            if clean != *message {
                *message = clean;
            }
        }
        Stop::Trap(what) | Stop::Convention(what) | Stop::MemoryDenied { trap: what, .. } => short(what),
        Stop::Deadline { why: Some(why), .. } => shown(why),
        _ => {}
    }
}
