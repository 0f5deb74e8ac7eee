//! Reads a module's file under a size limit, and compiles it.

use crate::base::error::{Error, LoadProblem};
use crate::base::limits::Limits;
use crate::sandbox::program::{CompileOptions, Program};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// File name extensions of modules, the preferred one first.
pub const ENDINGS: &[&str] = if cfg!(feature = "wat") { &["wasm", "wat"] } else { &["wasm"] };

/// Reads and compiles the module at `path`.
///
/// # Errors
/// [`Error::Io`] with the path; [`Error::Load`] as [`Program::compile`].
pub fn load_file(path: &Path, limits: &Limits, options: &CompileOptions) -> Result<Program, Error> {
    let bytes = read_file(path, limits)?;
    Program::compile_bytes(&path.display().to_string(), bytes.into(), limits, options)
}

/// Reads the module file at `path`, at most as many bytes as `limits` allow.
///
/// # Errors
/// [`Error::Io`] with the path; [`Error::Load`] if it is larger.
pub fn read_file(path: &Path, limits: &Limits) -> Result<Vec<u8>, Error> {
    whole_module(path, open(path), limits)
}

/// Reads the whole module file that was opened at `path`.
///
/// # Errors
/// As [`read_file`].
pub(crate) fn whole_module(path: &Path, opened: io::Result<File>, limits: &Limits) -> Result<Vec<u8>, Error> {
    let (bytes, size) = read_at_most(path, opened, limits.module_bytes)?;
    if bytes.len() > limits.module_bytes {
        let problem = LoadProblem::TooLarge { size, limit: limits.module_bytes };
        return Err(Error::Load { name: path.display().to_string(), problem });
    }
    Ok(bytes)
}

/// Opens the file at `path`, and follows links.
fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    // Opening a named pipe must not wait for its writer. For a file this changes nothing.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, rustix::fs::OFlags::NONBLOCK.bits() as i32);
    options.open(path)
}

/// Reads at most `most` bytes, and one more if there are more, of the file opened at `path`. Also returns its
/// size.
pub(crate) fn read_at_most(
    path: &Path,
    opened: io::Result<File>,
    most: usize,
) -> Result<(Vec<u8>, u64), Error> {
    let io = |source| Error::Io { path: path.into(), source };
    let file = opened.map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        return Err(io(io::Error::other("not a regular file")));
    }
    let mut bytes = Vec::new();
    file.take((most as u64).saturating_add(1)).read_to_end(&mut bytes).map_err(io)?;
    let size = metadata.len().max(bytes.len() as u64);
    Ok((bytes, size))
}
