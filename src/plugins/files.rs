//! The files of plug-ins: reading, naming, change detection, and loading.

use crate::base::digest::Digest;
use crate::base::error::Error;
use crate::base::limits::Limits;
use crate::plugins::code::Place;
use crate::plugins::policy::{At, POLICY_BYTES_MAX, Policy, ServerPolicy};
use crate::plugins::registry::Loaded;
use crate::plugins::signature::SIGNATURE_BYTES_MAX;
use crate::plugins::{beneath, policy, signature};
use crate::sandbox::file::{read_at_most, whole_module};
use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

pub use crate::sandbox::file::{ENDINGS, load_file, read_file};

/// Reads a module in the plug-in folder. No link leads out of the folder.
///
/// # Errors
/// As [`read_file`].
pub fn read_module(path: &Path, limits: &Limits) -> Result<Vec<u8>, Error> {
    whole_module(path, beneath::open(path), limits)
}

/// Reads a small text file of the plug-in folder; none if it does not exist.
fn read_text(path: &Path, most: usize) -> Result<Option<String>, Error> {
    let io = |what: String| Error::Io { path: path.into(), source: io::Error::other(what) };
    match read_at_most(path, beneath::open(path), most) {
        Ok((bytes, size)) if bytes.len() > most => Err(io(format!("it has {size} bytes, more than {most}"))),
        Ok((bytes, _)) => String::from_utf8(bytes).map(Some).map_err(|_| io("not UTF-8".into())),
        // A dangling link is a mistake, not the absence of a policy.
        Err(Error::Io { source, .. })
            if source.kind() == io::ErrorKind::NotFound && path.symlink_metadata().is_err() =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Reads the signature in the file at `path`; none if it does not exist.
///
/// # Errors
/// [`Error::Io`].
pub fn read_signature(path: &Path) -> Result<Option<String>, Error> {
    read_text(path, SIGNATURE_BYTES_MAX)
}

/// Where the module called `name` is in `folder`, or would be.
pub fn module_path(folder: &Path, name: &str) -> PathBuf {
    let at = |ending: &&str| folder.join(format!("{name}.{ending}"));
    ENDINGS.iter().map(at).find(|path| path.exists()).unwrap_or_else(|| at(&ENDINGS[0]))
}

/// The policy's file of the module at `path`.
pub fn policy_path(path: &Path) -> PathBuf {
    path.with_extension("toml")
}

/// The signature files of the module at `path`: minisign's own, and that of a replacement whose module was put
/// in place while its signature was not yet.
pub fn signature_paths(path: &Path) -> [PathBuf; 2] {
    ["minisig", "minisig.next"].map(|ending| {
        let mut whole = path.as_os_str().to_owned();
        whole.push(".");
        whole.push(ending);
        whole.into()
    })
}

/// What a plug-in is made of.
#[derive(Debug, Default)]
pub struct Parts<'a> {
    /// The module's file.
    pub module: Cow<'a, [u8]>,
    /// The policy's text.
    pub policy: Option<String>,
    /// Signatures of the module, of which one must be good if the rules ask for one.
    pub signatures: Vec<String>,
}

impl Parts<'_> {
    /// What the files at and beside `path` hold.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Load`] for a module that is too large.
    pub fn read(path: &Path, server: &ServerPolicy) -> Result<Parts<'static>, Error> {
        let module = read_module(path, &server.limits)?.into();
        Ok(Parts {
            module,
            policy: Parts::read_policy(path)?,
            signatures: Parts::read_signatures(path, server)?,
        })
    }

    /// The policy beside `path`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn read_policy(path: &Path) -> Result<Option<String>, Error> {
        read_text(&policy_path(path), POLICY_BYTES_MAX)
    }

    /// The signatures beside `path`, if the rules ask for any.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn read_signatures(path: &Path, server: &ServerPolicy) -> Result<Vec<String>, Error> {
        if server.trusted_keys.is_empty() {
            return Ok(Vec::new());
        }
        let texts = signature_paths(path).map(|path| read_signature(&path));
        Ok(texts.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// Makes a plug-in of them, which is, or is to be, at `path`.
    ///
    /// # Errors
    /// [`Error::Policy`], [`Error::Load`], [`Error::Signature`].
    pub fn load(&self, path: &Path, server: &ServerPolicy) -> Result<Loaded, Error> {
        self.check_signature(path, server)?;
        let name = path.display().to_string();
        let digest = Digest::of(&self.module);
        let Some(text) = &self.policy else {
            let place = server.loader.place(None).unwrap_or(Place::Thread);
            let code = server.loader.load(&name, &self.module, (&server.limits, place, false))?;
            return Ok(Loaded { code, policy: Policy::of_server(&server.limits), digest });
        };
        let wrong = |at: At| {
            let (line, column) = at.line_and_column(text);
            Error::Policy { path: policy_path(path), line, column, what: at.what, may_pass: at.may_pass }
        };
        let draft = policy::read(text, server).map_err(wrong)?;
        let code =
            server.loader.load(&name, &self.module, (draft.limits(), draft.place(), draft.is_traced()))?;
        let policy = draft.for_module(code.info()).map_err(wrong)?;
        Ok(Loaded { code, policy, digest })
    }

    fn check_signature(&self, path: &Path, server: &ServerPolicy) -> Result<(), Error> {
        if server.trusted_keys.is_empty() {
            return Ok(());
        }
        let mut why = "it has no signature, but --trusted-key requires one".to_string();
        for signature in &self.signatures {
            match signature::verify(&server.trusted_keys, &self.module, signature) {
                Ok(()) => return Ok(()),
                Err(what) => why = what,
            }
        }
        Err(Error::Signature { path: path.into(), why })
    }
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

macro_rules! stamp_of {
    ($metadata:expr) => {{
        let m = $metadata;
        Stamp {
            device: m.dev(),
            inode: m.ino(),
            size: m.size(),
            modified: (m.mtime(), m.mtime_nsec()),
            changed: (m.ctime(), m.ctime_nsec()),
        }
    }};
}

impl Stamp {
    /// Of the file at `path`, or of what a link there leads to within its folder; of the link itself if that cannot be
    /// told. None if there is nothing.
    pub(crate) fn of(path: &Path) -> Option<Stamp> {
        Stamp::look(path).map(|(own, target)| target.and_then(Result::ok).unwrap_or(own))
    }

    /// The same of a module: a link to what is not there, or to itself, is none either. One that leads out of the folder is,
    /// so that it is refused.
    pub(crate) fn of_module(path: &Path) -> Option<Stamp> {
        match Stamp::look(path)? {
            (_, Some(Ok(target))) => Some(target),
            (_, Some(Err(error))) if !beneath::leads_out(&error) => None,
            (own, _) => Some(own),
        }
    }

    /// Of what is at `path` itself, and, if that is a link, of what it leads to.
    fn look(path: &Path) -> Option<(Stamp, Option<io::Result<Stamp>>)> {
        use std::os::unix::fs::MetadataExt;
        let own = path.symlink_metadata().ok()?;
        let target = own.is_symlink().then(|| beneath::metadata(path).map(Stamp::of_target));
        Some((stamp_of!(own), target))
    }

    /// Whether the file was changed less than `time` before `now`, or after it, as clocks differ.
    pub(crate) fn is_within(&self, now: SystemTime, time: Duration) -> bool {
        let (seconds, nanoseconds) = self.changed;
        let since_1970 =
            u64::try_from(seconds).map(|s| Duration::new(s, nanoseconds.clamp(0, 999_999_999) as u32));
        let changed = since_1970.ok().and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
        changed.is_some_and(|changed| now.duration_since(changed).map_or(true, |ago| ago < time))
    }

    fn of_target(metadata: cap_std::fs::Metadata) -> Stamp {
        use cap_std::fs::MetadataExt;
        stamp_of!(metadata)
    }
}
