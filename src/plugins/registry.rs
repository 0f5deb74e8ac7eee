//! Plug-ins by name: a `HashMap` of compiled modules behind a lock, filled from a folder (`folder.rs`) or from
//! the built-in examples.
//!
//! A call holds an `Arc` of the plug-in, so it finishes on the version it started with.

use crate::abi::{Convention, command, is_reserved, offered, passes_bytes};
use crate::base::digest::Digest;
use crate::base::error::Error;
use crate::base::limits::{
    FRESH_BYTES_PER_MS, LISTED_BYTES_MAX, LISTED_FUNCTIONS_MAX, PAGE_BYTES, WarmLimits,
};
use crate::base::lock::{read, write};
use crate::host::guest_log::Bucket;
use crate::module::reader::Signature;
use crate::plugins::code::{Code, Place};
use crate::plugins::examples;
use crate::plugins::policy::routes::is_reserved as is_reserved_path;
use crate::plugins::policy::{PluginRoute, Policy, ServerPolicy};
use crate::plugins::stats::Stats;
use crate::sandbox::pool::{Budget, Pool};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Instant;

/// A loaded module with its policy.
#[derive(Debug)]
pub struct Loaded {
    /// The module.
    pub code: Code,
    /// What it is allowed and given.
    pub policy: Policy,
    /// The digest of the module's file.
    pub digest: Digest,
}

/// One loaded plug-in.
#[derive(Debug)]
pub struct Plugin {
    /// Its name: the file name without the extension.
    pub name: String,
    /// The module.
    pub code: Code,
    /// What it is allowed and given.
    pub policy: Policy,
    /// The digest of the module's file.
    pub digest: Digest,
    /// The file it came from; none for a built-in one.
    pub path: Option<PathBuf>,
    /// The only function that can be called, if there is just one.
    pub only_function: Option<String>,
    /// Its warm instances, if they are kept.
    pub warm: Option<Pool>,
    /// Its counts, which a replacement continues.
    pub stats: Arc<Stats>,
    /// Its log budget, which a replacement continues.
    pub log: Arc<Bucket>,
}

/// Memory that takes longer than this to be had, by [`FRESH_BYTES_PER_MS`], delays a run.
const LONG_INSTANTIATION_MS: u64 = 4;

impl Plugin {
    /// Whether a run may be delayed where it is not interrupted: by translation of functions, by fresh memory, or in a
    /// directory.
    pub fn may_stall(&self) -> bool {
        let fresh_bytes = match &self.code.info().memory {
            Some(memory) if self.warm.is_none() => memory.min_pages.saturating_mul(PAGE_BYTES as u64),
            _ => 0,
        };
        fresh_bytes > LONG_INSTANTIATION_MS * FRESH_BYTES_PER_MS
            || self.code.is_slow_to_translate()
            || !self.policy.guest_env.dirs.is_empty()
    }

    /// Whether it runs as a program, not by its functions.
    pub fn is_command(&self) -> bool {
        self.policy.convention == Some(Convention::Command)
            || self.convention(command::START) == Some(Convention::Command)
    }

    /// Whether the result of its function `func` is JSON: of a component's, if it is neither a string nor bytes.
    pub fn gives_json(&self, func: &str) -> bool {
        let wit = self.code.info().function(func).and_then(|signature| signature.wit.as_deref());
        let result = wit.and_then(|wit| wit.rsplit_once(" -> "));
        result.is_some_and(|(_, result)| result != "string" && result != "list<u8>")
    }

    /// The calling convention of its function `func`, if it can be called.
    pub fn convention(&self, func: &str) -> Option<Convention> {
        self.policy.check_function(func).ok()?;
        self.convention_of(func).filter(|_| !self.withholds(func))
    }

