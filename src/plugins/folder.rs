//! The plug-in folder: keeps the loaded plug-ins in step with it.
//!
//! A plug-in is a module with the files beside it: its policy, and its signature if one is required. Any change
//! of these reloads it. If that fails, the version before keeps serving.

use crate::base::digest::Digest;
use crate::base::error::Error;
use crate::plugins::files::{ENDINGS, Parts, Stamp, policy_path, read_module, signature_paths};
use crate::plugins::policy::ServerPolicy;
use crate::plugins::registry::{Plugin, Plugins};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Time that a file must have been unchanged to count; and so the time between two scans where somebody waits:
/// at start, on SIGHUP and for a deployment.
pub const SETTLE: Duration = Duration::from_millis(100);

/// The maximum number of such scans, while files change.
pub const SETTLE_LOOKS: u32 = 5;

/// Age of a change from which a file counts at once at start.
const FRESH: Duration = Duration::from_millis(500);

/// The changes that a scan found.
///
/// ```
/// use fuelbox::{Runner, RunnerConfig};
///
/// let runner = Runner::new(RunnerConfig::default())?;
/// let changes = runner.load_plugins("guests/prebuilt")?;
/// println!("loaded: {}", changes.loaded.join(", "));
/// for error in &changes.failed {
///     eprintln!("not loaded: {error}");
/// }
/// # assert!(changes.failed.is_empty() && changes.loaded.len() > 5);
/// # Ok::<(), fuelbox::Error>(())
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Changes {
    /// New plug-ins.
    pub loaded: Vec<String>,
    /// Replaced plug-ins.
    pub replaced: Vec<String>,
    /// Removed plug-ins.
    pub removed: Vec<String>,
    /// Files that did not load. A version loaded before keeps serving.
    pub failed: Vec<Error>,
    /// Modules that changed, or whose other files changed, since the last scan. The next scan decides.
    pub unsettled: usize,
}

impl Changes {
    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.loaded.is_empty()
            && self.replaced.is_empty()
            && self.removed.is_empty()
            && self.failed.is_empty()
    }

    /// These changes, and those of further scans until all have settled, or there have been [`SETTLE_LOOKS`].
    ///
    /// # Errors
    /// As `scan`.
    pub(crate) fn settled(
        mut self,
        mut scan: impl FnMut() -> Result<Changes, Error>,
    ) -> Result<Changes, Error> {
        for _ in 0..SETTLE_LOOKS {
            if self.unsettled == 0 {
                break;
            }
            std::thread::sleep(SETTLE);
            self = self.and(scan()?);
        }
        Ok(self)
    }

    /// These changes, and those of a later scan.
    fn and(mut self, later: Changes) -> Changes {
        self.loaded.extend(later.loaded);
        self.replaced.extend(later.replaced);
        self.removed.extend(later.removed);
        self.failed.extend(later.failed);
        Changes { unsettled: later.unsettled, ..self }
    }
}

/// The states of a module's file, its policy and its signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamps {
    module: Stamp,
    policy: Option<Stamp>,
    signatures: [Option<Stamp>; 2],
}

impl Stamps {
    /// The states for the module at `path`; none if it does not exist.
    pub(crate) fn of(path: &Path, server: &ServerPolicy) -> Option<Stamps> {
        let is_signed = !server.trusted_keys.is_empty();
        Some(Stamps {
            module: Stamp::of_module(path)?,
            policy: Stamp::of(&policy_path(path)),
            signatures: signature_paths(path).map(|path| if is_signed { Stamp::of(&path) } else { None }),
        })
    }

    /// Whether one of them changed shortly before `now`, so that somebody may still be writing it.
    fn is_fresh(&self, now: SystemTime) -> bool {
        let [signature, next] = self.signatures;
        let all = [Some(self.module), self.policy, signature, next];
        all.into_iter().flatten().any(|stamp| stamp.is_within(now, FRESH))
    }
}

/// A plug-in's files at the last scan.
#[derive(Debug, Default)]
struct Seen {
    /// The state that was loaded or refused. `None` if the loaded version may match none of the states seen so
    /// far.
    loaded: Option<Stamps>,
    /// The state at the last scan, and since when scans have found it.
    looked: Option<(Stamps, Instant)>,
    /// Why it did not load, and whether that may change without a change of the file.
    refused: Option<(String, bool)>,
}

/// A plug-in folder and its state at the last scan.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    seen: HashMap<PathBuf, Seen>,
    /// Whether it was scanned.
    is_known: bool,
}

