//! What the benchmarks of calls share.

use fuelbox::abi::Job;
use fuelbox::host::streams::SinkTo;
use fuelbox::{GuestEnv, Limits, Program};

/// A call in a new instance, whose output goes to the log.
pub fn job<'a>(program: &'a Program, limits: &'a Limits) -> Job<'a> {
    let log = || SinkTo::log("guest");
    Job {
        program,
        limits,
        stdout: log(),
        stderr: log(),
        guest_env: GuestEnv::default(),
        warm: None,
        when_long: None,
    }
}
