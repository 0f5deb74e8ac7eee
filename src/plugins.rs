//! Plug-ins by name: a `HashMap` of compiled modules behind a lock, filled from a folder or from the
//! built-in examples, and kept in step with the folder.
//!
//! A call takes an `Arc` of the plug-in, so it ends on the version it began with whatever happens here.

use crate::abi::command;
use crate::engine::Program;
use crate::error::{Error, LoadProblem};
use crate::guests;
use crate::limits::{Limits, WarmLimits};
use crate::warm::{Budget, Pool};
use std::collections::{BTreeMap, HashMap};
use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::{Instant, SystemTime};

/// One loaded plug-in.
#[derive(Debug)]
pub struct Plugin {
    /// Its name: the file's without the ending.
    pub name: String,
    /// The compiled module.
    pub program: Program,
    /// The file it came from; none for a built-in one.
    pub path: Option<PathBuf>,
    /// Its warm instances, if they are kept.
    pub warm: Option<Pool>,
}

/// The plug-ins there are. Cheap to read from many threads.
#[derive(Debug, Default)]
pub struct Plugins {
    by_name: RwLock<HashMap<String, Arc<Plugin>>>,
    refused: RwLock<BTreeMap<PathBuf, String>>,
    warm: Option<(WarmLimits, Arc<Budget>)>,
}

impl Plugins {
    /// An empty set.
    pub fn new() -> Plugins {
        Plugins::default()
    }

    /// An empty set whose plug-ins keep instances as `limits` say.
    pub fn with_warm(limits: &WarmLimits) -> Plugins {
        let warm = (limits.instances > 0).then(|| (limits.clone(), Budget::new(limits.memory_bytes)));
        Plugins { warm, ..Plugins::default() }
    }

    /// Bytes that warm instances take.
    pub fn warm_bytes(&self) -> usize {
        self.warm.as_ref().map_or(0, |(_, budget)| budget.used())
    }

    /// Lets go of warm instances that have been idle for too long.
    pub fn expire_warm(&self, now: Instant) {
        if self.warm.is_some() {
            let by_name = self.by_name.read().unwrap_or_else(|poisoned| poisoned.into_inner());
            by_name.values().filter_map(|plugin| plugin.warm.as_ref()).for_each(|pool| pool.expire(now));
        }
    }

    /// The plug-in called `name`, with or without `.wasm` after it.
    ///
    /// # Errors
    /// [`Error::NoPlugin`] with the names there are.
    pub fn get(&self, name: &str) -> Result<Arc<Plugin>, Error> {
        self.find(name).ok_or_else(|| {
            let by_name = self.by_name.read().unwrap_or_else(|poisoned| poisoned.into_inner());
            let mut known: Vec<String> = by_name.keys().cloned().collect();
            known.sort();
            Error::NoPlugin { name: name.into(), known }
        })
    }

    /// As [`Plugins::get`], without the list of all names, which a scan would make for each new file.
    fn find(&self, name: &str) -> Option<Arc<Plugin>> {
        let by_name = self.by_name.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        by_name.get(name).or_else(|| by_name.get(name.strip_suffix(".wasm")?)).cloned()
    }

    /// All plug-ins, by name.
    pub fn all(&self) -> Vec<Arc<Plugin>> {
        let by_name = self.by_name.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut all: Vec<_> = by_name.values().cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Files that do not load, each with the reason.
    pub fn refused(&self) -> BTreeMap<PathBuf, String> {
        self.refused.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    fn set_refused(&self, refused: BTreeMap<PathBuf, String>) {
        *self.refused.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = refused;
    }

    fn put(&self, name: String, program: Program, path: Option<PathBuf>) {
        let warm = self.warm.as_ref().filter(|_| !command::fits(program.facts()));
        let warm = warm.map(|(limits, budget)| Pool::new(limits, budget));
        let plugin = Plugin { name, program, path, warm };
        let mut by_name = self.by_name.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        by_name.insert(plugin.name.clone(), Arc::new(plugin));
    }

    fn remove(&self, name: &str) {
        self.by_name.write().unwrap_or_else(|poisoned| poisoned.into_inner()).remove(name);
    }

    /// Adds the example guests that are part of the binary.
    ///
    /// # Errors
    /// One does not fit under `limits`.
    pub fn add_built_in(&self, limits: &Limits) -> Result<(), Error> {
        for (name, wasm) in guests::BUILT_IN {
            let program = Program::compile(name, wasm, limits)?;
            self.put(name.into(), program, None);
        }
        Ok(())
    }
}

/// Reads and compiles the module at `path`.
///
/// # Errors
/// [`Error::Io`] with the path; [`Error::Load`] as [`Program::compile`].
pub fn load_file(path: &Path, limits: &Limits) -> Result<Program, Error> {
    let bytes = read_file(path, limits)?;
    Program::compile(&path.display().to_string(), &bytes, limits)
}

/// The bytes of the module file at `path`, at most as many as `limits` allow.
///
/// # Errors
/// [`Error::Io`] with the path; [`Error::Load`] if it is larger.
pub fn read_file(path: &Path, limits: &Limits) -> Result<Vec<u8>, Error> {
    let io = |source| Error::Io { path: path.into(), source };
    let mut options = File::options();
    options.read(true);
    // Opening a named pipe must not wait for its writer; on a file this changes nothing.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, rustix::fs::OFlags::NONBLOCK.bits() as i32);
    let file = options.open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        return Err(io(std::io::Error::other("not a regular file")));
    }
    let mut bytes = Vec::new();
    let most = (limits.module_bytes as u64).saturating_add(1);
    file.take(most).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() > limits.module_bytes {
        let size = metadata.len().max(bytes.len() as u64);
        let problem = LoadProblem::TooLarge { size, limit: limits.module_bytes };
        return Err(Error::Load { name: path.display().to_string(), problem });
    }
    Ok(bytes)
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
    changed: (i64, i64),
    inode: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        #[cfg(unix)]
        let (changed, inode) = {
            use std::os::unix::fs::MetadataExt;
            ((metadata.ctime(), metadata.ctime_nsec()), metadata.ino())
        };
        #[cfg(not(unix))]
        let (changed, inode) = ((0, 0), 0);
        Stamp { size: metadata.len(), modified: metadata.modified().ok(), changed, inode }
    }
}