impl Folder {
    /// The folder at `path`, not yet scanned.
    pub fn new(path: impl Into<PathBuf>) -> Folder {
        Folder { path: path.into(), seen: HashMap::new(), is_known: false }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records `parts` as the loaded state of the module at `path`, unless the files changed since they were
    /// read. Then the next scan loads them.
    pub(crate) fn note(&mut self, path: &Path, parts: &Parts<'_>, server: &ServerPolicy) {
        let stamps = Stamps::of(path, server);
        // Read after the stamps: later changes have other stamps.
        let is_same = Parts::read(path, server)
            .is_ok_and(|now| now.module == parts.module && now.policy == parts.policy);
        let stamps = stamps.filter(|_| is_same);
        // What was read after the stamps was written by this process, and so is complete.
        let looked = stamps.map(|stamps| (stamps, long_ago()));
        self.seen.insert(path.into(), Seen { loaded: stamps, looked, refused: None });
    }

    /// The policy beside `path`, once scans up to now have found it unchanged for long enough. `None` if it
    /// keeps changing.
    pub(crate) fn settled_policy(&self, path: &Path) -> Option<Result<Option<String>, Error>> {
        let policy = policy_path(path);
        self.settled(path, &policy, |stamps| stamps.policy, || Parts::read_policy(path))
    }

    /// The result of `read` for the module at `path`, in the same way.
    pub(crate) fn settled_module<T>(&self, path: &Path, read: impl Fn() -> T) -> Option<T> {
        self.settled(path, path, |stamps| Some(stamps.module), read)
    }

    fn settled<T>(
        &self,
        path: &Path,
        file: &Path,
        of: impl Fn(Stamps) -> Option<Stamp>,
        read: impl Fn() -> T,
    ) -> Option<T> {
        let mut known = match self.seen.get(path).and_then(|seen| seen.looked) {
            Some((looked, since)) => Some((of(looked), since)),
            // The module does not exist yet. If no file exists, nothing shows for how long.
            None => Stamp::of(file)
                .filter(|stamp| !stamp.is_within(SystemTime::now(), FRESH))
                .map(|stamp| (Some(stamp), long_ago())),
        };
        for _ in 0..=SETTLE_LOOKS {
            let begin = Instant::now();
            let now = Stamp::of(file);
            let since =
                known.filter(|(before, _)| *before == now).map_or_else(Instant::now, |(_, since)| since);
            if begin.saturating_duration_since(since) >= SETTLE {
                let content = read();
                if Stamp::of(file) == now {
                    return Some(content);
                }
            }
            known = Some((now, since));
            std::thread::sleep(SETTLE);
        }
        None
    }

    /// Forgets the removed module at `path`.
    pub(crate) fn forget(&mut self, path: &Path) {
        self.seen.remove(path);
    }

    /// Loads the folder for the first time. Files that changed a moment ago may be incomplete, so they are
    /// scanned again. Files that keep changing are left to [`Folder::scan`].
    ///
    /// # Errors
    /// As [`Folder::scan`].
    pub fn load(&mut self, plugins: &Plugins, server: &ServerPolicy) -> Result<Changes, Error> {
        let now = SystemTime::now();
        let changes = self.look(plugins, server, |stamps| !stamps.is_fresh(now))?;
        changes.settled(|| self.scan(plugins, server))
    }

    /// Loads new and changed plug-ins and drops removed ones. A file that does not load leaves the plug-in
    /// unchanged, and is retried when it changes (an unreadable file at every scan).
    ///
    /// A half-written file must not count: it may be the beginning of a policy that allows less. A file counts
    /// when scans have found it unchanged for [`SETTLE`]. The same applies to a missing policy, because editors
    /// remove a file for an instant when they save. At the very first scan, all files count.
    ///
    /// # Errors
    /// The folder cannot be read. The plug-ins stay unchanged.
    pub fn scan(&mut self, plugins: &Plugins, server: &ServerPolicy) -> Result<Changes, Error> {
        let is_first = !self.is_known;
        self.look(plugins, server, |_| is_first)
    }

    /// Scans once. Files that have not been unchanged for long enough count only if `believes` says so.
    fn look(
        &mut self,
        plugins: &Plugins,
        server: &ServerPolicy,
        believes: impl Fn(&Stamps) -> bool,
    ) -> Result<Changes, Error> {
        let mut changes = Changes::default();
        let begin = Instant::now();
        let files = module_files(&self.path, server)?;
        let end = Instant::now();
        self.is_known = true;
        self.drop_gone(&files, plugins, &mut changes);
        for (path, stamps) in files {
            let seen = self.seen.entry(path.clone()).or_default();
            let same_as_before = seen.looked.filter(|(before, _)| *before == stamps);
            let since = same_as_before.map_or(end, |(_, since)| since);
            seen.looked = Some((stamps, since));
            let is_settled = begin.saturating_duration_since(since) >= SETTLE || believes(&stamps);
            let same = seen.loaded == Some(stamps);
            let known = seen.refused.clone();
            if same && !known.as_ref().is_some_and(|(_, passing)| *passing) {
                continue;
            }
            let result = if is_settled { self.load_one(&path, &stamps, plugins, server) } else { Ok(None) };
            let mut refused = None;
            match result {
                Ok(Some((name, true))) => changes.replaced.push(name),
                Ok(Some((name, false))) => changes.loaded.push(name),
                Ok(None) => {
                    changes.unsettled += 1;
                    continue;
                }
                Err(error) => {
                    refused = Some((error.to_string(), error.may_pass()));
                    // An error that the last scan reported is not reported again.
                    if !same || refused != known {
                        changes.failed.push(error);
                    }
                }
            }
            self.seen.insert(path, Seen { loaded: Some(stamps), looked: Some((stamps, since)), refused });
        }
        let refused = self.seen.iter().filter_map(|(path, seen)| {
            seen.refused.as_ref().map(|(reason, _)| (path.clone(), reason.clone()))
        });
        plugins.set_refused(refused.collect());
        Ok(changes)
    }

    /// Finds contents that changed while the stamps of their files did not, as for a mapped file. Such plug-ins
    /// are reloaded when they have settled. Modules are compared only if `of_modules`, because they are large.
    pub(crate) fn compare(&mut self, plugins: &Plugins, server: &ServerPolicy, of_modules: bool) {
        let of_folder =
            |plugin: &Arc<Plugin>| Some((plugin.path.clone()?, plugin.policy.digest, plugin.digest));
        for (path, policy, module) in plugins.all().iter().filter_map(of_folder) {
            let Some(seen) = self.seen.get_mut(&path).filter(|seen| seen.loaded.is_some()) else { continue };
            let is_other = match &seen.refused {
                // The loaded version differs from the file.
                Some(_) => of_modules,
                None => {
                    // A new or removed policy has another stamp.
                    let text = Parts::read_policy(&path).unwrap_or_default();
                    text.is_some_and(|text| policy != Some(Digest::of(text.as_bytes())))
                        || (of_modules
                            && read_module(&path, &server.limits)
                                .is_ok_and(|bytes| module != Digest::of(&bytes)))
                }
            };
            if is_other {
                (seen.loaded, seen.looked) = (None, None);
            }
        }
    }

    fn drop_gone(&mut self, files: &[(PathBuf, Stamps)], plugins: &Plugins, changes: &mut Changes) {
        // `module_files` sorted them. A linear search for each of a thousand plug-ins would take a million
        // steps.
        self.seen.retain(|path, _| files.binary_search_by(|(file, _)| file.cmp(path)).is_ok());
        for plugin in plugins.all() {
            let in_folder = plugin.path.as_ref().filter(|path| path.parent() == Some(&self.path));
            if in_folder.is_some_and(|path| !self.seen.contains_key(path)) {
                plugins.remove(&plugin.name);
                changes.removed.push(plugin.name.clone());
            }
        }
    }

    /// Loads one file. Returns whether it replaced a plug-in; `None` if the file changed meanwhile.
    fn load_one(
        &self,
        path: &Path,
        stamps: &Stamps,
        plugins: &Plugins,
        server: &ServerPolicy,
    ) -> Result<Option<(String, bool)>, Error> {
        let refuse = |what: String| Error::Io { path: path.into(), source: std::io::Error::other(what) };
        let name = path.file_stem().and_then(|stem| stem.to_str());
        let name = name.ok_or_else(|| refuse("the file's name is not UTF-8".into()))?.to_string();
        if name.ends_with(".wasm") {
            // Requests may name the plug-in `x` as `x.wasm`, so this name would be ambiguous.
            return Err(refuse("a plug-in's name does not end in .wasm".into()));
        }
        let before = plugins.find(&name);
        if let Some(other) = before.as_ref().and_then(|plugin| plugin.path.as_deref())
            && other != path
        {
            return Err(refuse(format!("{} has the same plug-in name", other.display())));
        }
        let parts = Parts::read(path, server);
        // Checked after reading: an earlier check may be outdated.
        if Stamps::of(path, server) != Some(*stamps) {
            return Ok(None);
        }
        let loaded = parts?.load(path, server)?;
        plugins.put(&name, loaded, Some(path.into()));
        Ok(Some((name, before.is_some())))
    }
}

/// Since when a file that is known to be complete is unchanged.
fn long_ago() -> Instant {
    let now = Instant::now();
    now.checked_sub(SETTLE).unwrap_or(now)
}

/// The module files in `folder`, sorted, so that `.wasm` comes before `.wat`.
fn module_files(folder: &Path, server: &ServerPolicy) -> Result<Vec<(PathBuf, Stamps)>, Error> {
    let io = |source| Error::Io { path: folder.into(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        if !ending.is_some_and(|ending| ENDINGS.contains(&ending)) {
            continue;
        }
        // A file that vanished since the listing does not exist.
        if let Some(stamps) = Stamps::of(&path, server) {
            files.push((path, stamps));
        }
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(files)
}

/// The policies in `folder` without a module. Each is a mistake, and perhaps a plug-in serves without it.
///
/// # Errors
/// The folder cannot be read.
pub fn policies_without_module(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut lost = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_policy = path.extension().is_some_and(|ending| ending == "toml");
        if is_policy && !ENDINGS.iter().any(|ending| path.with_extension(ending).exists()) {
            lost.push(path);
        }
    }
    lost.sort();
    Ok(lost)
}