    /// Checks that callers of the plug-in can call `func`.
    ///
    /// # Errors
    /// [`Error::NoFunction`] with the functions that can be called; also for a reserved function.
    pub fn check_function(&self, func: &str) -> Result<(), Error> {
        self.policy.check_function(func)?;
        let info = self.code.info();
        let is_program = func == command::START && self.is_command();
        let is_offered = !is_reserved(info, func) && !self.withholds(func);
        match info.function(func).is_some() && (is_program || is_offered) {
            true => Ok(()),
            false => Err(Error::NoFunction {
                name: func.into(),
                known: self.offered().map(|(name, _)| name).collect(),
                command: command::fits(info),
            }),
        }
    }

    /// Whether `func` is a numeric function that only a policy can open: under any name, it may move memory,
    /// and this plug-in keeps instances with data of clients.
    fn withholds(&self, func: &str) -> bool {
        self.warm.is_some()
            && self.policy.functions.is_none()
            && passes_bytes(self.code.info())
            && self.convention_of(func) == Some(Convention::Numeric)
    }

    /// Its functions that are offered, unless its policy forbids them.
    fn offered(&self) -> impl Iterator<Item = (&str, &Signature)> {
        offered(self.code.info()).filter(|(name, _)| !self.withholds(name))
    }

    /// The function that it offers, if it is the only one.
    fn lone_function(&self) -> Option<String> {
        let mut offered = self.offered().map(|(name, _)| name);
        let lone = offered.next().map(String::from);
        lone.filter(|_| offered.next().is_none())
    }

    /// The same, if its policy lets it be called.
    fn convention_of(&self, func: &str) -> Option<Convention> {
        let info = self.code.info();
        match self.policy.convention {
            Some(forced) => forced.fits(info, func).then_some(forced),
            None => Convention::of(info, func),
        }
    }

    /// The first of its callable functions, for listings.
    pub fn functions(&self) -> Listed<'_> {
        let allowed = self.policy.functions.as_deref();
        let allowed: Option<HashSet<&str>> = allowed.map(|names| names.iter().map(String::as_str).collect());
        let may_be_called = |name: &str| allowed.as_ref().is_none_or(|allowed| allowed.contains(name));
        let functions = self.offered().filter(|(name, _)| may_be_called(name));
        Listed::of(functions, |name| self.convention_of(name))
    }
}

/// Functions for a listing, up to its limit, so that no module makes a listing long or slow.
#[derive(Debug)]
pub struct Listed<'a> {
    /// The first functions: name, type and convention, if one fits.
    pub shown: Vec<(&'a str, &'a Signature, Option<Convention>)>,
    /// The number of the others.
    pub more: usize,
}

impl<'a> Listed<'a> {
    /// The first of `functions`.
    pub fn of(
        functions: impl Iterator<Item = (&'a str, &'a Signature)>,
        convention: impl Fn(&str) -> Option<Convention>,
    ) -> Listed<'a> {
        let mut listed = Listed { shown: Vec::new(), more: 0 };
        let mut room = LISTED_BYTES_MAX;
        for (name, signature) in functions {
            let is_full = listed.more > 0 || listed.shown.len() == LISTED_FUNCTIONS_MAX;
            let left =
                if is_full { None } else { room.checked_sub(name.len() + signature.to_string().len()) };
            let Some(left) = left else {
                listed.more += 1;
                continue;
            };
            room = left;
            listed.shown.push((name, signature, convention(name)));
        }
        listed
    }
}

/// The registry. Cheap to read from many threads.
#[derive(Debug)]
pub struct Plugins {
    by_name: RwLock<HashMap<String, Arc<Plugin>>>,
    refused: RwLock<BTreeMap<PathBuf, String>>,
    /// The routes of all policies, in the order in which they are tried, and whose they are.
    mounts: RwLock<Vec<(PluginRoute, String)>>,
    has_shares: AtomicBool,
    has_processes: AtomicBool,
    version: AtomicU64,
    warm_limits: WarmLimits,
    warm_budget: Arc<Budget>,
    /// The common log budget.
    log: Arc<Bucket>,
}

impl Default for Plugins {
    fn default() -> Self {
        Plugins::with_warm(&WarmLimits::default())
    }
}

