//! Plug-ins by name: the folder they come from, and calls of their functions.

use super::Runner;
use crate::abi::command::Invocation;
use crate::abi::{CallContext, Job, call_bytes, command, numeric, pass_bytes};
use crate::base::error::Error;
use crate::base::outcome::{Report, Value};
use crate::host::guest_log::Origin;
use crate::host::streams::SinkTo;
use crate::plugins::catalog::Catalog;
use crate::plugins::deploy::Deploy;
use crate::plugins::folder::Changes;
use crate::plugins::registry::{Plugin, Plugins};
use crate::plugins::stats::Loads;
use std::path::Path;
use std::sync::Arc;

impl Runner {
    /// Its plug-ins, and the folder that they come from.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
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
