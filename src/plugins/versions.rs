//! Former versions of a plug-in that is deployed: module, policy and signature together, each version in a folder of its
//! own in `.fuelbox-versions/{plug-in}/` of the plug-in folder. Nothing is loaded from there.
//!
//! A version appears and goes by a rename. No link is followed: writers of the plug-in folder may not read everything that
//! the gateway can read.

use crate::base::digest::Digest;
use crate::base::error::Error;
use crate::base::limits::Limits;
use crate::plugins::policy::POLICY_BYTES_MAX;
use crate::plugins::signature::SIGNATURE_BYTES_MAX;
use crate::sandbox::file::{read_at_most, whole_module};
use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt, MetadataExt, OpenOptions, OpenOptionsExt};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The folder of all versions, in the plug-in folder.
const FOLDER: &str = ".fuelbox-versions";

/// A version that is being written.
const UNFINISHED: &str = "unfinished";

/// A version that is being put back. A process that was killed meanwhile is to finish it at its next start.
const PENDING: &str = "pending";

/// The files of a version.
const MODULE: &str = "module";
const POLICY: &str = "policy";
const SIGNATURE: &str = "signature";

/// Folders of versions are for nobody else: policies can have secrets.
const FOLDER_MODE: u32 = 0o700;

/// What a version is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The module's file.
    pub module: Vec<u8>,
    /// The policy's text.
    pub policy: Option<String>,
    /// The signature's text.
    pub signature: Option<String>,
    /// Permissions of the policy's file; they tell no version from another.
    pub policy_mode: Option<u32>,
}

impl Contents {
    fn is_like(&self, other: &Contents) -> bool {
        (&self.module, &self.policy, &self.signature) == (&other.module, &other.policy, &other.signature)
    }
}

/// A version that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its number; the newest has the highest.
    pub number: u64,
    /// The SHA-256 of its module, as text.
    pub digest: String,
    /// Bytes of its module.
    pub size: u64,
    /// When its module was put in place.
    pub deployed: Option<SystemTime>,
    /// Whether it has a policy.
    pub has_policy: bool,
    /// Whether it has a signature.
    pub has_signature: bool,
}

impl Version {
    fn folder(&self) -> String {
        format!("{:010}-{}", self.number, self.digest)
    }

    /// The number and the digest in the name of a version's folder.
    fn parse(name: &str) -> Option<(u64, String)> {
        let (number, digest) = name.split_once('-')?;
        let is_version =
            number.len() >= 10 && number.bytes().all(|byte| byte.is_ascii_digit()) && is_digest(digest);
        is_version.then(|| Some((number.parse().ok()?, digest.to_string())))?
    }
}

/// Whether `text` is a SHA-256 as [`Digest`] shows it.
pub fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The versions of one plug-in.
pub struct Versions {
    dir: Dir,
    path: PathBuf,
}

