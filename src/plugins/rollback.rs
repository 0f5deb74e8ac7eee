//! Former versions of deployed plug-ins: what there is, and how one is put back.
//!
//! A version that is put back consists of several files. While they are renamed into place, it is kept as pending; if the
//! process is killed meanwhile, the next start finishes it ([`finish`]).

use crate::base::digest::Digest;
use crate::base::error::Error;
use crate::base::limits::Limits;
use crate::plugins::deploy::{Condition, Deploy, Done, Refused, is_name, present, unread};
use crate::plugins::files::{Parts, module_path, policy_path, signature_paths};
use crate::plugins::former::in_place;
use crate::plugins::versions::{Contents, Version, Versions};
use crate::plugins::write::{Staged, unlink};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The version that a client names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// The newest that is not as the one in place.
    Newest,
    /// By its number.
    Number(u64),
    /// The newest of these whose module has this SHA-256.
    Module(String),
}

/// The versions of a plug-in.
#[derive(Debug)]
pub struct Listing {
    /// The one in place, if there is one.
    pub current: Option<Current>,
    /// Those that are kept and are not as that one, the newest first.
    pub kept: Vec<Version>,
}

/// The version in place.
#[derive(Debug)]
pub struct Current {
    /// The SHA-256 of its module.
    pub digest: Digest,
    /// Bytes of its module.
    pub size: u64,
    /// When it was put there.
    pub deployed: Option<SystemTime>,
    /// Whether it has a policy.
    pub has_policy: bool,
    /// Whether it has a signature.
    pub has_signature: bool,
}

impl Deploy<'_> {
    /// The versions of the plug-in called `name`.
    ///
    /// # Errors
    /// [`Refused::Absent`]; [`Refused::System`].
    pub fn versions(&self, name: &str) -> Result<Listing, Refused> {
        let now = self.now(name)?;
        let versions = Versions::open(self.folder.path(), name)?;
        let kept = versions.map_or(Ok(Vec::new()), |versions| self.others(&versions, now.as_ref()))?;
        if now.is_none() && kept.is_empty() {
            return Err(Refused::Absent);
        }
        let path = self.module_path(name);
        let current = now.map(|now| Current {
            digest: Digest::of(&now.module),
            size: now.module.len() as u64,
            deployed: path.metadata().and_then(|metadata| metadata.modified()).ok(),
            has_policy: now.policy.is_some(),
            has_signature: now.signature.is_some(),
        });
        Ok(Listing { current, kept })
    }

    /// Puts a former version of the plug-in called `name` back in its place: module, policy and signature. It is tried as one
    /// that is deployed. What it replaces is kept.
    ///
    /// # Errors
    /// [`Refused`]; nothing has changed then.
    pub fn roll_back(
        &mut self,
        name: &str,
        chosen: &Chosen,
        condition: Condition<'_>,
    ) -> Result<Done, Refused> {
        let path = self.module_path(name);
        let module = self.module(name);
        let before = present(&module);
        if !condition(before) {
            return Err(Refused::Condition);
        }
        let versions = Versions::open(self.folder.path(), name)?.ok_or(Refused::NoVersion)?;
        let others = self.others(&versions, self.now(name)?.as_ref())?;
        let version = others.into_iter().find(|version| match chosen {
            Chosen::Newest => true,
            Chosen::Number(number) => version.number == *number,
            Chosen::Module(digest) => version.digest == *digest,
        });
        let version = version.ok_or(Refused::NoVersion)?;
        let contents = versions.read(&version, &self.server.limits).map_err(unread)?;
        let signatures = contents.signature.clone().into_iter().collect();
        let parts =
            Parts { module: contents.module.as_slice().into(), policy: contents.policy.clone(), signatures };
        let loaded = self.tried(&parts, &path)?;
        let digest = loaded.digest;
        let former = self.keep_former(name, &path, module)?;
        replace(&versions, &version, &contents, &path)?;
        self.put(name, loaded, path, &parts);
        self.prune(former);
        Ok(if before.is_some() { Done::Replaced(digest) } else { Done::Created(digest) })
    }

    /// Removes the former versions of the plug-in called `name`.
    ///
    /// # Errors
    /// [`Refused::Absent`]; [`Refused::System`].
    pub fn forget_versions(&self, name: &str) -> Result<(), Refused> {
        let versions = Versions::open(self.folder.path(), name)?.ok_or(Refused::Absent)?;
        Ok(versions.clear()?)
    }

    /// What is in place; none also of what cannot be read.
    fn now(&self, name: &str) -> Result<Option<Contents>, Refused> {
        match self.module(name) {
            Ok(module) => Ok(in_place(&self.module_path(name), module, self.server).ok()),
            Err(Refused::System(error)) => Err(Refused::System(error)),
            Err(_) => Ok(None),
        }
    }

    /// The versions that are not as the one in place.
    fn others(&self, versions: &Versions, now: Option<&Contents>) -> Result<Vec<Version>, Refused> {
        let mut all = versions.list()?;
        all.retain(|version| now.is_none_or(|now| !versions.is_now(version, now, &self.server.limits)));
        Ok(all)
    }
}

