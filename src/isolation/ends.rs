//! How a run ends that has no process, or whose process says nothing more.

use super::pool::NoProcess;
use super::process::Process;
use super::wire::Ran;
use crate::base::error::Error;
use crate::base::outcome::{Stop, Usage};
use std::time::Duration;

/// There is none, for whatever reason.
pub const NO_PROCESS: Error = Error::Guest(Stop::NoMemory { what: "a process" });

/// The error of a run without a process.
pub fn no_process(NoProcess(why): NoProcess) -> Error {
    log::debug!("no process for a guest: {why}");
    NO_PROCESS
}

/// What ended a process that is gone, or will be soon.
pub fn died(process: &mut Process, patience: Duration) -> Stop {
    let death = process.death(patience);
    Stop::Died { how: death.how, signal: death.signal }
}

/// The report of a guest whose process said nothing of what it used.
pub fn stopped(stop: Stop, run: Duration) -> Ran {
    Ran { result: Err(stop), usage: Usage { run, ..Usage::default() }, trailers: Vec::new(), chain: None }
}
