//! The library's façade: [`Runner`] loads plug-ins and runs guests under one set of limits.

pub(crate) mod path;

use crate::abi::command::Invocation;
use crate::abi::{CallContext, Job, call_bytes, command, numeric, pass_bytes};
use crate::base::error::Error;
use crate::base::limits::{Limits, WarmLimits};
use crate::base::outcome::{Report, Value};
use crate::host::guest_log::{Lines, Origin};
use crate::host::streams::{SharedWriter, SinkTo};
use crate::host::wasi::ctx::GuestEnv;
use crate::plugins::catalog::Catalog;
use crate::plugins::deploy::Deploy;
use crate::plugins::folder::Changes;
use crate::plugins::policy::ServerPolicy;
use crate::plugins::registry::{Plugin, Plugins};
use crate::plugins::signature::TrustedKey;
use crate::plugins::stats::Loads;
use crate::sandbox::program::Program;
use crate::sandbox::tail_calls;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What a [`Runner`] is made with.
#[derive(Default)]
pub struct RunnerConfig {
    /// The limits of every run.
    pub limits: Limits,
    /// How instances are kept between calls of a plug-in; by default none is.
    pub warm: WarmLimits,
    /// Directories within which policies may open some to their plug-ins; by default none.
    pub policy_dirs: Vec<PathBuf>,
    /// Public keys of minisign. If there are any, only modules that one of them has signed load from a folder.
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
/// runner.load_built_in()?;
/// assert_eq!(runner.run_plugin("add", "add", &[10.into(), 20.into()])?, [30.into()]);
/// assert_eq!(runner.run_plugin_string("greet", "greet", b"World")?, b"Hello, World");
/// # Ok::<(), fuelbox::Error>(())
/// ```
pub struct Runner {
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
        config.warm.check().map_err(Error::Limits)?;
        let stdout = config.stdout.map(|writer| Arc::new(Mutex::new(writer)) as SharedWriter);
        let server = ServerPolicy {
            limits: config.limits,
            dirs_within: ServerPolicy::settle(&config.policy_dirs),
            trusted_keys: config.trusted_keys,
        };
        Ok(Runner { catalog: Arc::new(Catalog::new(server, &config.warm)), stdout })
    }

    /// Its plug-ins, and the folder that they come from.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The limits of every run.
    pub fn limits(&self) -> &Limits {
        self.catalog.limits()
    }

    /// The loaded plug-ins.
    pub fn plugins(&self) -> &Plugins {
        self.catalog.plugins()
    }

    /// As [`Catalog::load`].
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be read.
    ///
    /// ```
    /// # use fuelbox::{Runner, RunnerConfig};
    /// let runner = Runner::new(RunnerConfig::default())?;
    /// let changes = runner.load_plugins("guests/prebuilt")?;
    /// assert!(changes.loaded.contains(&"greet".to_string()));
    /// # Ok::<(), fuelbox::Error>(())
    /// ```
    pub fn load_plugins(&self, folder: impl AsRef<Path>) -> Result<Changes, Error> {
        self.catalog.load(folder)
    }

    /// As [`Catalog::reload`].
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be read; everything stays as it was.
    pub fn reload(&self) -> Result<Changes, Error> {
        self.catalog.reload()
    }

    /// As [`Catalog::compare_contents`].
    pub fn compare_contents(&self, of_modules: bool) {
        self.catalog.compare_contents(of_modules);
    }