/// Has `version`, which is made of `contents`, in the place of what is at `path`.
fn replace(versions: &Versions, version: &Version, contents: &Contents, path: &Path) -> Result<(), Error> {
    // Renames need no room on the disk, so what could fail for want of it comes before.
    let staged = stage(contents, path)?;
    versions.take(version)?;
    if let Err(error) = commit(staged, path) {
        // What is wrong already is what is told.
        let _ = versions.give_back(version);
        return Err(error);
    }
    if let Err(error) = versions.settle() {
        log::warn!("a version that was put back is still there: {error}");
    }
    Ok(())
}

/// The files of a version, on the disk and not in place; of those that it has none of, the path.
pub(super) fn stage(contents: &Contents, path: &Path) -> Result<[Result<Staged, PathBuf>; 3], Error> {
    let [signature_path, _] = signature_paths(path);
    let one = |path: PathBuf, bytes: Option<&[u8]>, mode| match bytes {
        Some(bytes) => Staged::new(&path, bytes, mode).map(Ok),
        None => Ok(Err(path)),
    };
    Ok([
        one(policy_path(path), contents.policy.as_ref().map(String::as_bytes), contents.policy_mode)?,
        one(signature_path, contents.signature.as_ref().map(String::as_bytes), None)?,
        one(path.into(), Some(&contents.module), None)?,
    ])
}

pub(super) fn commit(staged: [Result<Staged, PathBuf>; 3], path: &Path) -> Result<(), Error> {
    let [policy, signature, module] = staged;
    for part in [policy, signature] {
        part.map_or_else(|path| unlink(&path), Staged::commit)?;
    }
    module.map_or_else(|_| unlink(path), Staged::commit)
}

/// Finishes what a process that was killed was putting back. What cannot be finished is for the log.
pub fn finish(folder: &Path, limits: &Limits) {
    for name in Versions::names(folder).iter().filter(|name| is_name(name)) {
        match finish_one(folder, name, limits) {
            Ok(true) => log::info!("plug-in {name}: a rollback that did not end is finished"),
            Ok(false) => {}
            Err(error) => log::error!("plug-in {name}: a rollback that did not end is not finished: {error}"),
        }
    }
}

/// Whether there was something to finish.
fn finish_one(folder: &Path, name: &str, limits: &Limits) -> Result<bool, Error> {
    let Some(versions) = Versions::open(folder, name)? else { return Ok(false) };
    let Some(contents) = versions.pending(limits)? else { return Ok(false) };
    let path = module_path(folder, name);
    commit(stage(&contents, &path)?, &path)?;
    versions.settle()?;
    Ok(true)
}
