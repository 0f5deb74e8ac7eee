//! Errors of the host, each with the path, flag or name concerned, and the fix.
//!
//! A fault of the guest is a [`Stop`]. Only calls that return a plain result carry it in an [`Error`].

use crate::base::escape::{cut, printable, printable_lines};
#[cfg(feature = "isolation")]
use crate::base::limits::IMPORTS_MAX;
use crate::base::limits::{NAME_IN_ERROR_BYTES_MAX, NAMES_IN_ERROR_MAX};
use crate::base::outcome::Stop;
use std::fmt;
use std::path::{Path, PathBuf};

/// Why something could not be done.
///
/// ```
/// use fuelbox::{Call, Error, Runner, RunnerConfig};
/// use std::path::Path;
///
/// let runner = Runner::new(RunnerConfig::default())?;
/// let add = Path::new("guests/prebuilt/add.wasm");
/// let error = runner.run(add, Call::values("subtract", &[])).unwrap_err();
/// assert!(matches!(error, Error::NoFunction { .. }));
/// assert_eq!(error.to_string(), "no exported function `subtract`; there is: add");
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read.
    Io {
        /// The path concerned.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A module cannot be loaded.
    Load {
        /// Path or plug-in name.
        name: String,
        /// Why.
        problem: LoadProblem,
    },
    /// A plug-in's policy is wrong, so the plug-in does not serve.
    Policy {
        /// The policy's file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// What is wrong there.
        what: String,
        /// Whether the result can change while the file does not: a directory may not exist yet.
        may_pass: bool,
    },
    /// A module has no signature by a trusted key.
    Signature {
        /// The module's file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// No plug-in has this name.
    NoPlugin {
        /// The name asked for.
        name: String,
        /// The existing names.
        known: Names,
    },
    /// The module exports no function with this name.
    NoFunction {
        /// The name asked for.
        name: String,
        /// The existing functions.
        known: Names,
        /// Whether the module is a command (has `_start`).
        command: bool,
    },
    /// The function is reserved for a calling convention or a language runtime.
    Reserved {
        /// Its name.
        name: String,
    },
    /// The input does not fit the function's signature.
    Input(String),
    /// The input is larger than allowed.
    InputTooLarge {
        /// Bytes given.
        size: usize,
        /// The cap in bytes.
        limit: usize,
    },
    /// Limits that contradict each other, or that allow no run.
    Limits(String),
    /// A guest was stopped (only from calls that return a plain result).
    Guest(Stop),
    /// The embedding program was built in a way that makes guests unsafe to run.
    Build(String),
    /// fuelbox or the interpreter failed. Always a bug worth reporting.
    Internal(String),
}

/// Why a module is refused.
///
/// ```
/// use fuelbox::{Error, LoadProblem, Runner, RunnerConfig};
///
/// let runner = Runner::new(RunnerConfig::default())?;
/// match runner.compile("upload", b"<html>") {
///     Err(Error::Load { name, problem: LoadProblem::NotWasm(_) }) => assert_eq!(name, "upload"),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), Error>(())
/// ```
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadProblem {
    /// The file is larger than allowed.
    TooLarge {
        /// Bytes it has (at least).
        size: u64,
        /// The cap in bytes.
        limit: usize,
    },
    /// It is not a WebAssembly module.
    NotWasm(String),
    /// It is malformed or uses a feature that is off.
    Invalid(String),
    /// It declares more memory than allowed.
    Memory {
        /// Pages it declares as its minimum.
        pages: u64,
        /// The cap in pages.
        limit: u32,
    },
    /// It declares larger tables than allowed.
    Table {
        /// Elements it declares in all.
        elements: u64,
        /// The cap.
        limit: u32,
    },
    /// It imports something that fuelbox does not provide.
    Import {
        /// The import as `module.name`.
        import: String,
        /// What is wrong with it.
        why: String,
    },
    /// The system has no memory to compile it. It may load later.
    NoMemory {
        /// Bytes needed, approximately.
        bytes: u64,
    },
    /// It imports functions of the embedding host (`extism:host/user`).
    HostFunctions {
        /// Their names.
        #[cfg_attr(
            feature = "isolation",
            serde(deserialize_with = "super::bounded::list::<_, _, { IMPORTS_MAX as usize }>")
        )]
        names: Vec<String>,
    },
}

/// A path whose names an untrusted party may have chosen.
fn shown(path: &Path) -> String {
    printable(&path.display().to_string())
}

