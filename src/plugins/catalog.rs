//! All plug-ins of a server: the registry, the folder that fills it, the bounds of all policies, and the
//! results of loading.

use crate::base::error::Error;
use crate::base::limits::{Limits, WarmLimits};
use crate::base::lock::lock;
#[cfg(feature = "isolation")]
use crate::plugins::code::Loader;
use crate::plugins::deploy::{Deploy, is_name};
use crate::plugins::folder::{Changes, Folder};
use crate::plugins::policy::ServerPolicy;
use crate::plugins::registry::Plugins;
use crate::plugins::stats::Loads;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

/// The plug-ins of a server, kept in step with their folder.
#[derive(Debug)]
pub struct Catalog {
    server: ServerPolicy,
    plugins: Plugins,
    folder: Mutex<Option<Folder>>,
    loads: Loads,
    is_loaded: AtomicBool,
}

impl Catalog {
    /// Without plug-ins.
    pub fn new(server: ServerPolicy, warm: &WarmLimits) -> Catalog {
        let (folder, loads, is_loaded) = Default::default();
        Catalog { server, plugins: Plugins::with_warm(warm), folder, loads, is_loaded }
    }

    /// The limits of every run.
    pub fn limits(&self) -> &Limits {
        &self.server.limits
    }

    /// Where modules are loaded.
    #[cfg(feature = "isolation")]
    pub(crate) fn loader(&self) -> &Loader {
        &self.server.loader
    }

    /// The loaded plug-ins.
    pub fn plugins(&self) -> &Plugins {
        &self.plugins
    }

    /// The folder, if one was loaded.
    fn folder(&self) -> MutexGuard<'_, Option<Folder>> {
        lock(&self.folder)
    }

    /// Loads the modules in `folder`, each under its file name without the ending. A file that does not
    /// load is reported in the result and skipped. Files that were changed a moment ago are looked at again, which
    /// takes a tenth of a second.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be read.
    pub fn load(&self, folder: impl AsRef<Path>) -> Result<Changes, Error> {
        let mut folder = Folder::new(folder.as_ref());
        let loaded = folder.load(&self.plugins, &self.server);
        let changes = self.count(loaded)?;
        *self.folder() = Some(folder);
        Ok(changes)
    }

    /// Looks for changes in the folder of [`Catalog::load`]: new, replaced and removed modules. A
    /// replacement that does not load leaves the old module serving. A change counts when looks have found
    /// the same for a tenth of a second, so this has to be called twice ([`Changes::unsettled`]).
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be read; everything stays as it was.
    pub fn reload(&self) -> Result<Changes, Error> {
        match &mut *self.folder() {
            Some(folder) => self.count(folder.scan(&self.plugins, &self.server)),
            None => Ok(Changes::default()),
        }
    }

    /// As [`Catalog::reload`], again and again until the changes count, or a few times where files keep changing.
    ///
    /// # Errors
    /// As [`Catalog::reload`].
    pub fn settle(&self) -> Result<Changes, Error> {
        self.reload()?.settled(|| self.reload())
    }

    /// Has the next looks ([`Catalog::reload`]) find policies whose contents have changed while the states of their files
    /// have not, as those of a mapped file may; and modules too, if `of_modules`. It reads them all.
    pub fn compare_contents(&self, of_modules: bool) {
        if let Some(folder) = &mut *self.folder() {
            folder.compare(&self.plugins, &self.server, of_modules);
        }
    }

    /// Changes the folder of [`Catalog::load`] by `change`, under its lock; none without a folder.
    pub fn deploy<T>(&self, change: impl FnOnce(&mut Deploy<'_>) -> T) -> Option<T> {
        let mut folder = self.folder();
        let (plugins, server, loads) = (&self.plugins, &self.server, &self.loads);
        folder.as_mut().map(|folder| change(&mut Deploy { folder, plugins, server, loads, keep: None }))
    }

    /// Counts what came of a look at the folder.
    fn count(&self, changes: Result<Changes, Error>) -> Result<Changes, Error> {
        let changes = changes.inspect_err(|_| {
            self.loads.unreadable.fetch_add(1, Relaxed);
        })?;
        let loaded = changes.loaded.len() + changes.replaced.len();
        let all = [(&self.loads.loaded, loaded), (&self.loads.removed, changes.removed.len())];
        for (counter, n) in all.into_iter().chain([(&self.loads.failed, changes.failed.len())]) {
            counter.fetch_add(n as u64, Relaxed);
        }
        self.is_loaded.store(true, Relaxed);
        Ok(changes)
    }

    /// Whether plug-ins have been loaded, be it from a folder that held none.
    pub fn is_loaded(&self) -> bool {
        self.is_loaded.load(Relaxed)
    }

    /// What came of the loads so far, built-in guests not counted.
    pub fn loads(&self) -> &Loads {
        &self.loads
    }

    /// Lets go of warm instances that have been idle for too long, of memory that is kept for later calls, and of processes of
    /// plug-ins that are gone. Whoever keeps some calls this now and then; [`crate::plugins::watch::Watch`] does.
    pub fn expire_idle(&self) {
        self.plugins.expire_idle(Instant::now());
        self.server.loader.retire();
    }

    /// Says in the log how many lines of plug-ins were kept out of it, if it is time to; to be called as
    /// [`Catalog::expire_idle`] is.
    pub fn say_dropped_lines(&self) {
        let now = Instant::now();
        self.plugins.loud().iter().for_each(|plugin| plugin.log.say(&plugin.name, now));
    }

    /// Adds the example guests that are built into the crate.
    ///
    /// # Errors
    /// [`Error::Load`] if one does not fit under the limits.
    pub fn load_built_in(&self) -> Result<(), Error> {
        self.plugins.add_built_in(&self.server)?;
        self.is_loaded.store(true, Relaxed);
        Ok(())
    }

    /// Adds the module in `bytes` as the plug-in `name`, or replaces it.
    ///
    /// # Errors
    /// [`Error::Load`] if it does not load; [`Error::Input`] for a name that no plug-in can have.
    pub fn load_bytes(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        if !is_name(name) {
            return Err(Error::Input(format!("{name:?} cannot be the name of a plug-in")));
        }
        self.plugins.add(name, bytes, &self.server)
    }
}
