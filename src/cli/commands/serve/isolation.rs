//! Where the guests of a server run, and whether the kernel can confine them there.

use crate::base::error::Error;
use crate::cli::args::command::{IsolationArgs, Serve};
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::site;
use crate::isolation::Isolation;
use crate::isolation::confine::{Support, support};
use crate::plugins::code::Place;
use crate::runner::Runner;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The runner that `make` makes, with processes as the flags say. The log says what the kernel lacks to confine them.
///
/// # Errors
/// Those of `make`. Processes are asked for, and none can be had; or the kernel has no filters of system calls, and the
/// flags do not allow to do without.
pub fn runner(serve: &Serve, make: impl Fn(Isolation) -> Result<Runner, Error>) -> Result<Runner, Failure> {
    let IsolationArgs { place, per_call, weak } = serve.isolation;
    let has_processes = said(place, &support(), weak)? == Place::Process;
    if has_processes {
        raise_descriptors();
    }
    let processes = |all| Isolation { processes: serve.workers, per_call, weak, all, ..site::processes() };
    let runner = make(processes(has_processes))?;
    match if has_processes { runner.check_isolation() } else { Ok(()) } {
        Ok(()) => Ok(runner),
        Err(error) if place.is_none() => {
            log::warn!("guests run in threads of this process: no process for guests can be had: {error}");
            Ok(make(processes(false))?)
        }
        Err(error) => Err(error.into()),
    }
}

/// Has this process as many descriptors as it may: each module takes one. The usual limit, 1,024, is for programs that use
/// select(2).
fn raise_descriptors() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // It may be above what the kernel allows now; then it stays.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// The place, if `asked` is what the flags say.
fn said(asked: Option<Place>, support: &Support, is_weak: bool) -> Result<Place, Failure> {
    let calls = match (asked, support.seccomp, is_weak) {
        (Some(Place::Thread), ..) => {
            log::info!("guests run in threads of this process (--isolation thread)");
            return Ok(Place::Thread);
        }
        (_, true, _) => "a filter of system calls",
        (_, false, true) => "no filter of system calls (the kernel has none; --isolation-weak)",
        (Some(Place::Process), false, false) => {
            let what = "--isolation process: this kernel has no filter of system calls (seccomp), so that a guest that takes \
                        its process over can do what fuelbox can; --isolation-weak allows that";
            return Err(Failure::new(exit::FAILURE, what));
        }
        (None, false, false) => {
            log::warn!(
                "guests run in threads of this process: this kernel has no filter of system calls (seccomp) to confine \
                 processes with"
            );
            return Ok(Place::Thread);
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
    Ok(Place::Process)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_are_the_default_where_the_kernel_confines_them() {
        let none = Support { landlock: None, seccomp: false };
        let old = Support { landlock: None, seccomp: true };
        let (process, thread) = (Some(Place::Process), Some(Place::Thread));
        for (asked, support, is_weak, expected) in [
            (None, old, false, Place::Process),
            (None, none, true, Place::Process),
            (None, none, false, Place::Thread),
            (process, old, false, Place::Process),
            (process, none, true, Place::Process),
            (thread, old, false, Place::Thread),
        ] {
            assert_eq!(said(asked, &support, is_weak).ok(), Some(expected), "{asked:?} {support:?}");
        }
        assert!(said(process, &none, false).unwrap_err().message.contains("--isolation-weak allows that"));
    }
}
