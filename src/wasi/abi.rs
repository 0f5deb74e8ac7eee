//! Numbers of `wasi_snapshot_preview1`: errno, clock ids, file types and layouts. No logic.
//!
//! Source: the WASI preview1 documentation (WebAssembly/WASI, tag `snapshot-01`, `docs.md`).

/// The module name that guests import from.
pub const MODULE: &str = "wasi_snapshot_preview1";

/// An error number; 0 is success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
#[allow(missing_docs)]
pub enum Errno {
    Success = 0,
    TooBig = 1,
    Badf = 8,
    Fault = 21,
    Inval = 28,
    Io = 29,
    Nosys = 52,
    Overflow = 61,
    Spipe = 70,
}

/// Why a call did not succeed: an answer for the guest, or the end of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The guest gets this number and goes on.
    Errno(Errno),
    /// The guest asked to end with this code (`proc_exit`).
    Exit(u32),
    /// An output is full; the guest is stopped.
    OutputFull {
        /// Which.
        stream: &'static str,
        /// Its cap in bytes.
        limit: usize,
    },
    /// The call waited until the deadline; the guest is stopped.
    Deadline,
}

impl From<Errno> for Fault {
    fn from(errno: Errno) -> Self {
        Fault::Errno(errno)
    }
}

/// `clockid`: the four clocks.
pub mod clock_id {
    /// Time since 1970-01-01T00:00:00Z.
    pub const REALTIME: u32 = 0;
    /// Time that never goes back.
    pub const MONOTONIC: u32 = 1;
    /// CPU time of the process.
    pub const PROCESS_CPUTIME: u32 = 2;
    /// CPU time of the thread.
    pub const THREAD_CPUTIME: u32 = 3;
}

/// `filetype`.
pub mod filetype {
    /// A terminal or another character device: what the three standard streams report.
    pub const CHARACTER_DEVICE: u8 = 2;
}

/// `fdflags`.
pub mod fdflags {
    /// Writes go to the end.
    pub const APPEND: u16 = 1;
    /// Every flag that exists.
    pub const ALL: u16 = 0x1f;
}

/// `rights` that the standard streams have.
pub mod rights {
    /// `fd_read`.
    pub const FD_READ: u64 = 1 << 1;
    /// `fd_write`.
    pub const FD_WRITE: u64 = 1 << 6;
    /// `fd_filestat_get`.
    pub const FD_FILESTAT_GET: u64 = 1 << 21;
    /// `poll_oneoff` on the descriptor.
    pub const POLL_FD_READWRITE: u64 = 1 << 27;
}

/// Size of `fdstat`: file type (u8) at 0, flags (u16) at 2, rights (u64) at 8, inheriting rights at 16.
pub const FDSTAT_BYTES: usize = 24;

/// Size of `filestat`: dev, ino, file type (u8) at 16, nlink at 24, size at 32, atim, mtim, ctim.
pub const FILESTAT_BYTES: usize = 64;

/// Size of an `iovec` or `ciovec`: pointer (u32), length (u32).
pub const IOVEC_BYTES: u32 = 8;