impl Plugins {
    /// An empty registry.
    pub fn new() -> Plugins {
        Plugins::default()
    }

    /// An empty registry, whose plug-ins keep warm instances within `limits`, unless their policies override
    /// them.
    pub fn with_warm(limits: &WarmLimits) -> Plugins {
        Plugins {
            by_name: RwLock::default(),
            refused: RwLock::default(),
            mounts: RwLock::default(),
            has_shares: AtomicBool::new(false),
            has_processes: AtomicBool::new(false),
            version: AtomicU64::new(0),
            warm_limits: limits.clone(),
            warm_budget: Budget::new(limits.memory_bytes),
            log: Arc::new(Bucket::of_all()),
        }
    }

    /// Bytes that warm instances take.
    pub fn warm_bytes(&self) -> usize {
        self.warm_budget.used()
    }

    /// Drops warm instances that have been idle for too long, and memory that is kept for later calls.
    pub fn expire_idle(&self, now: Instant) {
        for plugin in read(&self.by_name).values() {
            if let Some(pool) = &plugin.warm {
                pool.expire(now);
            }
            plugin.code.trim();
        }
    }

    /// Plug-ins with dropped log lines.
    pub fn loud(&self) -> Vec<Arc<Plugin>> {
        let by_name = read(&self.by_name);
        by_name.values().filter(|plugin| plugin.log.dropped() > 0).cloned().collect()
    }

    /// The plug-in with this name, with or without `.wasm`.
    ///
    /// # Errors
    /// [`Error::NoPlugin`] with the existing names.
    pub fn get(&self, name: &str) -> Result<Arc<Plugin>, Error> {
        self.find(name).ok_or_else(|| {
            let by_name = read(&self.by_name);
            let mut known: Vec<&str> = by_name.keys().map(String::as_str).collect();
            known.sort_unstable();
            Error::NoPlugin { name: name.into(), known: known.into_iter().collect() }
        })
    }

