//! Atomic changes of the plug-in folder: a new version is tested before anything is replaced, and replaces the
//! old one by a rename. A process that is killed at any instant leaves the old version or the new one.

use crate::base::digest::Digest;
use crate::base::error::{Error, LoadProblem};
use crate::base::outcome::Stop;
use crate::plugins::files::{
    ENDINGS, Parts, module_path, policy_path, read_module, read_signature, signature_paths,
};
use crate::plugins::folder::Folder;
use crate::plugins::former::Former;
use crate::plugins::policy::ServerPolicy;
use crate::plugins::registry::{Loaded, Plugins};
use crate::plugins::stats::Loads;
use crate::plugins::{beneath, policy, signature, write};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;

/// Characters of a plug-in's name.
pub const NAME_LEN_MAX: usize = 64;

/// Whether a plug-in that is deployed may have this name: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`, and not the ending of files.
pub fn is_name(name: &str) -> bool {
    let is_inner = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    name.len() <= NAME_LEN_MAX
        && name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && name.bytes().all(is_inner)
        && !name.ends_with(".wasm")
}

/// What is deployed at present, and under which condition it may be changed.
pub type Condition<'a> = &'a dyn Fn(Option<Digest>) -> bool;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// There is something now that was not there.
    Created(Digest),
    /// It is in the place of what was there.
    Replaced(Digest),
}

/// Why nothing was done.
#[derive(Debug)]
pub enum Refused {
    /// The condition does not hold.
    Condition,
    /// There is nothing of this name.
    Absent,
    /// No such version is kept.
    NoVersion,
    /// Its policy, or its module, is being written by somebody else.
    Unsettled,
    /// The new version would not serve.
    Invalid(String),
    /// The system could not do it.
    System(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        match error {
            Error::Io { .. } | Error::Internal(_) | Error::Guest(Stop::NoMemory { .. }) => {
                Refused::System(error)
            }
            other => Refused::Invalid(other.to_string()),
        }
    }
}

/// The folder and what is loaded from it, for one change.
pub struct Deploy<'a> {
    /// The folder.
    pub folder: &'a mut Folder,
    /// What is loaded.
    pub plugins: &'a Plugins,
    /// What holds for all.
    pub server: &'a ServerPolicy,
    /// Where changes are counted.
    pub loads: &'a Loads,
    /// How many former versions are kept. With none, this change keeps nothing, and removes none.
    pub keep: Option<usize>,
}

