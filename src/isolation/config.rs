//! How guests run in processes.

use std::path::PathBuf;

/// How guests run in processes of their own. When one of them ends, the system tells this process (`SIGCHLD`), which can interrupt
/// system calls of its other threads (`EINTR`).
///
/// ```no_run
/// use fuelbox::{Call, Isolation, Runner, RunnerConfig};
///
/// let isolation = Isolation { processes: 4, ..Isolation::with_program("/usr/bin/fuelbox") };
/// let runner = Runner::new(RunnerConfig { isolation: Some(isolation), ..RunnerConfig::default() })?;
/// runner.load_plugins("plugins")?;
/// assert_eq!(runner.run("greet", Call::bytes("greet", "World"))?.result?, b"Hello, World");
/// # Ok::<(), fuelbox::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Isolation {
    /// The `fuelbox` program, which each process runs.
    pub program: PathBuf,
    /// Processes that run guests at once. Further runs wait.
    pub processes: usize,
    /// Whether a process serves one call only, and not one after the other of its plug-in.
    pub per_call: bool,
    /// Whether to do without a filter of system calls where the kernel has none.
    pub weak: bool,
    /// For tests, where the processes are of a build with debug assertions: whether they meet faults (`child/faults.rs`), and
    /// do without what keeps guests from the interpreter's own.
    #[doc(hidden)]
    pub has_faults: bool,
    /// Whether every plug-in runs in a process, and not only those whose policies say so.
    pub all: bool,
}

impl Isolation {
    /// With this program, in four processes, each for any number of calls.
    pub fn with_program(program: impl Into<PathBuf>) -> Isolation {
        Isolation {
            program: program.into(),
            processes: 4,
            per_call: false,
            weak: false,
            has_faults: false,
            all: true,
        }
    }
}
