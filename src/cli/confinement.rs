//! The confinement of `fuelbox run` and `fuelbox call`: from the first look at the module on, the process has what it
//! has opened, and nothing else. `docs/security-model.md` says what it loses.

use crate::base::limits::Limits;
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::host::wasi::ctx::GuestEnv;
use crate::isolation::confine::{Rules, calls, files, privileges};
use crate::isolation::helper::Helper;
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::sync::Arc;

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
        has_network: false,
    };
    confined(&rules).map_err(|error| {
        let what =
            format!("this process cannot be confined: {error}; `--confine off` runs the guest without");
        Failure::new(exit::FAILURE, what)
    })
}

/// Has another process make the HTTP calls of a guest whose process will be confined. To be called before that.
pub fn set_calls_apart(wanted: bool, guest_env: &mut GuestEnv, limits: &Limits) -> Result<(), Failure> {
    if !wanted || guest_env.http.is_empty() {
        return Ok(());
    }
    let program = std::env::current_exe();
    let helper = program.and_then(|program| Helper::start(&program, &guest_env.http, limits));
    let helper = helper.map_err(|error| {
        let what = format!("no process for HTTP calls: {error}; `--confine off` runs the guest without");
        Failure::new(exit::FAILURE, what)
    })?;
    guest_env.remote = Some(Arc::new(helper));
    Ok(())
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
