//! A module's bytes as sealed memory: read and verified once, and the same for every process that gets them.

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};

/// The bytes. Nobody can change them any more, whoever made them included.
#[derive(Debug)]
pub struct Image {
    file: File,
    size: usize,
}

impl Image {
    /// Seals `bytes`.
    ///
    /// # Errors
    /// No descriptor or no memory.
    pub fn seal(bytes: &[u8]) -> io::Result<Image> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let mut file = File::from(memfd_create("module", flags)?);
        file.write_all(bytes)?;
        fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok(Image { file, size: bytes.len() })
    }

    /// Bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Its descriptor, to be passed on.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
