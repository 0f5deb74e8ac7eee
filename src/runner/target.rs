//! What a runner can run.

use crate::sandbox::program::Program;
use std::path::{Path, PathBuf};

/// What [`Runner::run`](crate::Runner::run) runs. A `&str` is the name of a plug-in, a `&Path` a module's file, and a
/// `&Program` what was compiled before.
///
/// ```
/// use fuelbox::{Call, Runner, RunnerConfig, Target};
/// use std::path::Path;
///
/// let runner = Runner::new(RunnerConfig::default())?;
/// let file = Path::new("guests/prebuilt/add.wasm");
/// let program = runner.compile("add", &std::fs::read(file).unwrap())?;
/// for target in [Target::Path(file), Target::Program(&program)] {
///     let report = runner.run(target, Call::values("add", &[1.into(), 2.into()]))?;
///     assert_eq!(report.result?, [3.into()]);
/// }
/// # Ok::<(), fuelbox::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Target<'a> {
    /// A loaded plug-in, under its policy: its name, with or without `.wasm`.
    #[cfg(feature = "plugins")]
    Plugin(&'a str),
    /// A module's file, read and compiled for this run.
    Path(&'a Path),
    /// A program, compiled once and kept by the caller.
    Program(&'a Program),
}

#[cfg(feature = "plugins")]
impl<'a> From<&'a str> for Target<'a> {
    fn from(name: &'a str) -> Target<'a> {
        Target::Plugin(name)
    }
}

impl<'a> From<&'a Path> for Target<'a> {
    fn from(path: &'a Path) -> Target<'a> {
        Target::Path(path)
    }
}

impl<'a> From<&'a PathBuf> for Target<'a> {
    fn from(path: &'a PathBuf) -> Target<'a> {
        Target::Path(path)
    }
}

impl<'a> From<&'a Program> for Target<'a> {
    fn from(program: &'a Program) -> Target<'a> {
        Target::Program(program)
    }
}
