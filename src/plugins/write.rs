//! Atomic writes to files of the plug-in folder: a process that is killed at any instant leaves the file as it was, or as it
//! is to be.

use crate::base::error::Error;
use crate::plugins::beneath;
use cap_std::fs::MetadataExt;
use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// How the names of temporary files begin and end; nothing that is loaded has such a name.
const TEMPORARY: (&str, &str) = (".fuelbox-", ".tmp");

/// A file that is on the disk, and not yet in its place.
#[must_use = "it is removed when it is dropped"]
pub struct Staged {
    temporary: PathBuf,
    path: PathBuf,
}

impl Staged {
    /// Writes `bytes` for the file at `path`. It gets the permissions of the file that it replaces; otherwise `mode`.
    ///
    /// # Errors
    /// [`Error::Io`]; nothing is left then.
    pub fn new(path: &Path, bytes: &[u8], mode: Option<u32>) -> Result<Staged, Error> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| io_error(path, io::Error::other(error)))?;
        let (begin, end) = TEMPORARY;
        let temporary = path.with_file_name(format!("{begin}{:016x}{end}", u64::from_ne_bytes(random)));
        let opened = File::options().write(true).create_new(true).open(&temporary);
        let mut file = opened.map_err(|error| io_error(path, error))?;
        let staged = Staged { temporary, path: path.into() };
        // An operator may have kept a policy's secrets from the machine's other users.
        let before = beneath::metadata(path).ok().map(|before| before.mode());
        let written = before
            .or(mode)
            .map_or(Ok(()), |mode| file.set_permissions(Permissions::from_mode(mode & 0o7777)))
            .and_then(|()| file.write_all(bytes))
            .and_then(|()| file.sync_all());
        written.map_err(|error| io_error(path, error)).map(|()| staged)
    }

    /// Puts it into its place, on the disk when this returns.
    ///
    /// # Errors
    /// [`Error::Io`]; the file is as it was then.
    pub fn commit(self) -> Result<(), Error> {
        rename(&self.temporary, &self.path)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // After a commit there is none. Otherwise, what went wrong already is what is told.
        let _ = std::fs::remove_file(&self.temporary);
    }
}

/// Makes the file at `path` hold `bytes`, all of them or as it was, and on the disk when this returns.
///
/// # Errors
/// [`Error::Io`]; the file is as it was then.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    Staged::new(path, bytes, None)?.commit()
}

/// Renames a file within its folder, on the disk when this returns.
///
/// # Errors
/// [`Error::Io`].
pub fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    std::fs::rename(from, to).and_then(|()| sync_folder(to)).map_err(|error| io_error(to, error))
}

/// Removes a file, if it is there.
///
/// # Errors
/// [`Error::Io`].
pub fn unlink(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Ok(()) => sync_folder(path).map_err(|error| io_error(path, error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io_error(path, error)),
    }
}

/// Has the entries of the folder of `path` on the disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn io_error(path: &Path, source: io::Error) -> Error {
    Error::Io { path: path.into(), source }
}

/// Removes what a process that was killed has left half written.
///
/// # Errors
/// As the system says.
pub fn clean(folder: &Path) -> io::Result<()> {
    let (begin, end) = TEMPORARY;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let is_temporary =
            entry.file_name().to_str().is_some_and(|name| name.starts_with(begin) && name.ends_with(end));
        if is_temporary && entry.file_type()?.is_file() {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
