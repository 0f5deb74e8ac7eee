//! The library's face: [`Runner`] runs a target with an input under one set of limits, and gives a report.

#[cfg(feature = "plugins")]
pub(crate) mod plugin;
pub(crate) mod target;

pub use target::Target;

use crate::abi::{CallContext, Input, Job};
use crate::base::error::Error;
use crate::base::limits::Limits;
#[cfg(feature = "plugins")]
use crate::base::limits::WarmLimits;
use crate::base::outcome::Report;
use crate::host::embedder::functions::HostFunctions;
use crate::host::guest_log::{Lines, Origin};
#[cfg(feature = "plugins")]
use crate::host::outbound::allow_list::HttpAllowList;
use crate::host::streams::{SharedWriter, SinkTo};
use crate::host::wasi::ctx::GuestEnv;
#[cfg(all(feature = "isolation", feature = "plugins"))]
use crate::isolation::{Isolation, manager::Manager};
#[cfg(feature = "plugins")]
use crate::plugins::{catalog::Catalog, code::Loader, policy::ServerPolicy, signature::TrustedKey};
use crate::sandbox::file::load_file;
use crate::sandbox::program::{CompileOptions, Program};
use crate::sandbox::tail_calls;
use std::io::Write;
#[cfg(feature = "plugins")]
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// What a [`Runner`] is made with.
///
/// ```
/// use fuelbox::{Limits, Runner, RunnerConfig};
///
/// // What guests print goes to standard error here. `..` leaves the rest, which depends on the features, as it is.
/// let limits = Limits { fuel: 1_000_000, ..Limits::default() };
/// let stdout: Option<Box<dyn std::io::Write + Send>> = Some(Box::new(std::io::stderr()));
/// let runner = Runner::new(RunnerConfig { limits, stdout, ..RunnerConfig::default() })?;
/// assert_eq!(runner.limits().fuel, 1_000_000);
/// # Ok::<(), fuelbox::Error>(())
/// ```
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
    /// URLs that policies may allow to their plug-ins; by default those with public addresses.
    #[cfg(feature = "plugins")]
    pub policy_http: HttpAllowList,
    /// Public keys of minisign. If there are any, only modules that one of them has signed load from a folder.
    #[cfg(feature = "plugins")]
    pub trusted_keys: Vec<TrustedKey>,
    /// The processes that plug-ins run in; by default they run in this one.
    #[cfg(all(feature = "isolation", feature = "plugins"))]
    pub isolation: Option<Isolation>,
    /// Where guests' standard output goes as it is written (that of commands is their result instead).
    /// Without one it goes to the log, as standard error always does.
    pub stdout: Option<Box<dyn Write + Send>>,
    /// Functions that guests may import; by default none. Guests in processes of their own have none of them.
    pub host_functions: HostFunctions,
}

