//! Numbers of `wasi_snapshot_preview1`: errno, flags, rights and layouts. No logic.
//!
//! Source: the WASI preview1 documentation (WebAssembly/WASI, tag `snapshot-01`, `docs.md`).

/// The module name that guests import from.
pub const MODULE: &str = "wasi_snapshot_preview1";

/// An error number; 0 is success. Those of sockets that fuelbox never answers are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
#[allow(missing_docs)]
pub enum Errno {
    Success = 0,
    TooBig = 1,
    Acces = 2,
    Again = 6,
    Badf = 8,
    Busy = 10,
    Deadlk = 16,
    Dquot = 19,
    Exist = 20,
    Fault = 21,
    Fbig = 22,
    Ilseq = 25,
    Intr = 27,
    Inval = 28,
    Io = 29,
    Isdir = 31,
    Loop = 32,
    Mfile = 33,
    Mlink = 34,
    Nametoolong = 37,
    Nfile = 41,
    Nodev = 43,
    Noent = 44,
    Nolck = 46,
    Nomem = 48,
    Nospc = 51,
    Nosys = 52,
    Notdir = 54,
    Notempty = 55,
    Notsock = 57,
    Notsup = 58,
    Notty = 59,
    Nxio = 60,
    Overflow = 61,
    Perm = 63,
    Pipe = 64,
    Range = 68,
    Rofs = 69,
    Spipe = 70,
    Stale = 72,
    Timedout = 73,
    Txtbsy = 74,
    Xdev = 75,
    Notcapable = 76,
}

/// Why a call did not succeed: an answer for the guest, a wait, or the end of the run.
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
    /// The system has no memory for what an output or the input holds; the guest is stopped.
    NoMemory,
    /// The input is too large; the guest is stopped.
    InputTooLarge {
        /// Bytes that it may have.
        limit: usize,
    },
    /// Nothing has been done yet: the call is to be made again after this wait.
    Wait(Wait),
}

/// What a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// No longer than until then; without one, for as long as it takes.
    pub until: Option<std::time::Instant>,
    /// Whether input on standard input ends the wait.
    pub stdin: bool,
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
#[allow(missing_docs)]
pub mod filetype {
    /// Neither of the others, or not known: a pipe, for one.
    pub const UNKNOWN: u8 = 0;
    pub const BLOCK_DEVICE: u8 = 1;
    /// A terminal or another character device.
    pub const CHARACTER_DEVICE: u8 = 2;
    pub const DIRECTORY: u8 = 3;
    pub const REGULAR_FILE: u8 = 4;
    pub const SOCKET_STREAM: u8 = 6;
    pub const SYMBOLIC_LINK: u8 = 7;
}

/// `fdflags`.
pub mod fdflags {
    /// Writes go to the end.
    pub const APPEND: u16 = 1;
    /// Data is on the disk when a write returns.
    pub const DSYNC: u16 = 2;
    /// Reads and writes do not wait.
    pub const NONBLOCK: u16 = 4;
    /// Reads see what is on the disk.
    pub const RSYNC: u16 = 8;
    /// Data and metadata are on the disk when a write returns.
    pub const SYNC: u16 = 16;
    /// Every flag that exists.
    pub const ALL: u16 = 0x1f;
}

/// `oflags` of `path_open`.
#[allow(missing_docs)]
pub mod oflags {
    pub const CREAT: u16 = 1;
    pub const DIRECTORY: u16 = 2;
    pub const EXCL: u16 = 4;
    pub const TRUNC: u16 = 8;
    /// Every flag that exists.
    pub const ALL: u16 = 15;
}

/// `lookupflags`: the only one, to follow a symbolic link at the end of a path.
pub const SYMLINK_FOLLOW: u32 = 1;

/// `fstflags`: which times are set, and to what.
#[allow(missing_docs)]
pub mod fstflags {
    pub const ATIM: u16 = 1;
    pub const ATIM_NOW: u16 = 2;
    pub const MTIM: u16 = 4;
    pub const MTIM_NOW: u16 = 8;
    /// Every flag that exists.
    pub const ALL: u16 = 15;
}

/// `whence` of `fd_seek`.
#[allow(missing_docs)]
pub mod whence {
    pub const SET: u32 = 0;
    pub const CUR: u32 = 1;
    pub const END: u32 = 2;
}

/// `eventtype`.
#[allow(missing_docs)]
pub mod eventtype {
    pub const CLOCK: u8 = 0;
    pub const FD_READ: u8 = 1;
    pub const FD_WRITE: u8 = 2;
}

/// `subclockflags`: the time is a point, not a span.
pub const ABSTIME: u16 = 1;

/// `eventrwflags`: the other end has been closed.
pub const HANGUP: u16 = 1;

