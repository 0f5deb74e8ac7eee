//! A module's bytes, read and verified once, and passed on to processes as sealed memory.

use crate::base::heap;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use std::fs::File;
use std::io::{self, Write};

/// The bytes.
#[derive(Debug)]
pub struct Image(Vec<u8>);

impl Image {
    /// A copy of these.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn of(bytes: &[u8]) -> Result<Image, heap::NoMemory> {
        heap::copy(bytes).map(Image)
    }

    /// Bytes.
    pub fn size(&self) -> usize {
        self.0.len()
    }

    /// A file in memory with the bytes, for one process. Nobody can change it any more, whoever made it included. It is
    /// made for each, so that modules take no descriptors of the server.
    ///
    /// # Errors
    /// No descriptor, no memory, or more bytes than a file may have (`ulimit -f`).
    pub fn seal(&self) -> io::Result<File> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let mut file = File::from(memfd_create("module", flags)?);
        file.write_all(&self.0)?;
        fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok(file)
    }
}