impl Deploy<'_> {
    /// Where the module called `name` is, or would be.
    pub(super) fn module_path(&self, name: &str) -> PathBuf {
        module_path(self.folder.path(), name)
    }

    /// The module called `name`, as it is in the folder.
    ///
    /// # Errors
    /// [`Refused::Absent`]; [`Refused::System`].
    pub fn module(&self, name: &str) -> Result<Vec<u8>, Refused> {
        let path = self.module_path(name);
        match read_module(&path, &self.server.limits) {
            Ok(bytes) => Ok(bytes),
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Err(Refused::Absent),
            Err(error) => Err(unread(error)),
        }
    }

    /// The policy of the plug-in called `name`.
    ///
    /// # Errors
    /// [`Refused::Absent`]; [`Refused::System`].
    pub fn policy(&self, name: &str) -> Result<String, Refused> {
        let text = Parts::read_policy(&self.module_path(name)).map_err(unread)?;
        text.ok_or(Refused::Absent)
    }

    /// Puts a module in the place of the one called `name`, or beside the others. Where the rules ask for a
    /// signature, it must be there already ([`Deploy::put_signature`]).
    ///
    /// # Errors
    /// [`Refused`]; nothing has changed then.
    pub fn put_module(
        &mut self,
        name: &str,
        module: &[u8],
        condition: Condition<'_>,
    ) -> Result<Done, Refused> {
        let path = self.module_path(name);
        let module_before = self.module(name);
        let before = present(&module_before);
        if !condition(before) {
            return Err(Refused::Condition);
        }
        let policy = self.folder.settled_policy(&path).ok_or(Refused::Unsettled)?.map_err(unread)?;
        let signatures = Parts::read_signatures(&path, self.server).map_err(unread)?;
        let parts = Parts { module: module.into(), policy, signatures };
        let loaded = self.tried(&parts, &path)?;
        let digest = loaded.digest;
        let is_other = before != Some(digest);
        let former = if is_other { self.keep_former(name, &path, module_before)? } else { None };
        write::write(&path, module)?;
        self.prune(former);
        self.settle_signature(&path, module)?;
        self.put(name, loaded, path, &parts);
        Ok(if before.is_some() { Done::Replaced(digest) } else { Done::Created(digest) })
    }

    /// Puts down the signature of the module that is to follow. Until it does, the one that is there is good with
    /// its own.
    ///
    /// # Errors
    /// [`Refused`]; nothing has changed then.
    pub fn put_signature(&self, name: &str, text: &[u8]) -> Result<(), Refused> {
        let text = std::str::from_utf8(text).map_err(|_| Refused::Invalid("not UTF-8".into()))?;
        signature::check_form(text).map_err(Refused::Invalid)?;
        let path = self.module_path(name);
        // The one that is there may be what the module in place needs, if a process was killed before it settled.
        if let Some(module) = optional(self.module(name))? {
            self.settle_signature(&path, &module)?;
        }
        let [_, next] = signature_paths(&path);
        Ok(write::write(&next, text.as_bytes())?)
    }

    /// Has the signature that was put down for `module`, which is in place now, in the place of the one before.
    fn settle_signature(&self, path: &Path, module: &[u8]) -> Result<(), Refused> {
        let [signed, next] = signature_paths(path);
        let Some(text) = read_signature(&next).map_err(unread)? else { return Ok(()) };
        let is_its = signature::verify(&self.server.trusted_keys, module, &text).is_ok();
        if is_its { Ok(write::rename(&next, &signed)?) } else { Ok(()) }
    }

    /// Puts a policy beside the module called `name`; a module that is not there yet will be held to it.
    ///
    /// # Errors
    /// [`Refused`]; nothing has changed then.
    pub fn put_policy(&mut self, name: &str, text: &[u8], condition: Condition<'_>) -> Result<Done, Refused> {
        let Ok(text) = std::str::from_utf8(text) else { return Err(Refused::Invalid("not UTF-8".into())) };
        if text.len() > policy::POLICY_BYTES_MAX {
            let (size, most) = (text.len(), policy::POLICY_BYTES_MAX);
            return Err(Refused::Invalid(format!("the policy has {size} bytes, more than {most}")));
        }
        let path = self.module_path(name);
        let before = present(&self.policy(name));
        if !condition(before) {
            return Err(Refused::Condition);
        }
        let digest = Digest::of(text.as_bytes());
        match self.settled_module(name, &path)? {
            None => {
                policy::read(text, self.server).map_err(|at| {
                    let (line, column) = at.line_and_column(text);
                    Refused::Invalid(format!("{line}:{column}: {}", at.what))
                })?;
                write::write(&policy_path(&path), text.as_bytes())?;
            }
            Some(module) => {
                let signatures = Parts::read_signatures(&path, self.server).map_err(unread)?;
                let parts = Parts { module: module.into(), policy: Some(text.into()), signatures };
                let loaded = self.tried(&parts, &path)?;
                // Even if it is the same policy: the module that is to follow keeps nothing then.
                let former = self.keep_former(name, &path, Ok(parts.module.to_vec()))?;
                write::write(&policy_path(&path), text.as_bytes())?;
                self.put(name, loaded, path, &parts);
                self.prune(former);
            }
        }
        Ok(if before.is_some() { Done::Replaced(digest) } else { Done::Created(digest) })
    }

    /// Removes the module called `name`, and what is beside it.
    ///
    /// # Errors
    /// [`Refused`]; the plug-in is as it was then, or without its signature or policy and no longer served.
    pub fn remove(&mut self, name: &str, condition: Condition<'_>) -> Result<(), Refused> {
        self.remove_but(name, condition, false)
    }

    /// As [`Deploy::remove`]; with `keeps_policy`, the policy stays, for a module that comes later.
    ///
    /// # Errors
    /// As there.
    pub fn remove_but(
        &mut self,
        name: &str,
        condition: Condition<'_>,
        keeps_policy: bool,
    ) -> Result<(), Refused> {
        let path = self.module_path(name);
        let module = self.module(name);
        let now = present(&module).ok_or(Refused::Absent)?;
        if !condition(Some(now)) {
            return Err(Refused::Condition);
        }
        // A plug-in that does harm must go, though the disk is full.
        let former = self.keep_former(name, &path, module).unwrap_or_else(|refused| {
            log::warn!("plug-in {name} is removed, and not kept: {refused:?}");
            None
        });
        // The module comes first: without its policy, it would serve anyone for an instant. And of two modules the one that serves comes last: without it, the other would.
        for ending in ENDINGS.iter().rev() {
            write::unlink(&path.with_file_name(format!("{name}.{ending}")))?;
        }
        self.prune(former);
        self.plugins.remove(name);
        self.loads.removed.fetch_add(1, Relaxed);
        self.folder.forget(&path);
        let policy = (!keeps_policy).then(|| policy_path(&path));
        for beside in signature_paths(&path).iter().chain(&policy) {
            write::unlink(beside)?;
        }
        Ok(())
    }

    /// Removes the policy of the plug-in called `name`, which is then under the server's limits alone.
    ///
    /// # Errors
    /// [`Refused`]; nothing has changed then.
    pub fn remove_policy(&mut self, name: &str, condition: Condition<'_>) -> Result<(), Refused> {
        let path = self.module_path(name);
        let now = present(&self.policy(name)).ok_or(Refused::Absent)?;
        if !condition(Some(now)) {
            return Err(Refused::Condition);
        }
        let Some(module) = self.settled_module(name, &path)? else {
            return Ok(write::unlink(&policy_path(&path))?);
        };
        let signatures = Parts::read_signatures(&path, self.server).map_err(unread)?;
        let parts = Parts { module: module.into(), policy: None, signatures };
        let loaded = self.tried(&parts, &path)?;
        let former = self.keep_former(name, &path, Ok(parts.module.to_vec()))?;
        write::unlink(&policy_path(&path))?;
        self.put(name, loaded, path, &parts);
        self.prune(former);
        Ok(())
    }

    /// The module called `name` at `path`, if there is one, and whole: somebody may be copying it there.
    fn settled_module(&self, name: &str, path: &Path) -> Result<Option<Vec<u8>>, Refused> {
        if !path.exists() {
            return Ok(None);
        }
        optional(self.folder.settled_module(path, || self.module(name)).ok_or(Refused::Unsettled)?)
    }

    /// Keeps the plug-in `name` as it is, if that is asked for.
    pub(super) fn keep_former(
        &self,
        name: &str,
        path: &Path,
        module: Result<Vec<u8>, Refused>,
    ) -> Result<Option<Former>, Refused> {
        match (self.keep, module) {
            (Some(most), Ok(module)) => Ok(Former::keep((name, path), module, most, self.server)?),
            _ => Ok(None),
        }
    }

    pub(super) fn prune(&self, former: Option<Former>) {
        if let Some(former) = former {
            former.prune(self.server);
        }
    }

    /// What `parts` make, of which an instance has been made.
    pub(super) fn tried(&self, parts: &Parts<'_>, path: &Path) -> Result<Loaded, Refused> {
        let loaded = parts.load(path, self.server).map_err(|error| match error {
            Error::Load { problem: LoadProblem::NoMemory { .. }, .. } => Refused::System(error),
            // Where the folder is concerns no client.
            Error::Load { problem, .. } => Refused::Invalid(problem.to_string()),
            Error::Policy { line, column, what, .. } => {
                Refused::Invalid(format!("its policy, {line}:{column}: {what}"))
            }
            Error::Signature { why, .. } => Refused::Invalid(why),
            other => other.into(),
        })?;
        let policy = &loaded.policy;
        match self.server.loader.try_instance(&loaded.code, &policy.limits, policy.given())? {
            Ok(()) => Ok(loaded),
            Err(stop) => Err(Refused::Invalid(format!("instantiation failed: {stop}"))),
        }
    }

    pub(super) fn put(&mut self, name: &str, loaded: Loaded, path: PathBuf, parts: &Parts<'_>) {
        self.folder.note(&path, parts, self.server);
        self.plugins.put(name, loaded, Some(path));
        self.loads.loaded.fetch_add(1, Relaxed);
    }
}

/// Why a file of the folder could not be read.
pub(super) fn unread(error: Error) -> Refused {
    match error {
        // Where the folder is concerns no client.
        Error::Load { problem, .. } => Refused::Invalid(problem.to_string()),
        Error::Io { path, source } if beneath::leads_out(&source) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            Refused::Invalid(format!("{name} is {source}"))
        }
        Error::Io { path, source } if beneath::is_no_file(&source) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            Refused::Invalid(format!("{name}: {source}"))
        }
        error => Refused::System(error),
    }
}

/// The digest of what is there. What cannot be read, such as a module that is too large, is there as well: it can be
/// replaced and removed, by whoever does not ask for a version.
pub(super) fn present(found: &Result<impl AsRef<[u8]>, Refused>) -> Option<Digest> {
    match found {
        Ok(found) => Some(Digest::of(found.as_ref())),
        Err(Refused::Absent) => None,
        Err(_) => Some(Digest::of(b"")),
    }
}

/// None for what is absent.
fn optional<T>(found: Result<T, Refused>) -> Result<Option<T>, Refused> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Refused::Absent) => Ok(None),
        Err(other) => Err(other),
    }
}
