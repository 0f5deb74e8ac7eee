//! What a process says, made fit for use: it may say what no process of ours would.

use super::wire::{Facts, Failure, Ran};
use crate::base::escape::{cut, printable, printable_lines};
use crate::base::limits::{Limits, MESSAGE_BYTES_MAX};
use crate::base::outcome::{Stop, Usage};

/// A text that is shown as it is.
fn shown(text: &mut String) {
    let clean = cut(&printable(text), MESSAGE_BYTES_MAX);
    if clean != *text {
        *text = clean;
    }
}

/// A run's report; false if no run under `limits` can have it.
pub fn ran(ran: &mut Ran, bytes: usize, limits: &Limits) -> bool {
    usage(&mut ran.usage, limits);
    if let Err(stop) = &mut ran.result {
        stopped(stop);
    }
    bytes <= limits.output_bytes && !matches!(ran.result, Err(Stop::Died { .. }))
}

/// An error of a run or of loading.
pub fn failure(failure: &mut Failure) {
    match failure {
        Failure::Guest(stop) => stopped(stop),
        Failure::NoFunction { known, .. } => known.show(),
        Failure::Limits(what) | Failure::Build(what) | Failure::Internal(what) => shown(what),
        // These are escaped where they are shown.
        Failure::Load(_) | Failure::Reserved { .. } | Failure::Input(_) | Failure::InputTooLarge { .. } => {}
    }
}

/// What is known of a module of `size` bytes.
pub fn facts(facts: &mut Facts) {
    facts.info.index_exports();
}

fn stopped(stop: &mut Stop) {
    if let Stop::Failed { message, .. } = stop {
        let clean = printable_lines(&cut(message, MESSAGE_BYTES_MAX + '…'.len_utf8()));
        if clean != *message {
            *message = clean;
        }
    }
}

fn usage(usage: &mut Usage, limits: &Limits) {
    usage.fuel = usage.fuel.min(limits.fuel);
    usage.peak_pages = usage.peak_pages.min(limits.memory_pages);
}
