//! Opens files beneath a folder. A symbolic link may lead to another place in the folder, and nowhere else.
//!
//! Writers of the plug-in folder may not read everything that the gateway can read. A link to its token file,
//! served or read back, would expose the tokens. `cap-std` resolves each path (on Linux by `openat2` with
//! `RESOLVE_BENEATH`), so a link that changes meanwhile does not lead out either.

use cap_std::fs::{Dir, Metadata, OpenOptions, OpenOptionsExt};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::path::Path;

const NOT_REGULAR: &str = "not a regular file";

/// Opens the file at `path` to read it. Only a regular file is opened: a pipe or a device could do something.
///
/// # Errors
/// As the system says; [`leads_out`]; it is no regular file.
pub fn open(path: &Path) -> Result<File> {
    let (folder, name) = parts(path)?;
    let not_regular = || Error::other(NOT_REGULAR);
    if !folder.metadata(name).map_err(told)?.is_file() {
        return Err(not_regular());
    }
    let mut options = OpenOptions::new();
    // Should it be a pipe by now, opening it must not wait for its writer.
    options.read(true).custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32);
    let file = folder.open_with(name, &options).map_err(told)?.into_std();
    if file.metadata()?.is_file() { Ok(file) } else { Err(not_regular()) }
}

/// What the system says of the file at `path`, or of what a link there leads to.
///
/// # Errors
/// As the system says; [`leads_out`].
pub fn metadata(path: &Path) -> Result<Metadata> {
    let (folder, name) = parts(path)?;
    folder.metadata(name).map_err(told)
}

/// Whether this is the error of a link that leads out of its folder.
pub fn leads_out(error: &Error) -> bool {
    error.kind() == ErrorKind::PermissionDenied && error.raw_os_error().is_none()
}

/// Whether this is the error of what is there and no file: a pipe, a device, a folder, or links that lead in a circle.
pub fn is_no_file(error: &Error) -> bool {
    let circle = rustix::io::Errno::LOOP.raw_os_error();
    error.raw_os_error().map_or_else(|| error.to_string() == NOT_REGULAR, |raw| raw == circle)
}

/// The folder of `path`, open, and the name in it.
fn parts(path: &Path) -> Result<(Dir, &Path)> {
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Links in the path of the folder itself are of whoever named it.
    let folder =
        rustix::fs::open(folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    Ok((Dir::from_std_file(File::from(folder)), Path::new(name)))
}

/// cap-std's own error says what it is in other words.
fn told(error: Error) -> Error {
    match leads_out(&error) {
        true => Error::new(
            ErrorKind::PermissionDenied,
            "a link that leads out of the folder (within it, links are relative)",
        ),
        false => error,
    }
}
