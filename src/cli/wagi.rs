//! `modules.toml` of deislabs/wagi: a plug-in folder made of it, which lasts as long as the gateway. Each module gets a
//! policy with its route, entry point, volumes and variables. It is read once: changed modules need a restart.
//!
//! The format is that of wagi's documentation, "configuring and running", without bindles.

use crate::abi::command::START;
use crate::base::escape::printable;
use crate::base::private_dir::PrivateDir;
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::plugins::deploy::is_name;
use crate::plugins::policy::{At, ROUTES_MAX, table_of};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::DeValue;

/// The key of a policy's environment and others are tables, each with such lines.
type Table = BTreeMap<String, String>;

/// A plug-in folder made of a `modules.toml`, removed on drop.
pub struct Folder {
    dir: PrivateDir,
    modules: Vec<Module>,
}

/// One `[[module]]`.
#[derive(Debug, Default, PartialEq)]
struct Module {
    /// The plug-in's name.
    name: String,
    file: PathBuf,
    /// The routes, with their functions.
    routes: Vec<(String, String)>,
    /// Host directories by the guest's names.
    volumes: Table,
    environment: Table,
    /// Origins that it may call.
    allowed_hosts: Vec<String>,
}

/// The function of a module that prints further routes.
pub const ROUTES: &str = "_routes";

const KEYS: &str =
    "route, module, entrypoint, volumes, environment, allowed_hosts, http_max_concurrency or repository";