/// `rights`.
#[allow(missing_docs)]
pub mod rights {
    pub const FD_DATASYNC: u64 = 1;
    pub const FD_READ: u64 = 1 << 1;
    pub const FD_SEEK: u64 = 1 << 2;
    pub const FD_FDSTAT_SET_FLAGS: u64 = 1 << 3;
    pub const FD_SYNC: u64 = 1 << 4;
    pub const FD_TELL: u64 = 1 << 5;
    pub const FD_WRITE: u64 = 1 << 6;
    pub const FD_ADVISE: u64 = 1 << 7;
    pub const FD_ALLOCATE: u64 = 1 << 8;
    pub const PATH_CREATE_DIRECTORY: u64 = 1 << 9;
    pub const PATH_CREATE_FILE: u64 = 1 << 10;
    pub const PATH_LINK_SOURCE: u64 = 1 << 11;
    pub const PATH_LINK_TARGET: u64 = 1 << 12;
    pub const PATH_OPEN: u64 = 1 << 13;
    pub const FD_READDIR: u64 = 1 << 14;
    pub const PATH_READLINK: u64 = 1 << 15;
    pub const PATH_RENAME_SOURCE: u64 = 1 << 16;
    pub const PATH_RENAME_TARGET: u64 = 1 << 17;
    pub const PATH_FILESTAT_GET: u64 = 1 << 18;
    pub const PATH_FILESTAT_SET_SIZE: u64 = 1 << 19;
    pub const PATH_FILESTAT_SET_TIMES: u64 = 1 << 20;
    pub const FD_FILESTAT_GET: u64 = 1 << 21;
    pub const FD_FILESTAT_SET_SIZE: u64 = 1 << 22;
    pub const FD_FILESTAT_SET_TIMES: u64 = 1 << 23;
    pub const PATH_SYMLINK: u64 = 1 << 24;
    pub const PATH_REMOVE_DIRECTORY: u64 = 1 << 25;
    pub const PATH_UNLINK_FILE: u64 = 1 << 26;
    pub const POLL_FD_READWRITE: u64 = 1 << 27;

    /// What changes a file or a directory; a read-only directory has none of them.
    pub const CHANGING: u64 = FD_WRITE
        | FD_ALLOCATE
        | FD_FILESTAT_SET_SIZE
        | FD_FILESTAT_SET_TIMES
        | PATH_CREATE_DIRECTORY
        | PATH_CREATE_FILE
        | PATH_LINK_SOURCE
        | PATH_LINK_TARGET
        | PATH_RENAME_SOURCE
        | PATH_RENAME_TARGET
        | PATH_FILESTAT_SET_SIZE
        | PATH_FILESTAT_SET_TIMES
        | PATH_SYMLINK
        | PATH_REMOVE_DIRECTORY
        | PATH_UNLINK_FILE;

    /// What means something for a regular file.
    pub const FILE: u64 = FD_DATASYNC
        | FD_READ
        | FD_SEEK
        | FD_FDSTAT_SET_FLAGS
        | FD_SYNC
        | FD_TELL
        | FD_WRITE
        | FD_ADVISE
        | FD_ALLOCATE
        | FD_FILESTAT_GET
        | FD_FILESTAT_SET_SIZE
        | FD_FILESTAT_SET_TIMES
        | POLL_FD_READWRITE;

    /// What means something for a directory.
    pub const DIRECTORY: u64 = FD_READDIR
        | FD_FILESTAT_GET
        | FD_FILESTAT_SET_TIMES
        | PATH_CREATE_DIRECTORY
        | PATH_CREATE_FILE
        | PATH_LINK_SOURCE
        | PATH_LINK_TARGET
        | PATH_OPEN
        | PATH_READLINK
        | PATH_RENAME_SOURCE
        | PATH_RENAME_TARGET
        | PATH_FILESTAT_GET
        | PATH_FILESTAT_SET_SIZE
        | PATH_FILESTAT_SET_TIMES
        | PATH_SYMLINK
        | PATH_REMOVE_DIRECTORY
        | PATH_UNLINK_FILE;
}

/// Size of `fdstat`: file type (u8) at 0, flags (u16) at 2, rights (u64) at 8, inheriting rights at 16.
pub const FDSTAT_BYTES: usize = 24;

/// Size of `filestat`: dev, ino (u64 each), file type (u8) at 16, nlink (u64) at 24, size, atim, mtim, ctim.
pub const FILESTAT_BYTES: usize = 64;

/// Size of `dirent`: cookie of the next entry (u64), ino (u64), length of the name (u32), file type (u8).
pub const DIRENT_BYTES: usize = 24;

/// Size of an `iovec` or `ciovec`: pointer (u32), length (u32).
pub const IOVEC_BYTES: u32 = 8;

/// Size of `prestat`: tag (u8; 0 is a directory), length of the name (u32) at 4.
pub const PRESTAT_BYTES: usize = 8;

/// Size of `subscription`: userdata (u64), event type (u8) at 8; for a clock: id (u32) at 16, time (u64) at
/// 24, precision (u64) at 32, flags (u16) at 40; for a descriptor: its number (u32) at 16.
pub const SUBSCRIPTION_BYTES: u32 = 48;

/// Size of `event`: userdata (u64), errno (u16) at 8, event type (u8) at 10, bytes (u64) at 16, flags (u16)
/// at 24.
pub const EVENT_BYTES: usize = 32;
