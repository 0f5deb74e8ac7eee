//! Where the guests of a server run, and whether the kernel can confine them there.

use crate::cli::args::command::{IsolationArgs, Serve};
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::site;
use crate::isolation::Isolation;
use crate::isolation::confine::{Support, support};
use crate::plugins::code::Place;

/// The processes of the server.
pub fn of(serve: &Serve) -> Isolation {
    let IsolationArgs { place, per_call, weak } = serve.isolation;
    let all = place == Place::Process;
    Isolation { processes: serve.workers, per_call, weak, all, ..site::processes() }
}

/// Checks what the kernel has to confine processes, if all guests run in some, and says what it lacks.
///
/// # Errors
/// It has no filters of system calls, and the flags do not allow to do without.
pub fn check(serve: &Serve) -> Result<(), Failure> {
    match serve.isolation.place {
        Place::Process => said(&support(), serve.isolation.weak),
        Place::Thread => Ok(()),
    }
}

fn said(support: &Support, is_weak: bool) -> Result<(), Failure> {
    let calls = match (support.seccomp, is_weak) {
        (true, _) => "a filter of system calls",
        (false, true) => "no filter of system calls (the kernel has none; --isolation-weak)",
        (false, false) => {
            let what = "--isolation process: this kernel has no filter of system calls (seccomp), so that a guest that takes \
                        its process over can do what fuelbox can; --isolation-weak allows that";
            return Err(Failure::new(exit::FAILURE, what));
        }
    };
    match support.landlock {
        Some(version) => {
            log::info!("guests run in processes, confined by {calls} and Landlock (ABI {version})")
        }
        None => log::warn!(
            "guests run in processes, confined by {calls}; this kernel has no Landlock, so that those of a plug-in with \
             directories could open other files, too"
        ),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_filters_only_the_flag_helps() {
        let (none, old) =
            (Support { landlock: None, seccomp: false }, Support { landlock: None, seccomp: true });
        assert!(said(&none, false).unwrap_err().message.contains("--isolation-weak allows that"));
        assert!(said(&none, true).is_ok() && said(&old, false).is_ok());
    }
}