impl Folder {
    /// The folder for the modules of the file at `path`.
    ///
    /// # Errors
    /// What is wrong with the file, and where; a module that is not there; no folder can be made.
    pub fn of(path: &Path) -> Result<Folder, Failure> {
        let failed = |what: String| Failure::new(exit::LOAD, format!("--wagi {}: {what}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let modules = read(&text).map_err(|at| Failure::new(exit::LOAD, at.told(path, &text)))?;
        let dir = PrivateDir::new().map_err(|error| failed(format!("no folder can be made: {error}")))?;
        let folder = Folder { dir, modules };
        for module in &folder.modules {
            let shown = module.file.display();
            let file = module.file.canonicalize().map_err(|error| failed(format!("{shown}: {error}")))?;
            let ending = if file.extension().is_some_and(|ending| ending == "wat") { "wat" } else { "wasm" };
            let at = folder.path().join(format!("{}.{ending}", module.name));
            place(&file, &at).map_err(|error| failed(format!("{shown}: {error}")))?;
            folder.write(module).map_err(&failed)?;
        }
        Ok(folder)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The host directories that its policies open.
    pub fn dirs(&self) -> Vec<PathBuf> {
        let hosts = self.modules.iter().flat_map(|module| module.volumes.values());
        hosts.map(PathBuf::from).collect()
    }

    /// Adds the routes that the module `name` printed, each below its own route.
    ///
    /// # Errors
    /// A line that is not a route and a function; the policy cannot be written.
    pub fn add_routes(&mut self, name: &str, printed: &[u8]) -> Result<(), String> {
        let Some(at) = self.modules.iter().position(|module| module.name == name) else { return Ok(()) };
        let text = std::str::from_utf8(printed).map_err(|_| "what it printed is not UTF-8".to_string())?;
        let routes = &mut self.modules[at].routes;
        let own = routes.first().map(|(route, _)| route.clone()).unwrap_or_default();
        let above = own.strip_suffix("/...").unwrap_or(&own).trim_end_matches('/').to_string();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [route, function] = words[..] else {
                return Err(format!("`{}` is not a route and a function", printable(line)));
            };
            let route = format!("{above}/{}", route.trim_start_matches('/'));
            // The last of two counts, as in wagi.
            routes.retain(|(other, _)| *other != route);
            routes.push((route, function.into()));
            // A policy takes no more, and each is compared with all before.
            if routes.len() > ROUTES_MAX {
                return Err(format!("it printed more routes than the {ROUTES_MAX} supported"));
            }
        }
        self.write(&self.modules[at])
    }

    fn write(&self, module: &Module) -> Result<(), String> {
        let path = self.path().join(format!("{}.toml", module.name));
        fs::write(&path, policy(module)).map_err(|error| format!("{}: {error}", path.display()))
    }
}

/// A second name for the module, or a copy where the file system has no such names. No symbolic link: those of a plug-in folder
/// do not lead out of it.
fn place(file: &Path, at: &Path) -> std::io::Result<()> {
    fs::hard_link(file, at).or_else(|_| fs::copy(file, at).map(drop))
}

/// The policy of a module. A string of JSON is one of TOML.
fn policy(module: &Module) -> String {
    let mut text = String::from("wagi = true\nconvention = \"command\"\n");
    let list = |items: Vec<String>| json!(items).to_string();
    if !module.volumes.is_empty() {
        let dirs = module.volumes.iter().map(|(guest, host)| format!("{host}::{guest}")).collect();
        let _ = writeln!(text, "dirs = {}", list(dirs));
    }
    if !module.allowed_hosts.is_empty() {
        let within = |host: &String| format!("{}/*", host.trim_end_matches('/'));
        let _ = writeln!(text, "http = {}", list(module.allowed_hosts.iter().map(within).collect()));
    }
    let routes = module.routes.iter().map(|(route, function)| (route, function));
    table(&mut text, "env", module.environment.iter());
    table(&mut text, "routes", routes);
    text
}

fn table<'a>(text: &mut String, name: &str, lines: impl Iterator<Item = (&'a String, &'a String)>) {
    let _ = writeln!(text, "[{name}]");
    for (key, value) in lines {
        let _ = writeln!(text, "{} = {}", json!(key), json!(value));
    }
}

/// What is wrong at `span`.
fn wrong<T>(span: Range<usize>, what: impl Into<String>) -> Result<T, At> {
    Err(At { span, what: what.into(), may_pass: false })
}

fn read(text: &str) -> Result<Vec<Module>, At> {
    let file = table_of(text)?;
    let mut modules: Vec<Module> = Vec::new();
    for (key, value) in file.get_ref().iter() {
        if key.get_ref() != "module" {
            let what = format!("unknown key `{}`; modules are [[module]]", printable(key.get_ref()));
            return wrong(key.span(), what);
        }
        let Some(list) = value.get_ref().as_array() else {
            return wrong(value.span(), "modules are [[module]], in two brackets");
        };
        for value in list {
            let mut module = module(value)?;
            if let Some(other) = modules.iter().find(|other| other.routes[0].0 == module.routes[0].0) {
                return wrong(value.span(), format!("the route `{}` comes twice", other.routes[0].0));
            }
            let stem = module.file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let stem = if is_name(stem) { stem.to_string() } else { "module".into() };
            let names = (1..).map(|n| if n == 1 { stem.clone() } else { format!("{stem}-{n}") });
            let is_free = |name: &String| modules.iter().all(|other| other.name != *name);
            module.name = names.into_iter().find(is_free).unwrap_or_default();
            modules.push(module);
        }
    }
    if modules.is_empty() {
        return wrong(0..0, "there is no [[module]]");
    }
    Ok(modules)
}

fn module(value: &Spanned<DeValue<'_>>) -> Result<Module, At> {
    let Some(keys) = value.get_ref().as_table() else { return wrong(value.span(), "expected a table") };
    let (mut module, mut route, mut entry, mut file) = (Module::default(), None, None, None);
    for (key, value) in keys.iter() {
        match key.get_ref().as_ref() {
            "route" => route = Some(string(value)?),
            "entrypoint" => entry = Some(string(value)?),
            "module" => file = Some(path_of(value)?),
            "volumes" => module.volumes = strings(value)?,
            "environment" => module.environment = strings(value)?,
            "allowed_hosts" => {
                let Some(list) = value.get_ref().as_array() else {
                    return wrong(value.span(), "expected a list");
                };
                module.allowed_hosts = list.iter().map(string).collect::<Result<_, _>>()?;
            }
            // Calls are made one after the other. The other is reserved.
            "http_max_concurrency" | "repository" => {}
            other => {
                return wrong(key.span(), format!("unknown key `{}`, expected {KEYS}", printable(other)));
            }
        }
    }
    let Some(route) = route else { return wrong(value.span(), "the key `route` is missing") };
    let Some(file) = file else { return wrong(value.span(), "the key `module` is missing") };
    module.file = file;
    module.routes = vec![(route, entry.unwrap_or_else(|| START.into()))];
    // Policies take absolute paths only. These are relative to where the server was started, as in wagi.
    for host in module.volumes.values_mut() {
        if let Ok(absolute) = std::path::absolute(&*host) {
            *host = absolute.display().to_string();
        }
    }
    Ok(module)
}

/// A reference to a module: a path, or `file://`.
fn path_of(value: &Spanned<DeValue<'_>>) -> Result<PathBuf, At> {
    let text = string(value)?;
    if let Some(path) = text.strip_prefix("file://") {
        return Ok(path.into());
    }
    for scheme in ["bindle:", "parcel:", "oci:", "http:", "https:"] {
        if text.starts_with(scheme) {
            return wrong(value.span(), format!("modules of `{scheme}` are not fetched; name a file"));
        }
    }
    Ok(text.into())
}

fn string(value: &Spanned<DeValue<'_>>) -> Result<String, At> {
    match value.get_ref().as_str() {
        Some(text) => Ok(text.into()),
        None => wrong(value.span(), "expected a string"),
    }
}

fn strings(value: &Spanned<DeValue<'_>>) -> Result<Table, At> {
    let Some(table) = value.get_ref().as_table() else {
        return wrong(value.span(), "expected a table of strings");
    };
    table.iter().map(|(key, value)| Ok((key.get_ref().to_string(), string(value)?))).collect()
}