    /// As [`Catalog::deploy`].
    pub fn deploy<T>(&self, change: impl FnOnce(&mut Deploy<'_>) -> T) -> Option<T> {
        self.catalog.deploy(change)
    }

    /// As [`Catalog::is_loaded`].
    pub fn is_loaded(&self) -> bool {
        self.catalog.is_loaded()
    }

    /// As [`Catalog::loads`].
    pub fn loads(&self) -> &Loads {
        self.catalog.loads()
    }

    /// As [`Catalog::load_built_in`].
    ///
    /// # Errors
    /// [`Error::Load`] if one does not fit under the limits.
    pub fn load_built_in(&self) -> Result<(), Error> {
        self.catalog.load_built_in()
    }

    /// Calls a function of numbers in a loaded plug-in.
    ///
    /// # Errors
    /// As [`Runner::run_function`].
    pub fn run_plugin(&self, name: &str, func: &str, params: &[Value]) -> Result<Vec<Value>, Error> {
        Ok(self.report_plugin(name, func, params)?.result?)
    }

    /// As [`Runner::run_plugin`], with what the run used.
    ///
    /// # Errors
    /// As there, but a stopped guest is in the report.
    ///
    /// ```
    /// # use fuelbox::{Runner, RunnerConfig};
    /// let runner = Runner::new(RunnerConfig::default())?;
    /// runner.load_built_in()?;
    /// let report = runner.report_plugin("fibonacci", "fibonacci", &[20.into()])?;
    /// assert_eq!(report.result?, [6765_i64.into()]);
    /// assert!(report.usage.fuel > 20);
    /// # Ok::<(), fuelbox::Error>(())
    /// ```
    pub fn report_plugin(
        &self,
        name: &str,
        func: &str,
        params: &[Value],
    ) -> Result<Report<Vec<Value>>, Error> {
        let plugin = self.plugins().get(name)?;
        plugin.check_function(func)?;
        numeric::run(self.plugin_job(&plugin, None), func, params)
            .inspect(|report| plugin.stats.ran(&report.usage))
    }

    /// Calls a packed function, or one of an Extism plug-in, of a loaded plug-in: bytes in, bytes out.
    ///
    /// # Errors
    /// As [`Runner::run_function`].
    pub fn run_plugin_string(
        &self,
        name: &str,
        func: &str,
        input: impl AsRef<[u8]>,
    ) -> Result<Vec<u8>, Error> {
        Ok(self.report_plugin_string(name, func, input)?.result?)
    }

    /// As [`Runner::run_plugin_string`], with what the run used.
    ///
    /// # Errors
    /// As there, but a stopped guest is in the report.
    pub fn report_plugin_string(
        &self,
        name: &str,
        func: &str,
        input: impl AsRef<[u8]>,
    ) -> Result<Report<Vec<u8>>, Error> {
        let plugin = self.plugins().get(name)?;
        plugin.check_function(func)?;
        let report = pass_bytes(self.plugin_job(&plugin, None), func, input.as_ref());
        report.inspect(|report| plugin.stats.ran(&report.usage))
    }

    /// Calls `func` of `plugin` by whichever convention it has, bytes in and out; numbers are text.
    ///
    /// # Errors
    /// No such function, input too large or not fitting; a stopped guest is in the report.
    pub fn report_bytes(
        &self,
        plugin: &Plugin,
        func: &str,
        input: &[u8],
        context: CallContext<'_>,
    ) -> Result<Report<Vec<u8>>, Error> {
        plugin.check_function(func)?;
        let job = Job { when_long: context.when_long, ..self.plugin_job(plugin, context.request_id) };
        let report = call_bytes(job, func, input, plugin.policy.convention);
        report.inspect(|report| plugin.stats.ran(&report.usage))
    }

    /// Runs `plugin` as a command; the result is what it wrote to standard output.
    ///
    /// # Errors
    /// The plug-in is no command, or the invocation cannot be passed; a stopped guest is in the report.
    pub fn report_plugin_command(
        &self,
        plugin: &Plugin,
        invocation: Invocation,
        context: CallContext<'_>,
    ) -> Result<Report<Vec<u8>>, Error> {
        plugin.check_function(command::START)?;
        let guest_env = invocation.guest_env.with(&plugin.policy.guest_env);
        let job = self.plugin_job(plugin, context.request_id);
        let job = Job { when_long: context.when_long, warm: None, stdout: SinkTo::Buffer(Vec::new()), ..job };
        let own = plugin.policy.args.iter().map(|arg| arg.clone().into_bytes());
        let args = invocation.args.into_iter().chain(own).collect();
        let report = command::run(job, Invocation { args, guest_env, ..invocation });
        report.inspect(|report| plugin.stats.ran(&report.usage))
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

    fn plugin_job<'a>(&'a self, plugin: &'a Plugin, request_id: Option<&Arc<str>>) -> Job<'a> {
        let bucket = Some(Arc::clone(&plugin.log));
        let origin = Origin { name: plugin.name.as_str().into(), request_id: request_id.cloned(), bucket };
        Job {
            limits: &plugin.policy.limits,
            guest_env: plugin.policy.guest_env.clone(),
            warm: plugin.warm.as_ref(),
            ..self.job(&plugin.program, origin)
        }
    }
}
