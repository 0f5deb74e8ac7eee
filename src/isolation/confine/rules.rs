//! What a confined process keeps.

use std::os::fd::BorrowedFd;

/// How much a process keeps, beside its memory, its threads and what it has open.
#[derive(Debug)]
pub struct Rules<'a> {
    /// Directories that guests may use, already open, and whether each is read-only.
    pub dirs: Vec<(BorrowedFd<'a>, bool)>,
    /// One more than the highest descriptor it can open (`RLIMIT_NOFILE`). The limit is lowered, never raised.
    pub descriptors: u64,
    /// The most bytes that a file which it writes can have (`RLIMIT_FSIZE`), if that is bounded.
    pub file_bytes: Option<u64>,
    /// Whether it makes threads after the filters are installed.
    pub makes_threads: bool,
    /// Whether it may receive descriptors over its sockets.
    pub receives: bool,
    /// Whether it keeps the network. No guest's process does.
    pub has_network: bool,
}

impl Rules<'_> {
    /// Whether guests may write into a directory.
    pub fn writes(&self) -> bool {
        self.dirs.iter().any(|(_, is_read_only)| !is_read_only)
    }
}