impl Versions {
    /// Those of the plug-in `name` in `folder`; none if there never were any.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open(folder: &Path, name: &str) -> Result<Option<Versions>, Error> {
        let path = folder.join(FOLDER).join(name);
        let opened = Dir::open_ambient_dir(folder, ambient_authority())
            .and_then(|dir| dir.open_dir_nofollow(FOLDER))
            .and_then(|dir| dir.open_dir_nofollow(name));
        match opened {
            Ok(dir) => Ok(Some(Versions { dir, path })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Io { path, source: told(source) }),
        }
    }

    /// The same, with a folder for them.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn create(folder: &Path, name: &str) -> Result<Versions, Error> {
        let path = folder.join(FOLDER).join(name);
        let made = Dir::open_ambient_dir(folder, ambient_authority())
            .and_then(|dir| made(&dir, FOLDER))
            .and_then(|dir| made(&dir, name));
        match made {
            Ok(dir) => Ok(Versions { dir, path }),
            Err(source) => Err(Error::Io { path, source: told(source) }),
        }
    }

    /// The plug-ins in `folder` of which there are versions.
    pub fn names(folder: &Path) -> Vec<String> {
        let opened = Dir::open_ambient_dir(folder, ambient_authority())
            .and_then(|dir| dir.open_dir_nofollow(FOLDER))
            .and_then(|dir| dir.entries());
        let entries = opened.into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }

    /// All of them, the newest first.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn list(&self) -> Result<Vec<Version>, Error> {
        let entries = self.dir.entries().map_err(|error| self.error(error))?;
        let mut all = Vec::new();
        for entry in entries {
            let name = entry.map_err(|error| self.error(error))?.file_name();
            let Some((number, digest)) = name.to_str().and_then(Version::parse) else { continue };
            let Ok(dir) = self.dir.open_dir_nofollow(&name) else { continue };
            let Ok(module) = dir.symlink_metadata(MODULE) else { continue };
            let has = |part: &str| dir.symlink_metadata(part).is_ok();
            all.push(Version {
                number,
                digest,
                size: module.len(),
                deployed: module.modified().ok().map(|time| time.into_std()),
                has_policy: has(POLICY),
                has_signature: has(SIGNATURE),
            });
        }
        all.sort_by_key(|version| std::cmp::Reverse(version.number));
        Ok(all)
    }

    /// What `version` is made of.
    ///
    /// # Errors
    /// [`Error::Io`], also if its module is not the one that was kept; [`Error::Load`] if that is too large.
    pub fn read(&self, version: &Version, limits: &Limits) -> Result<Contents, Error> {
        let contents = self.contents(&version.folder(), limits)?;
        if Digest::of(&contents.module).to_string() != version.digest {
            return Err(self.error(io::Error::other("its module was changed since it was kept")));
        }
        Ok(contents)
    }

    fn contents(&self, folder: &str, limits: &Limits) -> Result<Contents, Error> {
        let dir = self.dir.open_dir_nofollow(folder).map_err(|error| self.error(told(error)))?;
        let path = self.path.join(folder);
        let text = |name: &str, most: usize| match opened(&dir, name) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            file => {
                let (bytes, _) = read_at_most(&path.join(name), file, most)?;
                let text = String::from_utf8(bytes).ok().filter(|text| text.len() <= most);
                text.map(Some).ok_or_else(|| self.error(io::Error::other(format!("its {name} is none"))))
            }
        };
        let policy = text(POLICY, POLICY_BYTES_MAX)?;
        let signature = text(SIGNATURE, SIGNATURE_BYTES_MAX)?;
        let policy_mode = dir.symlink_metadata(POLICY).ok().map(|metadata| metadata.mode());
        let module = whole_module(&path.join(MODULE), opened(&dir, MODULE), limits)?;
        Ok(Contents { module, policy, signature, policy_mode })
    }

    /// Keeps one more, whose module was put in place at `deployed`. One that is kept already becomes the newest; otherwise
    /// returns the folder that was made.
    ///
    /// # Errors
    /// [`Error::Io`]; nothing has changed then.
    pub fn keep(
        &self,
        contents: &Contents,
        deployed: Option<SystemTime>,
        limits: &Limits,
    ) -> Result<Option<String>, Error> {
        let all = self.list()?;
        let digest = Digest::of(&contents.module).to_string();
        let number = all.first().map_or(1, |newest| newest.number.saturating_add(1));
        let name = format!("{number:010}-{digest}");
        let of_same_module = all.iter().filter(|version| version.digest == digest);
        let is_kept =
            |version: &&Version| self.read(version, limits).is_ok_and(|kept| kept.is_like(contents));
        if let Some(kept) = of_same_module.into_iter().find(is_kept) {
            let is_newest = Some(kept) == all.first();
            return if is_newest { Ok(None) } else { self.rename(&kept.folder(), &name).map(|()| None) };
        }
        self.discard(UNFINISHED)?;
        let written = self.written(contents, deployed).map_err(|error| self.error(error));
        written.and_then(|()| self.rename(UNFINISHED, &name)).inspect_err(|_| {
            // What is wrong already is what is told.
            let _ = self.discard(UNFINISHED);
        })?;
        Ok(Some(name))
    }

    fn written(&self, contents: &Contents, deployed: Option<SystemTime>) -> io::Result<()> {
        let dir = made(&self.dir, UNFINISHED)?;
        let write = |name: &str, bytes: &[u8], mode: u32| -> io::Result<()> {
            let mut options = OpenOptions::new();
            options.write(true).create_new(true).mode(mode);
            let mut file = dir.open_with(name, &options)?.into_std();
            file.write_all(bytes)?;
            if let Some(deployed) = deployed {
                file.set_modified(deployed)?;
            }
            file.sync_all()
        };
        write(MODULE, &contents.module, 0o600)?;
        if let Some(policy) = &contents.policy {
            write(POLICY, policy.as_bytes(), contents.policy_mode.unwrap_or(0o600) & 0o777 | 0o600)?;
        }
        if let Some(signature) = &contents.signature {
            write(SIGNATURE, signature.as_bytes(), 0o600)?;
        }
        sync(&dir)
    }

    /// Removes the oldest beyond `most`. One that is as `now`, which is in place, does not count.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn prune(&self, most: usize, now: Option<&Contents>, limits: &Limits) -> Result<(), Error> {
        let mut count = 0;
        for version in self.list()? {
            if now.is_some_and(|now| self.is_now(&version, now, limits)) {
                continue;
            }
            count += 1;
            if count > most {
                self.discard(&version.folder())?;
            }
        }
        Ok(())
    }

    /// Whether `version` is as `now`, which is in place.
    pub fn is_now(&self, version: &Version, now: &Contents, limits: &Limits) -> bool {
        version.size == now.module.len() as u64
            && self.read(version, limits).is_ok_and(|contents| contents.is_like(now))
    }

    /// Removes all of them.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn clear(&self) -> Result<(), Error> {
        self.list()?.iter().try_for_each(|version| self.discard(&version.folder()))?;
        self.discard(UNFINISHED)
    }

    /// Has `version` be the one that is being put back, until [`Versions::settle`] or [`Versions::give_back`].
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn take(&self, version: &Version) -> Result<(), Error> {
        self.discard(PENDING)?;
        self.rename(&version.folder(), PENDING)
    }

    /// Has `contents` be what is being put in place, until [`Versions::settle`].
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn pend(&self, contents: &Contents) -> Result<(), Error> {
        self.discard(PENDING)?;
        self.discard(UNFINISHED)?;
        let written = self.written(contents, None).map_err(|error| self.error(error));
        written.and_then(|()| self.rename(UNFINISHED, PENDING)).inspect_err(|_| {
            // What is wrong already is what is told.
            let _ = self.discard(UNFINISHED);
        })
    }

    /// The version that is being put back, if one is.
    ///
    /// # Errors
    /// As [`Versions::read`].
    pub fn pending(&self, limits: &Limits) -> Result<Option<Contents>, Error> {
        match self.dir.symlink_metadata(PENDING) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            _ => self.contents(PENDING, limits).map(Some),
        }
    }

    /// The version that was being put back is in place.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn settle(&self) -> Result<(), Error> {
        self.discard(PENDING)
    }

    /// The version that was being put back is kept as before.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn give_back(&self, version: &Version) -> Result<(), Error> {
        self.rename(PENDING, &version.folder())
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), Error> {
        let renamed = self.dir.rename(from, &self.dir, to).and_then(|()| sync(&self.dir));
        renamed.map_err(|error| self.error(error))
    }

    /// Removes a version's folder, if it is there: under a name that is no version first, so that none is there in part.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn discard(&self, folder: &str) -> Result<(), Error> {
        let is_there = self.dir.symlink_metadata(folder).is_ok();
        if is_there && folder != UNFINISHED {
            self.discard(UNFINISHED)?;
            self.rename(folder, UNFINISHED)?;
        }
        match self.dir.remove_dir_all(UNFINISHED) {
            Err(error) if is_there && error.kind() != ErrorKind::NotFound => Err(self.error(error)),
            _ => Ok(()),
        }
    }

    fn error(&self, source: io::Error) -> Error {
        Error::Io { path: self.path.clone(), source }
    }
}

