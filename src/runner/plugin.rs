//! Plug-ins by name: the folder they come from, and their runs.

use super::Runner;
#[cfg(feature = "isolation")]
use crate::abi::given::Given;
use crate::abi::{CallContext, Input, Job};
use crate::base::error::Error;
#[cfg(feature = "isolation")]
use crate::base::limits::Limits;
use crate::base::outcome::Report;
#[cfg(feature = "isolation")]
use crate::base::outcome::Stop;
#[cfg(feature = "isolation")]
use crate::base::trace::Trace;
use crate::host::guest_log::Origin;
#[cfg(feature = "isolation")]
use crate::host::streams::{Sink, SinkTo};
#[cfg(feature = "isolation")]
use crate::isolation::{Sealed, Spec, manager::BROKEN, relay::Relay, wire::Values};
use crate::plugins::catalog::Catalog;
use crate::plugins::code::Code;
use crate::plugins::folder::Changes;
use crate::plugins::registry::{Plugin, Plugins};
#[cfg(feature = "isolation")]
use crate::sandbox::pool::Pool;
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
        self.catalog.expire_idle();
        self.catalog.reload()
    }

    /// Adds the module in `bytes`, binary or text, as the plug-in `name`, under the limits of this runner and no policy. It
    /// replaces a plug-in with this name, whose calls end with the module that they began with. A file of the folder
    /// of [`Runner::load_plugins`] with this name replaces it in turn when it changes. Signatures are not asked for.
    ///
    /// # Errors
    /// [`Error::Load`] if it does not load; the plug-in stays as it was. [`Error::Input`] for a name that no plug-in can have.
    ///
    /// ```
    /// # use fuelbox::{Call, Runner, RunnerConfig};
    /// let runner = Runner::new(RunnerConfig::default())?;
    /// runner.load_bytes("sum", include_bytes!("../../guests/prebuilt/add.wasm"))?;
    /// let report = runner.run("sum", Call::values("add", &[1.into(), 2.into()]))?;
    /// assert_eq!(report.result?, [3.into()]);
    /// # Ok::<(), fuelbox::Error>(())
    /// ```
    pub fn load_bytes(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        self.catalog.load_bytes(name, bytes)
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

    /// Checks that processes for guests can be started and confined here, if there are to be any.
    ///
    /// # Errors
    /// Why not.
    #[cfg(feature = "isolation")]
    pub(crate) fn check_isolation(&self) -> Result<(), Error> {
        self.catalog.loader().manager().map_or(Ok(()), |manager| manager.check())
    }

    /// The most processes that its guests run in, and the memory that each has without a guest's, in bytes; none if all run
    /// in this process.
    #[cfg(feature = "isolation")]
    pub(crate) fn processes(&self) -> Option<(usize, u64)> {
        let manager = self.catalog.loader().manager()?;
        let bytes = manager.process_bytes();
        (bytes > 0).then(|| (manager.processes(), bytes))
    }

    /// What these processes use now.
    #[cfg(feature = "isolation")]
    pub(crate) fn process_usage(&self) -> Option<crate::isolation::ProcessUsage> {
        self.catalog.loader().manager().map(|manager| manager.usage())
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
        let origin = Origin {
            name: plugin.name.as_str().into(),
            request_id: context.request_id.cloned(),
            bucket: Some(Arc::clone(&plugin.log)),
            tail: context.tail.clone(),
        };
        let policy = &plugin.policy;
        let limits = policy.limits.within(context.deadline);
        let report = match &plugin.code {
            Code::Here(program) => {
                let job = self.job::<I>(program, origin, context);
                let job = Job { limits: &limits, warm: plugin.warm.as_ref(), ..job };
                input.under(&policy.given()).run(job)?
            }
            #[cfg(feature = "isolation")]
            Code::Apart(sealed) => self.run_apart((plugin, sealed, &limits), &input, origin, context)?,
        };
        plugin.stats.ran(&report.usage);
        Ok(report)
    }

    /// Runs `plugin` in a process of its own.
    #[cfg(feature = "isolation")]
    fn run_apart<I: Input>(
        &self,
        (plugin, sealed, limits): (&Plugin, &Arc<Sealed>, &Limits),
        input: &I,
        origin: Origin,
        context: CallContext<'_>,
    ) -> Result<Report<I::Output>, Error> {
        let policy = &plugin.policy;
        let no_process = || Error::Internal(format!("{} has no process", plugin.name));
        let manager = self.catalog.loader().manager().ok_or_else(no_process)?;
        let (mut given, bytes) = input.given()?;
        if bytes.len() > policy.limits.input_bytes {
            return Err(Error::InputTooLarge { size: bytes.len(), limit: policy.limits.input_bytes });
        }
        let (stdout, stderr) = self.outputs::<I>(origin, (context.stdout, context.stderr));
        let output_bytes = policy.limits.output_bytes;
        let (stdout, reply) = match stdout {
            SinkTo::Reply(reply) => (SinkTo::Buffer(Vec::new()), Some(reply.into_recipient())),
            other => (other, None),
        };
        if let Given::Program { streams, .. } = &mut given {
            *streams = reply.is_some();
        }
        let mut relay =
            Relay::to(Sink::new("stdout", output_bytes, stdout), Sink::new("stderr", output_bytes, stderr));
        relay.replies(reply);
        let spec = Spec {
            name: &plugin.name,
            sealed,
            limits,
            policy: policy.given(),
            warm: plugin.warm.as_ref().map(Pool::limits),
            cancel: input.guest_env().cancel.as_ref(),
        };
        let (ran, bytes) = manager.run(&spec, &given, bytes, (&mut relay, context.hooks))?;
        let result = ran.result.and_then(|Values(values)| I::output(values, bytes).ok_or(BROKEN));
        if let Err(Stop::Died { how, .. }) = &result {
            plugin.stats.died(how);
        }
        let trace = ran.chain.map(|chain| Box::new(Trace { chain: Some(chain), profile: None }));
        Ok(Report { result, usage: ran.usage, trace })
    }
}