/// Runs guests. `Send + Sync`: runs from many threads go on in parallel, each in an instance of its own.
///
/// ```
/// use fuelbox::{Call, Invocation, Runner, RunnerConfig, Stdin};
/// use std::path::Path;
///
/// let runner = Runner::new(RunnerConfig::default())?;
/// let add = Path::new("guests/prebuilt/add.wasm");
/// let report = runner.run(add, Call::values("add", &[10.into(), 20.into()]))?;
/// assert_eq!(report.result?, [30.into()]);
///
/// let count = Path::new("guests/prebuilt/wordcount.wasm");
/// let stdin = Stdin::Bytes(b"one two\n".to_vec());
/// let report = runner.run(count, Invocation { stdin, ..Invocation::default() })?;
/// assert_eq!(report.result?, b"1 2 8\n");
/// # Ok::<(), fuelbox::Error>(())
/// ```
pub struct Runner {
    limits: Limits,
    #[cfg(feature = "plugins")]
    catalog: Arc<Catalog>,
    stdout: Option<SharedWriter>,
    compile_options: CompileOptions,
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
        let compile_options =
            CompileOptions { host_functions: config.host_functions, ..CompileOptions::default() };
        Ok(Runner {
            #[cfg(feature = "plugins")]
            catalog: {
                config.warm.check().map_err(Error::Limits)?;
                let loader = Loader::with(compile_options.clone());
                #[cfg(feature = "isolation")]
                let loader = match &config.isolation {
                    Some(isolation) => loader.in_processes(Manager::new(isolation.clone())),
                    None => loader,
                };
                let server = ServerPolicy {
                    loader,
                    limits: config.limits.clone(),
                    dirs_within: ServerPolicy::settle(&config.policy_dirs),
                    http_within: config.policy_http,
                    trusted_keys: config.trusted_keys,
                };
                Arc::new(Catalog::new(server, &config.warm))
            },
            limits: config.limits,
            stdout,
            compile_options,
        })
    }

    /// The limits of every run.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Compiles `bytes`, a binary module or (with the feature `wat`) its text format, to be run as often as one likes.
    /// `name` is what errors and the log call it.
    ///
    /// # Errors
    /// As [`Program::compile`].
    pub fn compile(&self, name: &str, bytes: &[u8]) -> Result<Program, Error> {
        Program::compile_with(name, bytes, &self.limits, &self.compile_options)
    }

    /// Runs `target` with `input`: a [`Call`](crate::Call) of a function, or the [`Invocation`](crate::Invocation) of a
    /// program. A guest that was stopped is in the report, as is what it used.
    ///
    /// # Errors
    /// What cannot be read, loaded, found or passed.
    ///
    /// ```
    /// use fuelbox::{Call, Limits, Runner, RunnerConfig, Stop};
    /// use std::path::Path;
    ///
    /// let limits = Limits { fuel: 1_000, ..Limits::default() };
    /// let runner = Runner::new(RunnerConfig { limits, ..RunnerConfig::default() })?;
    /// let report = runner.run(Path::new("guests/prebuilt/infinite-loop.wasm"), Call::values("spin", &[]))?;
    /// assert_eq!(report.result, Err(Stop::OutOfFuel { limit: 1_000 }));
    /// assert_eq!(report.usage.fuel, 1_000);
    /// # Ok::<(), fuelbox::Error>(())
    /// ```
    pub fn run<'a, I: Input>(
        &self,
        target: impl Into<Target<'a>>,
        input: I,
    ) -> Result<Report<I::Output>, Error> {
        self.run_in(target.into(), input, CallContext::default())
    }

    /// As [`Runner::run`], for whoever has more to say of how.
    pub(crate) fn run_in<I: Input>(
        &self,
        target: Target<'_>,
        input: I,
        context: CallContext<'_>,
    ) -> Result<Report<I::Output>, Error> {
        match target {
            #[cfg(feature = "plugins")]
            Target::Plugin(name) => self.run_plugin(&*self.plugins().get(name)?, input, context),
            Target::Path(path) => {
                let program = load_file(path, &self.limits, &self.compile_options)?;
                self.run_in(Target::Program(&program), input, context)
            }
            Target::Program(program) => {
                let origin = Origin { name: program.name().into(), ..Origin::default() };
                input.run(self.job::<I>(program, origin, context))
            }
        }
    }

    /// A run of `program` by a guest that the log calls `origin`.
    fn job<'a, I: Input>(
        &'a self,
        program: &'a Program,
        origin: Origin,
        context: CallContext<'a>,
    ) -> Job<'a> {
        let (stdout, stderr) = self.outputs::<I>(origin, (context.stdout, context.stderr));
        Job {
            program,
            limits: &self.limits,
            stdout,
            stderr,
            guest_env: GuestEnv::default(),
            warm: None,
            when_long: context.hooks.when_long,
        }
    }

    /// Where the outputs of a guest that the log calls `origin` go, if nothing else is given.
    fn outputs<I: Input>(&self, origin: Origin, given: (Option<SinkTo>, Option<SinkTo>)) -> (SinkTo, SinkTo) {
        let origin = Arc::new(origin);
        let log = || SinkTo::Log(Lines::new(&origin));
        let stdout = match &self.stdout {
            _ if I::IS_STDOUT => SinkTo::Buffer(Vec::new()),
            Some(writer) => SinkTo::Writer(Arc::clone(writer)),
            None => log(),
        };
        (given.0.unwrap_or(stdout), given.1.unwrap_or_else(log))
    }
}