impl fmt::Display for LoadProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadProblem::TooLarge { size, limit } => write!(
                f,
                "the module has {size} bytes, more than the {limit} allowed (--max-module raises it)"
            ),
            LoadProblem::NotWasm(what) => write!(f, "not a WebAssembly module: {}", printable_lines(what)),
            LoadProblem::Invalid(what) => write!(f, "invalid module: {}", printable(what)),
            LoadProblem::Memory { pages, limit } => write!(
                f,
                "the module declares {pages} pages of memory, more than the {limit} allowed \
                 (--memory-pages raises it)"
            ),
            LoadProblem::Table { elements, limit } => write!(
                f,
                "the module declares {elements} table elements, more than the {limit} allowed \
                 (--max-table-elements raises it)"
            ),
            LoadProblem::NoMemory { bytes } => write!(
                f,
                "the system has no memory to compile it, which takes some {bytes} bytes; try again later"
            ),
            LoadProblem::HostFunctions { names } => write!(
                f,
                "the module imports functions of `extism:host/user`, which an embedding host provides and \
                 fuelbox does not: {}",
                Names::from_iter(names.iter().map(String::as_str))
            ),
            LoadProblem::Import { import, why } => {
                write!(f, "the module imports `{}`, {}", printable(import), printable(why))
            }
        }
    }
}

/// The names in an error message: the first ones, shortened, and the number of the others. Untrusted parties
/// can trigger errors as often as they like, and a module can have thousands of long names.
///
/// ```
/// let names: fuelbox::Names = ["add", "greet"].into_iter().collect();
/// assert_eq!(names.to_string(), "add, greet");
/// ```
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    #[cfg_attr(
        feature = "isolation",
        serde(deserialize_with = "super::bounded::list::<_, _, NAMES_IN_ERROR_MAX>")
    )]
    first: Vec<String>,
    more: usize,
}

impl<'a> FromIterator<&'a str> for Names {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Names {
        let mut names = names.into_iter();
        let first = names.by_ref().take(NAMES_IN_ERROR_MAX);
        let first = first.map(|name| printable(&cut(name, NAME_IN_ERROR_BYTES_MAX))).collect();
        Names { first, more: names.count() }
    }
}

#[cfg(feature = "isolation")]
impl Names {
    /// Escapes names that another process gave as escaped.
    pub(crate) fn show(&mut self) {
        self.first.truncate(NAMES_IN_ERROR_MAX);
        for name in &mut self.first {
            let clean = printable(&cut(name, NAME_IN_ERROR_BYTES_MAX));
            if clean != *name {
                *name = clean;
            }
        }
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first.is_empty(), self.more) {
            (true, _) => f.write_str("none"),
            (false, 0) => f.write_str(&self.first.join(", ")),
            (false, more) => write!(f, "{}, and {more} more", self.first.join(", ")),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io { path, source } => write!(f, "{}: {source}", shown(path)),
            Error::Load { name, problem } => write!(f, "{}: {problem}", printable(name)),
            Error::Policy { path, line, column, what, .. } => {
                write!(f, "{}:{line}:{column}: {}", shown(path), printable(what))
            }
            Error::Signature { path, why } => write!(f, "{}: {}", shown(path), printable(why)),
            Error::NoPlugin { name, known } => {
                write!(f, "no plug-in `{}`; there is: {known}", printable(name))
            }
            Error::NoFunction { name, known, command } => {
                write!(f, "no exported function `{}`; there is: {known}", printable(name))?;
                if *command {
                    write!(f, " (this is a program: `fuelbox run` passes it arguments)")?;
                }
                Ok(())
            }
            Error::Reserved { name } => write!(
                f,
                "`{0}` is reserved for the calling convention or the language runtime; callers cannot call it \
                 (`fuelbox run FILE {0}` can)",
                printable(&cut(name, NAME_IN_ERROR_BYTES_MAX))
            ),
            Error::Input(what) => f.write_str(&printable(what)),
            Error::InputTooLarge { size, limit } => {
                write!(f, "the input has {size} bytes, more than the {limit} allowed (--max-input raises it)")
            }
            Error::Limits(what) | Error::Build(what) => write!(f, "{what}"),
            Error::Guest(stop) => stop.fmt(f),
            Error::Internal(what) => write!(f, "internal error: {what}"),
        }
    }
}

impl Error {
    /// Whether the same file may load later without a change.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Error::Io { .. } | Error::Policy { may_pass: true, .. })
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            Error::Guest(stop) => Some(stop),
            _ => None,
        }
    }
}

impl From<Stop> for Error {
    fn from(stop: Stop) -> Self {
        Error::Guest(stop)
    }
}

/// The error of a reader of the binary format.
pub(crate) fn invalid(error: wasmparser::BinaryReaderError) -> LoadProblem {
    LoadProblem::Invalid(error.to_string())
}