/// Opens the file `name`. What is no file is opened without effect; [`read_at_most`] refuses it.
fn opened(dir: &Dir, name: &str) -> io::Result<std::fs::File> {
    let mut options = OpenOptions::new();
    options.read(true).follow(FollowSymlinks::No);
    options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32);
    dir.open_with(name, &options).map(cap_std::fs::File::into_std).map_err(told)
}

/// The folder `name`, made if it is not there.
fn made(dir: &Dir, name: &str) -> io::Result<Dir> {
    let mut builder = DirBuilder::new();
    builder.mode(FOLDER_MODE);
    match dir.create_dir_with(name, &builder) {
        Ok(()) => sync(dir)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    dir.open_dir_nofollow(name)
}

/// Has the folder's entries on the disk.
fn sync(dir: &Dir) -> io::Result<()> {
    // cap-std may have opened it in a way that does not let it be synced.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::fsync(rustix::fs::openat(dir, ".", flags, Mode::empty())?)?)
}

/// What the system says of a link is about something else.
fn told(error: io::Error) -> io::Error {
    let of_links = [Errno::LOOP, Errno::NOTDIR].map(|errno| errno.raw_os_error());
    match error.raw_os_error() {
        Some(raw) if of_links.contains(&raw) => {
            io::Error::other("where versions are kept, there is a link, or no folder")
        }
        _ => error,
    }
}
