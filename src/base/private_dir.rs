//! Folders for sockets that nobody else may connect to.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// A folder that only this user can enter, removed on drop.
#[derive(Debug)]
pub struct PrivateDir(PathBuf);

impl PrivateDir {
    /// Makes one, in the first of the usual folders where that works.
    ///
    /// # Errors
    /// It works in none.
    pub fn new() -> io::Result<PrivateDir> {
        let mut random = [0u8; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let name = format!("fuelbox-{:016x}", u64::from_ne_bytes(random));
        let mut error = io::Error::other("no folder to try");
        // systemd's and the session's own folders first; /dev/shm is there in containers without /tmp.
        let named = ["RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"].into_iter().filter_map(std::env::var_os);
        let usual = [std::env::temp_dir(), PathBuf::from("/dev/shm"), PathBuf::from("/run")];
        for parent in named.map(PathBuf::from).chain(usual) {
            let path = parent.join(&name);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(PrivateDir(path)),
                Err(failed) => error = failed,
            }
        }
        Err(error)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for PrivateDir {
    fn drop(&mut self) {
        // Nothing is lost with an empty folder that stays.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
