//! The library's façade: [`Runner`] loads plug-ins and runs guests under one set of limits.

pub(crate) mod path;
#[cfg(feature = "plugins")]
pub(crate) mod plugin;

use crate::abi::Job;
use crate::base::error::Error;
use crate::base::limits::Limits;
#[cfg(feature = "plugins")]
use crate::base::limits::WarmLimits;
use crate::host::guest_log::{Lines, Origin};
use crate::host::streams::{SharedWriter, SinkTo};
use crate::host::wasi::ctx::GuestEnv;
#[cfg(feature = "plugins")]
use crate::plugins::{catalog::Catalog, policy::ServerPolicy, signature::TrustedKey};
use crate::sandbox::program::Program;
use crate::sandbox::tail_calls;
use std::io::Write;
#[cfg(feature = "plugins")]
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// What a [`Runner`] is made with.
#[derive(Default)]
pub struct RunnerConfig {
    /// The limits of every run.
    pub limits: Limits,
    /// How instances are kept between calls of a plug-in; by default none is.
    #[cfg(feature = "plugins")]
    pub warm: WarmLimits,
    /// Directories within which policies may open some to their plug-ins; by default none.
    #[cfg(feature = "plugins")]
    pub policy_dirs: Vec<PathBuf>,
    /// Public keys of minisign. If there are any, only modules that one of them has signed load from a folder.
    #[cfg(feature = "plugins")]
    pub trusted_keys: Vec<TrustedKey>,
    /// Where guests' standard output goes as it is written (that of commands is their result instead).
    /// Without one it goes to the log, as standard error always does.
    pub stdout: Option<Box<dyn Write + Send>>,
}

/// Runs guests. `Send + Sync`: calls from many threads run in parallel, each in an instance of its own.
///
/// ```
/// use fuelbox::{Runner, RunnerConfig};
///
/// let runner = Runner::new(RunnerConfig::default())?;
/// let sum = runner.run_function("guests/prebuilt/add.wasm", "add", &[10.into(), 20.into()])?;
/// assert_eq!(sum, [30.into()]);
/// # Ok::<(), fuelbox::Error>(())
/// ```
pub struct Runner {
    limits: Limits,
    #[cfg(feature = "plugins")]
    catalog: Arc<Catalog>,
    stdout: Option<SharedWriter>,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("limits", self.limits()).finish_non_exhaustive()
    }
}

impl Runner {
    /// A runner without plug-ins.
    ///
    /// # Errors
    /// [`Error::Limits`] if nothing could run under the limits, [`Error::Build`] if nothing could run safely.
    ///
    /// ```
    /// use fuelbox::{Limits, Runner, RunnerConfig};
    ///
    /// let none = Limits { fuel: 0, ..Limits::default() };
    /// assert!(Runner::new(RunnerConfig { limits: none, ..RunnerConfig::default() }).is_err());
    /// ```
    pub fn new(config: RunnerConfig) -> Result<Runner, Error> {
        tail_calls::check_early()?;
        config.limits.check().map_err(Error::Limits)?;
        let stdout = config.stdout.map(|writer| Arc::new(Mutex::new(writer)) as SharedWriter);
        Ok(Runner {
            #[cfg(feature = "plugins")]
            catalog: {
                config.warm.check().map_err(Error::Limits)?;
                let server = ServerPolicy {
                    limits: config.limits.clone(),
                    dirs_within: ServerPolicy::settle(&config.policy_dirs),
                    trusted_keys: config.trusted_keys,
                };
                Arc::new(Catalog::new(server, &config.warm))
            },
            limits: config.limits,
            stdout,
        })
    }

    /// The limits of every run.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    fn job<'a>(&'a self, program: &'a Program, origin: Origin) -> Job<'a> {
        let origin = Arc::new(origin);
        let log = || SinkTo::Log(Lines::new(&origin));
        let stdout = match &self.stdout {
            Some(writer) => SinkTo::Writer(Arc::clone(writer)),
            None => log(),
        };
        Job {
            program,
            limits: self.limits(),
            stdout,
            stderr: log(),
            guest_env: GuestEnv::default(),
            warm: None,
            when_long: None,
        }
    }
}
