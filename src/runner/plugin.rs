//! Plug-ins by name: the folder they come from, and their runs.

use super::Runner;
use crate::abi::{CallContext, FromPolicy, Input, Job};
use crate::base::error::Error;
use crate::base::outcome::Report;
use crate::host::guest_log::Origin;
use crate::plugins::catalog::Catalog;
use crate::plugins::folder::Changes;
use crate::plugins::registry::{Plugin, Plugins};
use std::path::Path;
use std::sync::Arc;

impl Runner {
    /// Loads the modules in `folder`, each under its file name without the ending. A file that does not
    /// load is reported in the result and skipped. Files that were changed a moment ago are looked at again, which
    /// takes a tenth of a second.
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

    /// Looks for changes in the folder of [`Runner::load_plugins`]: new, replaced and removed modules. A
    /// replacement that does not load leaves the old module serving. A change counts when looks have found
    /// the same for a tenth of a second, so this has to be called twice ([`Changes::unsettled`]). Lets go of warm
    /// instances that have been idle for too long, too.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be read; everything stays as it was.
    ///
    /// ```
    /// # use fuelbox::{Runner, RunnerConfig};
    /// # use std::time::Duration;
    /// let runner = Runner::new(RunnerConfig::default())?;
    /// runner.load_plugins("guests/prebuilt")?;
    /// // Every now and then:
    /// assert!(runner.reload()?.is_empty());
    /// # Ok::<(), fuelbox::Error>(())
    /// ```
    pub fn reload(&self) -> Result<Changes, Error> {
        self.catalog.expire_warm();
        self.catalog.reload()
    }

    /// Adds the example guests that are built into the crate.
    ///
    /// # Errors
    /// [`Error::Load`] if one does not fit under the limits.
    ///
    /// ```
    /// # use fuelbox::{Call, Runner, RunnerConfig};
    /// let runner = Runner::new(RunnerConfig::default())?;
    /// runner.load_built_in()?;
    /// assert_eq!(runner.run("greet", Call::bytes("greet", "World"))?.result?, b"Hello, World");
    /// # Ok::<(), fuelbox::Error>(())
    /// ```
    pub fn load_built_in(&self) -> Result<(), Error> {
        self.catalog.load_built_in()
    }

    /// Its plug-ins, and the folder that they come from.
    #[doc(hidden)]
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The loaded plug-ins.
    #[doc(hidden)]
    pub fn plugins(&self) -> &Plugins {
        self.catalog.plugins()
    }

    /// Runs `plugin` under its policy.
    pub(crate) fn run_plugin<I: Input>(
        &self,
        plugin: &Plugin,
        input: I,
        context: CallContext<'_>,
    ) -> Result<Report<I::Output>, Error> {
        plugin.check_function(input.function())?;
        let policy = &plugin.policy;
        let given =
            FromPolicy { convention: policy.convention, guest_env: &policy.guest_env, args: &policy.args };
        let origin = Origin {
            name: plugin.name.as_str().into(),
            request_id: context.request_id.cloned(),
            bucket: Some(Arc::clone(&plugin.log)),
        };
        let job = self.job::<I>(&plugin.program, origin, context);
        let job = Job { limits: &policy.limits, warm: plugin.warm.as_ref(), ..job };
        let report = input.under(&given).run(job)?;
        plugin.stats.ran(&report.usage);
        Ok(report)
    }
}
