//! A manifest of Extism: a JSON file that names a plug-in's module, and what it is allowed and given
//! (<https://extism.org/docs/concepts/manifest>).

use crate::base::base64;
use crate::base::digest::Digest;
use crate::base::escape::printable;
use crate::base::limits::Limits;
use crate::base::units::DirArg;
use crate::cli::args::command::GuestEnvArgs;
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::output::messages::note;
use crate::host::outbound::allow_list::HttpAllowList;
use serde_json::{Map, Value};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bytes of a manifest, beside those of `--max-module` that a module in it takes as base64.
const MANIFEST_BYTES_MAX: usize = 1024 * 1024;

/// A manifest.
#[derive(Debug, Default)]
pub struct Manifest {
    /// Where the module is.
    pub module: Source,
    /// Its SHA-256, if the manifest has one.
    hash: Option<String>,
    memory_pages: Option<u32>,
    timeout: Option<Duration>,
    config: Vec<(String, String)>,
    dirs: Vec<DirArg>,
    /// Hosts that it may call.
    hosts: Vec<String>,
}

/// A module that a manifest names.
#[derive(Debug)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// The module itself.
    Bytes(Vec<u8>),
}

impl Default for Source {
    fn default() -> Self {
        Source::Bytes(Vec::new())
    }
}

/// Whether `target` is a manifest, by its name.
pub fn is_manifest(target: &OsStr) -> bool {
    let path = Path::new(target);
    path.extension().is_some_and(|ending| ending == "json") && path.is_file()
}

impl Manifest {
    /// Reads the manifest at `path`. Files are relative to it.
    ///
    /// # Errors
    /// It cannot be read, or holds something that fuelbox does not do.
    pub fn read(path: &Path, limits: &Limits) -> Result<Manifest, Failure> {
        let failed = |what: String| Failure::new(exit::LOAD, format!("{}: {what}", path.display()));
        let most = limits.module_bytes.saturating_mul(2).saturating_add(MANIFEST_BYTES_MAX) as u64;
        let size = path.metadata().map_err(|error| failed(error.to_string()))?.len();
        if size > most {
            return Err(failed(format!(
                "the manifest has {size} bytes, more than {most} (--max-module raises it)"
            )));
        }
        let bytes = fs::read(path).map_err(|error| failed(error.to_string()))?;
        let value: Value =
            serde_json::from_slice(&bytes).map_err(|error| failed(format!("no manifest: {error}")))?;
        parse(&value, path.parent().unwrap_or(Path::new(""))).map_err(failed)
    }

    /// Checks that `module` is the one that the manifest means.
    ///
    /// # Errors
    /// It has another digest.
    pub fn check(&self, module: &[u8]) -> Result<(), String> {
        let found = Digest::of(module).to_string();
        match &self.hash {
            Some(hash) if !hash.eq_ignore_ascii_case(&found) => {
                Err(format!("the module's SHA-256 is {found}, not {} as the manifest says", printable(hash)))
            }
            _ => Ok(()),
        }
    }

    /// Lowers `limits`, and adds what the plug-in is given. Directories and hosts are told of: the manifest may be a stranger's.
    ///
    /// # Errors
    /// A host that is no name, or a build that calls none.
    pub fn apply(self, limits: &mut Limits, env: &mut GuestEnvArgs) -> Result<(), Failure> {
        if !self.hosts.is_empty() {
            let schemes = |host: &String| ["https", "http"].map(|scheme| format!("{scheme}://{host}/*"));
            let list = HttpAllowList::new(self.hosts.iter().flat_map(schemes));
            let list = list.map_err(|what| {
                Failure::new(exit::LOAD, format!("`allowed_hosts` of the manifest: {what}"))
            })?;
            note(&format!("the manifest allows HTTP requests to {}", printable(&self.hosts.join(", "))));
            env.http.extend(&list);
        }
        limits.memory_pages =
            self.memory_pages.map_or(limits.memory_pages, |pages| pages.min(limits.memory_pages));
        let timeouts = [limits.deadline, self.timeout];
        limits.deadline = timeouts.into_iter().flatten().min();
        let is_new = |key: &str| !env.config.iter().any(|(other, _)| other == key);
        let config: Vec<_> = self.config.into_iter().filter(|(key, _)| is_new(key)).collect();
        env.config.extend(config);
        for dir in self.dirs {
            let how = if dir.read_only { " to be read" } else { "" };
            note(&format!(
                "the manifest opens {} as {}{how}",
                dir.host.to_string_lossy(),
                printable(&dir.guest)
            ));
            if !env.dirs.iter().any(|other| other.guest == dir.guest) {
                env.dirs.push(dir);
            }
        }
        Ok(())
    }
}

