//! Finds the module that FILE or PLUGIN names.

use crate::base::error::{Error, LoadProblem};
use crate::base::limits::Limits;
use crate::cli::args::command::{DEFAULT_FOLDER, Source};
use crate::cli::failure::Failure;
use crate::cli::manifest::{self, Manifest, is_manifest};
use crate::cli::output::messages::note;
use crate::cli::{exit, guest_env};
use crate::plugins::examples;
use crate::plugins::files::{ENDINGS, read_file, read_module};
use crate::sandbox::program::{CompileOptions, Program, Tracing, Translation};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// A module's bytes and name.
pub struct Module {
    /// A path, or a plug-in's name.
    pub name: String,
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// What a manifest says of it beside, if it is of one.
    pub manifest: Option<Manifest>,
    /// Whether it is built in.
    is_built_in: bool,
}

impl Module {
    /// Reports if it is a built-in guest, which the user may not expect.
    pub fn say_origin(&self) {
        if self.is_built_in {
            say_built_in();
        }
    }

    /// Compiles it for one run in this process: functions are translated at their first call. Consumes its
    /// bytes.
    pub fn compile(&mut self, limits: &Limits, tracing: Tracing) -> Result<Program, Error> {
        let translation = Translation::AtFirstCall;
        let options = CompileOptions { translation, tracing, ..CompileOptions::default() };
        Program::compile_bytes(&self.name, std::mem::take(&mut self.bytes).into(), limits, &options)
    }

    /// Compiles it, to check whether it loads.
    pub fn check(&self, limits: &Limits) -> Result<Program, Error> {
        Program::compile(&self.name, &self.bytes, limits)
    }
}

/// The operand that stands for stdin.
pub const STDIN: &str = "-";

/// Finds `target`: a file, or else a plug-in in the folder, or else a built-in guest.
pub fn find(target: &OsStr, source: &Source, limits: &Limits) -> Result<Module, Failure> {
    if target == STDIN {
        return from_stdin(limits);
    }
    let path = Path::new(target);
    if is_manifest(target) {
        return of_manifest(path, limits);
    }
    let is_bare = path.components().count() == 1;
    let has_ending = path.extension().and_then(OsStr::to_str).is_some_and(|ending| ENDINGS.contains(&ending));
    // The name of a plug-in may have the ending of its file.
    let is_plugin = is_bare && has_ending && matches!(source, Source::Folder(_)) && !path.exists();
    if (!is_bare || has_ending || path.is_file()) && !is_plugin {
        let name = path.display().to_string();
        return Ok(Module { name, bytes: read_file(path, limits)?, manifest: None, is_built_in: false });
    }
    let name = if is_plugin { path.file_stem().unwrap_or(target) } else { target };
    let name =
        name.to_str().ok_or_else(|| Failure::new(exit::USAGE, "the name of a plug-in must be UTF-8"))?;
    match folder(source)? {
        Some(folder) => in_folder(&folder, name, limits),
        None => built_in(name),
    }
}

/// The module of a manifest.
fn of_manifest(path: &Path, limits: &Limits) -> Result<Module, Failure> {
    let mut manifest = Manifest::read(path, limits)?;
    let (name, bytes) = match std::mem::take(&mut manifest.module) {
        manifest::Source::File(module) => (module.display().to_string(), read_file(&module, limits)?),
        manifest::Source::Bytes(bytes) => (path.display().to_string(), bytes),
    };
    let other = |what| Failure::new(exit::LOAD, format!("{}: {what}", path.display()));
    manifest.check(&bytes).map_err(other)?;
    Ok(Module { name, bytes, manifest: Some(manifest), is_built_in: false })
}

/// Reads the module from stdin, at most one byte more than allowed.
fn from_stdin(limits: &Limits) -> Result<Module, Failure> {
    let (name, limit) = ("stdin".to_string(), limits.module_bytes);
    let bytes = guest_env::whole_stdin(limit)?;
    if bytes.len() > limit {
        let problem = LoadProblem::TooLarge { size: bytes.len() as u64, limit };
        return Err(Error::Load { name, problem }.into());
    }
    Ok(Module { name, bytes, manifest: None, is_built_in: false })
}

/// The plug-in folder, if there is one.
pub fn folder(source: &Source) -> Result<Option<PathBuf>, Failure> {
    match source {
        Source::Folder(folder) if folder.is_dir() => Ok(Some(folder.clone())),
        Source::Folder(folder) => {
            Err(Failure::new(exit::LOAD, format!("--plugins {}: no such folder", folder.display())))
        }
        Source::Default => Ok(Some(PathBuf::from(DEFAULT_FOLDER)).filter(|folder| folder.is_dir())),
    }
}

/// Reports that the built-in guests are used.
pub fn say_built_in() {
    note(&built_in_note());
}

/// The message if no folder was named and the default does not exist.
pub fn built_in_note() -> String {
    format!("no folder ./{DEFAULT_FOLDER}, so these are the example guests built into fuelbox")
}

fn in_folder(folder: &Path, name: &str, limits: &Limits) -> Result<Module, Failure> {
    let files = ENDINGS.iter().map(|ending| folder.join(format!("{name}.{ending}")));
    if let Some(path) = files.into_iter().find(|path| path.is_file()) {
        return Ok(Module {
            name: name.into(),
            bytes: read_module(&path, limits)?,
            manifest: None,
            is_built_in: false,
        });
    }
    let known = names_in(folder)?;
    Err(Error::NoPlugin { name: name.into(), known: known.iter().map(String::as_str).collect() }.into())
}

/// The names of the module files in a folder. Nothing is loaded.
fn names_in(folder: &Path) -> Result<Vec<String>, Error> {
    let listing = std::fs::read_dir(folder);
    let mut names: Vec<String> = listing
        .map_err(|source| Error::Io { path: folder.into(), source })?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().and_then(OsStr::to_str).is_some_and(|e| ENDINGS.contains(&e)))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_string()))
        .collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// The names of the plug-ins. Nothing is loaded.
pub fn names(source: &Source) -> Result<Vec<String>, Failure> {
    Ok(match folder(source)? {
        Some(folder) => names_in(&folder)?,
        None => {
            say_built_in();
            examples::BUILT_IN.iter().map(|(name, _)| name.to_string()).collect()
        }
    })
}

fn built_in(name: &str) -> Result<Module, Failure> {
    let known = || examples::BUILT_IN.iter().map(|(name, _)| *name).collect();
    let found = examples::BUILT_IN.iter().find(|(known, _)| *known == name);
    let (_, bytes) = found.ok_or_else(|| Error::NoPlugin { name: name.into(), known: known() })?;
    Ok(Module { name: name.into(), bytes: bytes.to_vec(), is_built_in: true, manifest: None })
}
