//! What is kept of a plug-in before a change of it, and what goes for it.

use crate::base::error::Error;
use crate::plugins::beneath;
use crate::plugins::files::{Parts, policy_path, read_module, read_signature, signature_paths};
use crate::plugins::policy::ServerPolicy;
use crate::plugins::signature;
use crate::plugins::versions::{Contents, Versions};
use cap_std::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The version before a change, kept. If the change is not done, and this is dropped, so is what was kept for it: a disk may
/// be full.
#[must_use = "the oldest are to go, once the change is done"]
pub struct Former {
    versions: Versions,
    path: PathBuf,
    most: usize,
    /// The folder that was made for it.
    added: Option<String>,
}

/// What the plug-in at `path` is made of, whose module is `module`.
///
/// # Errors
/// [`Error::Io`].
pub fn in_place(path: &Path, module: Vec<u8>, server: &ServerPolicy) -> Result<Contents, Error> {
    let signatures = signature_paths(path).map(|path| read_signature(&path));
    let [settled, next] = signatures;
    let (settled, next) = (settled?, next?);
    // That of a module that is to follow is not this one's.
    let is_its = |text: &String| signature::verify(&server.trusted_keys, &module, text).is_ok();
    let signature = next.filter(is_its).or(settled);
    let policy = Parts::read_policy(path)?;
    let policy_mode = beneath::metadata(&policy_path(path)).ok().map(|metadata| metadata.mode());
    Ok(Contents { module, policy, signature, policy_mode })
}

impl Former {
    /// Keeps the plug-in `name` as it is at `path`, with `module`, and will leave `most` versions. None of what cannot be read.
    ///
    /// # Errors
    /// [`Error::Io`]; nothing has changed then.
    pub fn keep(
        (name, path): (&str, &Path),
        module: Vec<u8>,
        most: usize,
        server: &ServerPolicy,
    ) -> Result<Option<Former>, Error> {
        let folder = path.parent().unwrap_or(Path::new("."));
        if most == 0 {
            let versions = Versions::open(folder, name)?;
            return Ok(versions.map(|versions| Former { versions, path: path.into(), most, added: None }));
        }
        let contents = match in_place(path, module, server) {
            Ok(contents) => contents,
            Err(error) => {
                log::warn!("plug-in {name}: the version before is not kept: {error}");
                return Ok(None);
            }
        };
        let deployed = beneath::metadata(path).and_then(|metadata| metadata.modified()).ok();
        let versions = Versions::create(folder, name)?;
        let added = versions.keep(&contents, deployed.map(|time| time.into_std()), &server.limits)?;
        Ok(Some(Former { versions, path: path.into(), most, added }))
    }

    /// Removes the oldest versions beyond those that are to be left. What cannot be removed is for the log: the change is done.
    pub fn prune(mut self, server: &ServerPolicy) {
        self.added = None;
        let module = read_module(&self.path, &server.limits).ok();
        let now = module.and_then(|module| in_place(&self.path, module, server).ok());
        if let Err(error) = self.versions.prune(self.most, now.as_ref(), &server.limits) {
            log::warn!("former versions are not removed: {error}");
        }
    }
}

impl Drop for Former {
    fn drop(&mut self) {
        if let Some(added) = &self.added {
            // Why the change is not done is what is told. Where this stays, it is as what is in place, and does not count.
            let _ = self.versions.discard(added);
        }
    }
}