    /// As [`Plugins::get`], without the list of all names, which a scan would build for each new file.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Plugin>> {
        let by_name = read(&self.by_name);
        by_name.get(name).or_else(|| by_name.get(name.strip_suffix(".wasm")?)).cloned()
    }

    /// All plug-ins, by name.
    pub fn all(&self) -> Vec<Arc<Plugin>> {
        let by_name = read(&self.by_name);
        let mut all: Vec<_> = by_name.values().cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Files that do not load, with the reasons.
    pub fn refused(&self) -> BTreeMap<PathBuf, String> {
        read(&self.refused).clone()
    }

    /// A file that would be the plug-in `name`, and why it does not load.
    pub fn refusal(&self, name: &str) -> Option<(PathBuf, String)> {
        let name = name.strip_suffix(".wasm").unwrap_or(name);
        let refused = read(&self.refused);
        let found = refused.iter().find(|(path, _)| path.file_stem().is_some_and(|stem| stem == name));
        found.map(|(path, reason)| (path.clone(), reason.clone()))
    }

    pub(crate) fn set_refused(&self, refused: BTreeMap<PathBuf, String>) {
        let mut known = write(&self.refused);
        if *known != refused {
            *known = refused;
            self.version.fetch_add(1, Ordering::Release);
        }
    }

    /// Adds a plug-in, or replaces the one with the same name.
    pub(crate) fn put(&self, name: &str, loaded: Loaded, path: Option<PathBuf>) {
        let Loaded { code, policy, digest } = loaded;
        // A trace begins with an instance.
        let instances = if policy.trace { 0 } else { policy.warm.unwrap_or(self.warm_limits.instances) };
        let limits = WarmLimits { instances, ..self.warm_limits.clone() };
        let is_kept = instances > 0 && !command::ends_with_run(code.info());
        let warm = is_kept.then(|| Pool::new(&limits, &self.warm_budget));
        let mut by_name = write(&self.by_name);
        let before = by_name.get(name).map(|before| (Arc::clone(&before.stats), Arc::clone(&before.log)));
        let (stats, log) = before.unwrap_or_else(|| (Arc::default(), Arc::new(Bucket::under(&self.log))));
        let only_function = policy.only_function().map(String::from);
        let mut plugin =
            Plugin { name: name.into(), code, policy, digest, path, only_function, warm, stats, log };
        if plugin.only_function.is_none() && plugin.policy.functions.is_none() {
            plugin.only_function = plugin.lone_function();
        }
        by_name.insert(plugin.name.clone(), Arc::new(plugin));
        self.settle_mounts(&by_name, name);
        let has_shares = by_name.values().any(|plugin| plugin.policy.workers.is_some());
        self.has_shares.store(has_shares, Ordering::Relaxed);
        let has_processes = by_name.values().any(|plugin| !plugin.code.is_here());
        self.has_processes.store(has_processes, Ordering::Relaxed);
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Sorts the routes of all policies, after that of the plug-in `changed` did. Where two plug-ins have the same route, the
    /// first one by name answers.
    fn settle_mounts(&self, by_name: &HashMap<String, Arc<Plugin>>, changed: &str) {
        let mut mounts = read(&self.mounts).clone();
        mounts.retain(|(_, name)| name != changed);
        let routes = by_name.get(changed).map(|plugin| plugin.policy.routes.clone()).unwrap_or_default();
        mounts.extend(routes.into_iter().map(|route| (route, changed.to_string())));
        // All but the last ones are in order, so this takes one look at each.
        mounts.sort_by(|(route, name), (other, second)| (route.order(), name).cmp(&(other.order(), second)));
        for pair in mounts.windows(2) {
            let [(route, first), (other, second)] = pair else { continue };
            if route.is_like(other) && [first, second].iter().any(|name| *name == changed) {
                log::warn!(
                    "the route {} is of the plug-ins {first} and {second}; {first} answers",
                    route.text()
                );
            }
        }
        *write(&self.mounts) = mounts;
    }

    /// The plug-in that answers at `path` by a route of its policy, that route, and how many bytes of the path are its.
    pub fn mounted(&self, path: &str) -> Option<(String, PluginRoute, usize)> {
        let mounts = if is_reserved_path(path) { return None } else { read(&self.mounts) };
        mounts.iter().find_map(|(route, plugin)| {
            route.matches(path).map(|script| (plugin.clone(), route.clone(), script))
        })
    }

    /// A version number, which changes whenever a plug-in, or a file that does not load, is added, removed or
    /// replaced.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Whether a policy limits the workers of its plug-in.
    pub fn has_shares(&self) -> bool {
        self.has_shares.load(Ordering::Relaxed)
    }

    /// Whether a plug-in runs in processes of its own.
    pub fn has_processes(&self) -> bool {
        self.has_processes.load(Ordering::Relaxed)
    }

    pub(crate) fn remove(&self, name: &str) {
        let mut by_name = write(&self.by_name);
        by_name.remove(name);
        self.settle_mounts(&by_name, name);
        drop(by_name);
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Adds the built-in example guests.
    ///
    /// # Errors
    /// One does not fit under the limits of `server`.
    pub fn add_built_in(&self, server: &ServerPolicy) -> Result<(), Error> {
        examples::BUILT_IN.iter().try_for_each(|(name, wasm)| self.add(name, wasm, server))
    }

    /// Adds the module in `bytes`, with no policy but the server's, or replaces the plug-in with the same name.
    ///
    /// # Errors
    /// It does not load.
    pub fn add(&self, name: &str, bytes: &[u8], server: &ServerPolicy) -> Result<(), Error> {
        let place = server.loader.place(None).unwrap_or(Place::Thread);
        let code = server.loader.load(name, bytes, (&server.limits, place, false))?;
        let policy = Policy::of_server(&server.limits);
        self.put(name, Loaded { code, policy, digest: Digest::of(bytes) }, None);
        Ok(())
    }
}