/// What a scan changed.
#[derive(Debug, Default)]
pub struct Changes {
    /// Names that are new.
    pub loaded: Vec<String>,
    /// Names whose module was replaced.
    pub replaced: Vec<String>,
    /// Names that are gone.
    pub removed: Vec<String>,
    /// Files that could not be loaded; what was loaded from them before still serves.
    pub failed: Vec<Error>,
}

impl Changes {
    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.loaded.is_empty()
            && self.replaced.is_empty()
            && self.removed.is_empty()
            && self.failed.is_empty()
    }
}

/// A file as it was when it was last looked at.
#[derive(Debug)]
struct Seen {
    stamp: Stamp,
    /// Why it did not load, and whether that may pass without the file changing.
    refused: Option<(String, bool)>,
}

/// A plug-in folder and what was last seen in it.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    seen: HashMap<PathBuf, Seen>,
}

impl Folder {
    /// The folder at `path`, not yet scanned.
    pub fn new(path: impl Into<PathBuf>) -> Folder {
        Folder { path: path.into(), seen: HashMap::new() }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Loads what is new or changed and drops what is gone. A file that does not load leaves the plug-in
    /// as it was, and is tried again when it changes (one that could not be read: at every scan).
    ///
    /// # Errors
    /// The folder itself cannot be read; the plug-ins stay as they are.
    pub fn scan(&mut self, plugins: &Plugins, limits: &Limits) -> Result<Changes, Error> {
        let mut changes = Changes::default();
        let files = module_files(&self.path)?;
        self.drop_gone(&files, plugins, &mut changes);
        for (path, stamp) in files {
            let before = self.seen.get(&path);
            let same = before.is_some_and(|seen| seen.stamp == stamp);
            let known = before.and_then(|seen| seen.refused.clone());
            if same && !known.as_ref().is_some_and(|(_, passing)| *passing) {
                continue;
            }
            let mut refused = None;
            match self.load(&path, plugins, limits) {
                Ok((name, true)) => changes.replaced.push(name),
                Ok((name, false)) => changes.loaded.push(name),
                Err(error) => {
                    refused = Some((error.to_string(), matches!(error, Error::Io { .. })));
                    // The same trouble as at the last scan is not told again.
                    if !same || refused != known {
                        changes.failed.push(error);
                    }
                }
            }
            self.seen.insert(path, Seen { stamp, refused });
        }
        let refused = self.seen.iter().filter_map(|(path, seen)| {
            seen.refused.as_ref().map(|(reason, _)| (path.clone(), reason.clone()))
        });
        plugins.set_refused(refused.collect());
        Ok(changes)
    }

    fn drop_gone(&mut self, files: &[(PathBuf, Stamp)], plugins: &Plugins, changes: &mut Changes) {
        // `module_files` sorted them: looked through for each plug-in, a thousand would cost a million looks.
        self.seen.retain(|path, _| files.binary_search_by(|(file, _)| file.cmp(path)).is_ok());
        for plugin in plugins.all() {
            let in_folder = plugin.path.as_ref().filter(|path| path.parent() == Some(&self.path));
            if in_folder.is_some_and(|path| !self.seen.contains_key(path)) {
                plugins.remove(&plugin.name);
                changes.removed.push(plugin.name.clone());
            }
        }
    }

    /// Loads one file; says whether it replaced a plug-in.
    fn load(&self, path: &Path, plugins: &Plugins, limits: &Limits) -> Result<(String, bool), Error> {
        let refuse = |what: String| Error::Io { path: path.into(), source: std::io::Error::other(what) };
        let name = path.file_stem().and_then(|stem| stem.to_str());
        let name = name.ok_or_else(|| refuse("the file's name is not UTF-8".into()))?.to_string();
        let before = plugins.find(&name);
        if let Some(other) = before.as_ref().and_then(|plugin| plugin.path.as_deref())
            && other != path
        {
            return Err(refuse(format!("{} has the same plug-in name", other.display())));
        }
        let program = load_file(path, limits)?;
        plugins.put(name.clone(), program, Some(path.into()));
        Ok((name, before.is_some()))
    }
}

/// The endings of module files, the preferred one first.
pub const ENDINGS: &[&str] = if cfg!(feature = "wat") { &["wasm", "wat"] } else { &["wasm"] };

/// The module files in `folder`, sorted, so that `.wasm` comes before `.wat`.
fn module_files(folder: &Path) -> Result<Vec<(PathBuf, Stamp)>, Error> {
    let io = |source| Error::Io { path: folder.into(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        // A file that vanished since the listing is simply not there.
        if let (true, Ok(metadata)) =
            (ending.is_some_and(|ending| ENDINGS.contains(&ending)), std::fs::metadata(&path))
        {
            files.push((path, Stamp::of(&metadata)));
        }
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(files)
}
