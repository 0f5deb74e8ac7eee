//! The confinement of `fuelbox run` and `fuelbox call`: from the first look at the module on, the process has what it
//! has opened, and nothing else. `docs/security-model.md` says what it loses.

use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::host::wasi::ctx::GuestEnv;
use crate::isolation::confine::{Rules, calls, files, privileges};
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;

/// Confines this process, which keeps the directories of `guest_env`, unless `wanted` is false. What the kernel does not
/// have is left out.
///
/// Threads that exist already keep their files: the writer of stderr must not have begun. Others may come later: the
/// writer, the reader of stdin, the watchdog.
pub fn confine(wanted: bool, guest_env: &GuestEnv) -> Result<(), Failure> {
    if !wanted {
        return Ok(());
    }
    let rules = Rules {
        dirs: guest_env.dirs.iter().map(|dir| (dir.dir.as_fd(), dir.read_only)).collect(),
        // The limits of the run bound them.
        descriptors: u64::MAX,
        // The outputs may be files.
        file_bytes: None,
        makes_threads: true,
        receives: false,
    };
    confined(&rules).map_err(|error| {
        let what =
            format!("this process cannot be confined: {error}; `--confine off` runs the guest without");
        Failure::new(exit::FAILURE, what)
    })
}

fn confined(rules: &Rules<'_>) -> io::Result<()> {
    privileges()?;
    let enforced = files(rules)?;
    let has_filters = match calls(rules) {
        Err(error) if error.kind() == ErrorKind::Unsupported => false,
        other => other.map(|()| true)?,
    };
    // Only now: the log has a thread.
    match enforced.landlock {
        Some(abi) => log::debug!("Landlock ABI {abi}, seccomp filters: {has_filters}"),
        None => log::debug!("the kernel has no Landlock; seccomp filters: {has_filters}"),
    }
    Ok(())
}
