//! Atomic changes of the plug-in folder: a new version is tested before anything is replaced, and replaces the
//! old one by a rename. A process that is killed at any instant leaves the old version or the new one.

use crate::base::digest::Digest;
use crate::base::error::{Error, LoadProblem};
use crate::base::outcome::Stop;
use crate::plugins::files::{ENDINGS, Parts, policy_path, read_module, read_signature, signature_paths};
use crate::plugins::folder::Folder;
use crate::plugins::policy::ServerPolicy;
use crate::plugins::registry::{Loaded, Plugins};
use crate::plugins::stats::Loads;
use crate::plugins::{beneath, policy, signature};
use cap_std::fs::MetadataExt;
use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;

/// Characters of a plug-in's name.
pub const NAME_LEN_MAX: usize = 64;

/// How the names of temporary files begin and end; nothing that is loaded has such a name.
const TEMPORARY: (&str, &str) = (".fuelbox-", ".tmp");

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
}

impl Deploy<'_> {
    /// Where the module called `name` is, or would be.
    fn module_path(&self, name: &str) -> PathBuf {
        let at = |ending: &&str| self.folder.path().join(format!("{name}.{ending}"));
        let files = ENDINGS.iter().map(at);
        files.into_iter().find(|path| path.exists()).unwrap_or_else(|| at(&ENDINGS[0]))
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
        let before = present(self.module(name));
        if !condition(before) {
            return Err(Refused::Condition);
        }
        let policy = self.folder.settled_policy(&path).ok_or(Refused::Unsettled)?.map_err(unread)?;
        let signatures = Parts::read_signatures(&path, self.server).map_err(unread)?;
        let parts = Parts { module: module.into(), policy, signatures };
        let loaded = self.tried(&parts, &path)?;
        let digest = loaded.digest;
        self.write(&path, module)?;
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
        self.write(&next, text.as_bytes())
    }

    /// Has the signature that was put down for `module`, which is in place now, in the place of the one before.
    fn settle_signature(&self, path: &Path, module: &[u8]) -> Result<(), Refused> {
        let [signed, next] = signature_paths(path);
        let Some(text) = read_signature(&next).map_err(unread)? else { return Ok(()) };
        let is_its = signature::verify(&self.server.trusted_keys, module, &text).is_ok();
        if is_its { self.rename(&next, &signed) } else { Ok(()) }
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
        let before = present(self.policy(name));
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
                self.write(&policy_path(&path), text.as_bytes())?;
            }
            Some(module) => {
                let signatures = Parts::read_signatures(&path, self.server).map_err(unread)?;
                let parts = Parts { module: module.into(), policy: Some(text.into()), signatures };
                let loaded = self.tried(&parts, &path)?;
                self.write(&policy_path(&path), text.as_bytes())?;
                self.put(name, loaded, path, &parts);
            }
        }
        Ok(if before.is_some() { Done::Replaced(digest) } else { Done::Created(digest) })
    }

    /// Removes the module called `name`, and what is beside it.
    ///
    /// # Errors
    /// [`Refused`]; the plug-in is as it was then, or without its signature or policy and no longer served.
    pub fn remove(&mut self, name: &str, condition: Condition<'_>) -> Result<(), Refused> {
        let path = self.module_path(name);
        let now = present(self.module(name)).ok_or(Refused::Absent)?;
        if !condition(Some(now)) {
            return Err(Refused::Condition);
        }
        // The module comes first: without its policy, it would serve anyone for an instant. And of two modules the one that serves comes last: without it, the other would.
        for ending in ENDINGS.iter().rev() {
            self.unlink(&path.with_file_name(format!("{name}.{ending}")))?;
        }
        self.plugins.remove(name);
        self.loads.removed.fetch_add(1, Relaxed);
        self.folder.forget(&path);
        for beside in signature_paths(&path).iter().chain([&policy_path(&path)]) {
            self.unlink(beside)?;
        }
        Ok(())
    }

    /// Removes the policy of the plug-in called `name`, which is then under the server's limits alone.
    ///
    /// # Errors
    /// [`Refused`]; nothing has changed then.
    pub fn remove_policy(&mut self, name: &str, condition: Condition<'_>) -> Result<(), Refused> {
        let path = self.module_path(name);
        let now = present(self.policy(name)).ok_or(Refused::Absent)?;
        if !condition(Some(now)) {
            return Err(Refused::Condition);
        }
        let Some(module) = self.settled_module(name, &path)? else {
            return self.unlink(&policy_path(&path));
        };
        let signatures = Parts::read_signatures(&path, self.server).map_err(unread)?;
        let parts = Parts { module: module.into(), policy: None, signatures };
        let loaded = self.tried(&parts, &path)?;
        self.unlink(&policy_path(&path))?;
        self.put(name, loaded, path, &parts);
        Ok(())
    }

    /// The module called `name` at `path`, if there is one, and whole: somebody may be copying it there.
    fn settled_module(&self, name: &str, path: &Path) -> Result<Option<Vec<u8>>, Refused> {
        if !path.exists() {
            return Ok(None);
        }
        optional(self.folder.settled_module(path, || self.module(name)).ok_or(Refused::Unsettled)?)
    }

    /// What `parts` make, of which an instance has been made.
    fn tried(&self, parts: &Parts<'_>, path: &Path) -> Result<Loaded, Refused> {
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

    fn put(&mut self, name: &str, loaded: Loaded, path: PathBuf, parts: &Parts<'_>) {
        self.folder.note(&path, parts, self.server);
        self.plugins.put(name, loaded, Some(path));
        self.loads.loaded.fetch_add(1, Relaxed);
    }

    /// Makes the file at `path` hold `bytes`, all of them or as it was, and on the disk when this returns.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Refused> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| io_error(path, io::Error::other(error)))?;
        let (begin, end) = TEMPORARY;
        let temporary = self.folder.path().join(format!("{begin}{:016x}{end}", u64::from_ne_bytes(random)));
        let written = File::options().write(true).create_new(true).open(&temporary).and_then(|mut file| {
            // An operator may have kept a policy's secrets from the machine's other users.
            if let Ok(before) = beneath::metadata(path) {
                file.set_permissions(Permissions::from_mode(before.mode() & 0o7777))?;
            }
            file.write_all(bytes)?;
            file.sync_all()
        });
        let renamed =
            written.map_err(|error| io_error(path, error)).and_then(|()| self.rename(&temporary, path));
        if renamed.is_err() {
            // What is wrong already is what is told.
            let _ = std::fs::remove_file(&temporary);
        }
        renamed
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), Refused> {
        std::fs::rename(from, to).and_then(|()| self.sync()).map_err(|error| io_error(to, error))
    }

    /// Removes a file, if it is there.
    fn unlink(&self, path: &Path) -> Result<(), Refused> {
        match std::fs::remove_file(path) {
            Ok(()) => self.sync().map_err(|error| io_error(path, error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(io_error(path, error)),
        }
    }

    /// Has the folder's entries on the disk.
    fn sync(&self) -> io::Result<()> {
        File::open(self.folder.path())?.sync_all()
    }
}

/// Why a file of the folder could not be read.
fn unread(error: Error) -> Refused {
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

fn io_error(path: &Path, source: io::Error) -> Refused {
    Refused::System(Error::Io { path: path.into(), source })
}

/// The digest of what is there. What cannot be read, such as a module that is too large, is there as well: it can be
/// replaced and removed, by whoever does not ask for a version.
fn present(found: Result<impl AsRef<[u8]>, Refused>) -> Option<Digest> {
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

/// Removes what a process that was killed has left half written.
pub fn clean(folder: &Path) -> io::Result<()> {
    let (begin, end) = TEMPORARY;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let is_temporary =
            entry.file_name().to_str().is_some_and(|name| name.starts_with(begin) && name.ends_with(end));
        if is_temporary && entry.file_type()?.is_file() {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