fn parse(value: &Value, folder: &Path) -> Result<Manifest, String> {
    let object = value.as_object().ok_or("no manifest: it is not an object")?;
    let mut manifest = Manifest::default();
    let mut has_module = false;
    for (key, value) in object.iter().filter(|(_, value)| !value.is_null()) {
        match key.as_str() {
            "wasm" => {
                (manifest.module, manifest.hash) = module(value, folder)?;
                has_module = true;
            }
            "memory" => manifest.memory_pages = memory(value)?,
            "timeout_ms" => manifest.timeout = Some(Duration::from_millis(number(key, value)?)),
            "config" => manifest.config = strings(key, value)?,
            "allowed_paths" => {
                let paths = strings(key, value)?;
                manifest.dirs = paths.into_iter().map(|(host, guest)| dir(&host, guest, folder)).collect();
            }
            "allowed_hosts" => {
                let list = value.as_array().ok_or("`allowed_hosts` is not a list")?;
                manifest.hosts = list.iter().map(|host| string(key, host)).collect::<Result<_, _>>()?;
            }
            _ => return Err(format!("unknown key `{}`", printable(key))),
        }
    }
    if !has_module {
        return Err("the manifest has no `wasm`".into());
    }
    Ok(manifest)
}

/// The only module of `wasm`, which is a list, and its SHA-256.
fn module(value: &Value, folder: &Path) -> Result<(Source, Option<String>), String> {
    let list = value.as_array().ok_or("`wasm` is not a list")?;
    let [Value::Object(module)] = &list[..] else {
        return Err(match list.len() {
            0 | 1 => "`wasm` has no module".into(),
            count => format!(
                "`wasm` has {count} modules, and fuelbox links none; wasm-merge of Binaryen makes one of them"
            ),
        });
    };
    let hash = module.get("hash").filter(|hash| !hash.is_null());
    let hash = hash.map(|hash| string("hash", hash)).transpose()?;
    let source = match (module.get("path"), module.get("data"), module.get("url")) {
        (Some(path), ..) => Source::File(folder.join(string("path", path)?)),
        (_, Some(data), _) => Source::Bytes(bytes(data)?),
        (.., Some(_)) => return Err("modules by `url` are not fetched; name a file by `path`".into()),
        _ => return Err("a module of `wasm` has neither `path` nor `data`".into()),
    };
    Ok((source, hash))
}

/// A module as base64.
fn bytes(data: &Value) -> Result<Vec<u8>, String> {
    let text = data.as_str().ok_or("`data` is not base64")?;
    base64::decode(text).ok_or_else(|| "`data` is not base64".into())
}

fn memory(value: &Value) -> Result<Option<u32>, String> {
    let mut pages = None;
    for (key, value) in object("memory", value)?.iter().filter(|(_, value)| !value.is_null()) {
        match key.as_str() {
            "max_pages" => pages = Some(u32::try_from(number(key, value)?).unwrap_or(u32::MAX)),
            // fuelbox's own are 1 MiB, and the limits of the run.
            "max_http_response_bytes" | "max_var_bytes" => drop(number(key, value)?),
            _ => return Err(format!("unknown key `{}` in `memory`", printable(key))),
        }
    }
    Ok(pages)
}

/// A directory: its path on the host, perhaps with `ro:` before it, and the guest's name for it.
fn dir(host: &str, guest: String, folder: &Path) -> DirArg {
    let (host, read_only) = host.strip_prefix("ro:").map_or((host, false), |host| (host, true));
    DirArg { host: folder.join(host).into(), guest, read_only }
}

fn object<'v>(key: &str, value: &'v Value) -> Result<&'v Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("`{key}` is not an object"))
}

fn string(key: &str, value: &Value) -> Result<String, String> {
    value.as_str().map(String::from).ok_or_else(|| format!("`{key}` is not a string"))
}

fn strings(key: &str, value: &Value) -> Result<Vec<(String, String)>, String> {
    object(key, value)?.iter().map(|(name, value)| Ok((name.clone(), string(name, value)?))).collect()
}

fn number(key: &str, value: &Value) -> Result<u64, String> {
    value.as_u64().ok_or_else(|| format!("`{key}` is not a whole number"))
}
