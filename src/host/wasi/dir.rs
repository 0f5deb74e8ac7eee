//! Preopened directories and file metadata: the only place where paths from a guest reach the file system.
//! `cap-std` resolves them beneath the directory (on Linux by `openat2` with `RESOLVE_BENEATH`). Neither `..`
//! nor an absolute path nor a symbolic link leads out, even if it changes during the call.

use super::abi::{Errno, FILESTAT_BYTES, fdflags, filetype, fstflags, oflags};
use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsMaybeDirExt, SystemTimeSpec};
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use rustix::fs::OFlags;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A directory that a guest finds open, under a name of its own.
///
/// ```
/// use fuelbox::{GuestEnv, Invocation, Preopen, Runner, RunnerConfig};
/// use std::path::Path;
///
/// let guests = Preopen::open(Path::new("guests/wat"), "/data", true)?;
/// let guest_env = GuestEnv { dirs: vec![guests], ..GuestEnv::default() };
/// let args = vec![b"treehash".to_vec(), b"/data".to_vec()];
/// let invocation = Invocation { args, guest_env, ..Invocation::default() };
/// let runner = Runner::new(RunnerConfig::default())?;
/// let report = runner.run(Path::new("guests/prebuilt/treehash.wasm"), invocation)?;
/// assert!(String::from_utf8_lossy(&report.result?).contains("/data/add.wat"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Preopen {
    /// The directory.
    #[doc(hidden)]
    pub dir: Arc<Dir>,
    /// What the guest sees it as.
    pub guest: String,
    /// Whether nothing in it may be changed.
    pub read_only: bool,
}

impl Preopen {
    /// Opens the host's directory `host` as `guest`.
    ///
    /// # Errors
    /// What opening it says; `InvalidInput` for a guest name that is empty or holds a NUL.
    ///
    /// ```
    /// let preopen = fuelbox::Preopen::open("guests".as_ref(), "/data", true)?;
    /// assert_eq!(preopen.guest, "/data");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn open(host: &Path, guest: &str, read_only: bool) -> io::Result<Preopen> {
        if guest.is_empty() || guest.contains('\0') {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the guest's name for it is empty or holds a NUL",
            ));
        }
        // Not by cap-std, whose descriptors of this kind serve to look things up and for nothing else.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(host, flags, rustix::fs::Mode::empty())?;
        let dir = Arc::new(Dir::from_std_file(File::from(fd)));
        Ok(Preopen { dir, guest: guest.into(), read_only })
    }
}

/// The errno for what the host said.
pub fn errno(error: &io::Error) -> Errno {
    use rustix::io::Errno as Host;
    let Some(host) = Host::from_io_error(error) else {
        // cap-std's own: the path leads out of the directory.
        return match error.kind() {
            io::ErrorKind::PermissionDenied => Errno::Perm,
            io::ErrorKind::InvalidInput => Errno::Inval,
            io::ErrorKind::BrokenPipe => Errno::Pipe,
            io::ErrorKind::TimedOut => Errno::Timedout,
            io::ErrorKind::StorageFull => Errno::Nospc,
            _ => Errno::Io,
        };
    };
    match host {
        Host::TOOBIG => Errno::TooBig,
        Host::ACCESS => Errno::Acces,
        Host::AGAIN => Errno::Again,
        Host::BADF => Errno::Badf,
        Host::BUSY => Errno::Busy,
        Host::DEADLK => Errno::Deadlk,
        Host::DQUOT => Errno::Dquot,
        Host::EXIST => Errno::Exist,
        Host::FBIG => Errno::Fbig,
        Host::ILSEQ => Errno::Ilseq,
        Host::INTR => Errno::Intr,
        Host::INVAL => Errno::Inval,
        Host::ISDIR => Errno::Isdir,
        Host::LOOP => Errno::Loop,
        Host::MFILE => Errno::Mfile,
        Host::MLINK => Errno::Mlink,
        Host::NAMETOOLONG => Errno::Nametoolong,
        Host::NFILE => Errno::Nfile,
        Host::NODEV => Errno::Nodev,
        Host::NOENT => Errno::Noent,
        Host::NOLCK => Errno::Nolck,
        Host::NOMEM => Errno::Nomem,
        Host::NOSPC => Errno::Nospc,
        Host::NOSYS | Host::OPNOTSUPP => Errno::Notsup,
        Host::NOTDIR => Errno::Notdir,
        Host::NOTEMPTY => Errno::Notempty,
        Host::NOTTY => Errno::Notty,
        Host::NXIO => Errno::Nxio,
        Host::OVERFLOW => Errno::Overflow,
        Host::PERM => Errno::Perm,
        Host::PIPE => Errno::Pipe,
        Host::RANGE => Errno::Range,
        Host::ROFS => Errno::Rofs,
        Host::SPIPE => Errno::Spipe,
        Host::STALE => Errno::Stale,
        Host::TIMEDOUT => Errno::Timedout,
        Host::TXTBSY => Errno::Txtbsy,
        Host::XDEV => Errno::Xdev,
        _ => Errno::Io,
    }
}

/// Whether `path` ends so that it can only be a directory, by way of a link if there is one (POSIX, 4.13).
fn asks_for_directory(path: &str) -> bool {
    path.ends_with('/') || path.ends_with("/.")
}

/// Removes the directory `path`. A slash after it changes nothing.
pub fn remove_dir(dir: &Dir, path: &str) -> Result<(), Errno> {
    let name = path.trim_end_matches('/');
    dir.remove_dir(if name.is_empty() { path } else { name }).map_err(|error| errno(&error))
}

/// Renames; ENOTDIR if a file is to be called what only a directory can be.
pub fn rename(old_dir: &Dir, old: &str, new_dir: &Dir, new: &str) -> Result<(), Errno> {
    if asks_for_directory(new) && Filestat::of_path(old_dir, old, false)?.filetype != filetype::DIRECTORY {
        return Err(Errno::Notdir);
    }
    old_dir.rename(old, new_dir, new).map_err(|error| errno(&error))
}

/// How `path_open` opens.
#[derive(Debug, Clone, Copy)]
pub struct Opening {
    /// `oflags`.
    pub oflags: u16,
    /// `fdflags`.
    pub fdflags: u16,
    /// Whether it is to be read and written.
    pub read: bool,
    /// See above.
    pub write: bool,
    /// Whether a symbolic link at the end of the path is followed.
    pub follow: bool,
}

/// What was opened.
pub enum Opened {
    /// A regular file.
    File(File),
    /// A directory.
    Dir(Dir),
}

/// Opens `path` beneath `dir`.
///
/// Nothing but files and directories: a device or a pipe could make the host wait, or do something when it
/// is opened. And nothing of procfs.
pub fn open(dir: &Dir, path: &str, how: Opening) -> Result<Opened, Errno> {
    let has = |flag| how.oflags & flag != 0;
    // POSIX leaves this open; Linux would create a file and then say that it is no directory.
    if has(oflags::DIRECTORY) && has(oflags::CREAT | oflags::EXCL | oflags::TRUNC) {
        return Err(Errno::Inval);
    }
    // Before it is opened: even for an instant, that would let in a program that waits at the other end of a
    // pipe. The kernel itself opens nothing that has to be new.
    let opens_any = !(has(oflags::CREAT) && has(oflags::EXCL));
    if opens_any && Filestat::of_path(dir, path, how.follow).is_ok_and(|stat| stat.is_special()) {
        return Err(if has(oflags::DIRECTORY) { Errno::Notdir } else { Errno::Notsup });
    }
    // Access has to be asked for even where the guest asks for none, and creation needs writing.
    let write = how.write || has(oflags::CREAT | oflags::TRUNC);
    let mut options = OpenOptions::new();
    options.read(how.read || !write).write(write).maybe_dir(true);
    options.truncate(has(oflags::TRUNC));
    if has(oflags::CREAT) {
        options.create(true).create_new(has(oflags::EXCL));
    }
    options.follow(if how.follow { FollowSymlinks::Yes } else { FollowSymlinks::No });
    // Without it the opening of a named pipe would wait for its other end.
    let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    for (flag, host) in [
        (fdflags::APPEND, OFlags::APPEND),
        (fdflags::DSYNC, OFlags::DSYNC),
        (fdflags::RSYNC, OFlags::RSYNC),
        (fdflags::SYNC, OFlags::SYNC),
    ] {
        flags.set(host, flags.contains(host) || how.fdflags & flag != 0);
    }
    options.custom_flags(flags.bits() as i32);
    let file = dir.open_with(path, &options).map_err(|error| errno(&error))?.into_std();
    if tells_of_processes(&file) {
        return Err(Errno::Notsup);
    }
    let kind = file.metadata().map_err(|error| errno(&error))?.file_type();
    if kind.is_dir() {
        Ok(Opened::Dir(Dir::from_std_file(file)))
    } else if has(oflags::DIRECTORY) {
        // Not by O_DIRECTORY, with which cap-std, where there is no `openat2`, does not get past links.
        Err(Errno::Notdir)
    } else if kind.is_file() {
        Ok(Opened::File(file))
    } else {
        Err(Errno::Notsup)
    }
}

/// Whether it is of procfs: there, regular files are the environment and the memory of this very process.
fn tells_of_processes(file: &File) -> bool {
    #[cfg(target_os = "linux")]
    return rustix::fs::fstatfs(file).is_ok_and(|fs| fs.f_type == rustix::fs::PROC_SUPER_MAGIC);
    #[cfg(not(target_os = "linux"))]
    return false;
}

/// `filestat` as numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Filestat {
    pub dev: u64,
    pub ino: u64,
    pub filetype: u8,
    pub nlink: u64,
    pub size: u64,
    pub atim: u64,
    pub mtim: u64,
    pub ctim: u64,
}

/// Nanoseconds since 1970; earlier times, which `timestamp` cannot tell, are 0.
fn nanoseconds(seconds: i64, nanoseconds: i64) -> u64 {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(nanoseconds).unwrap_or(0))
}

macro_rules! filestat_of {
    ($metadata:expr) => {{
        let m = $metadata;
        Filestat {
            dev: m.dev(),
            ino: m.ino(),
            filetype: filetype_of_mode(m.mode()),
            nlink: m.nlink(),
            size: m.size(),
            atim: nanoseconds(m.atime(), m.atime_nsec()),
            mtim: nanoseconds(m.mtime(), m.mtime_nsec()),
            ctim: nanoseconds(m.ctime(), m.ctime_nsec()),
        }
    }};
}

impl Filestat {
    /// Of an open file.
    pub fn of_file(file: &File) -> Result<Filestat, Errno> {
        use std::os::unix::fs::MetadataExt;
        Ok(filestat_of!(file.metadata().map_err(|error| errno(&error))?))
    }

    /// Of an open directory.
    pub fn of_dir(dir: &Dir) -> Result<Filestat, Errno> {
        use cap_std::fs::MetadataExt;
        Ok(filestat_of!(dir.dir_metadata().map_err(|error| errno(&error))?))
    }

    /// Of `path` beneath `dir`.
    pub fn of_path(dir: &Dir, path: &str, follow: bool) -> Result<Filestat, Errno> {
        use cap_std::fs::MetadataExt;
        let follow = follow || asks_for_directory(path);
        let metadata = if follow { dir.metadata(path) } else { dir.symlink_metadata(path) };
        Ok(filestat_of!(metadata.map_err(|error| errno(&error))?))
    }

    /// Whether it is none of what can be opened here.
    fn is_special(&self) -> bool {
        !matches!(self.filetype, filetype::REGULAR_FILE | filetype::DIRECTORY | filetype::SYMBOLIC_LINK)
    }

    /// The layout that a guest reads.
    pub fn to_bytes(self) -> [u8; FILESTAT_BYTES] {
        let mut out = [0; FILESTAT_BYTES];
        for (at, value) in [
            (0, self.dev),
            (8, self.ino),
            (24, self.nlink),
            (32, self.size),
            (40, self.atim),
            (48, self.mtim),
            (56, self.ctim),
        ] {
            out[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        out[16] = self.filetype;
        out
    }
}

fn filetype_of_mode(mode: u32) -> u8 {
    filetype_of(rustix::fs::FileType::from_raw_mode(mode as rustix::fs::RawMode))
}

/// The `filetype` for the host's.
pub fn filetype_of(kind: rustix::fs::FileType) -> u8 {
    use rustix::fs::FileType;
    match kind {
        FileType::RegularFile => filetype::REGULAR_FILE,
        FileType::Directory => filetype::DIRECTORY,
        FileType::Symlink => filetype::SYMBOLIC_LINK,
        FileType::BlockDevice => filetype::BLOCK_DEVICE,
        FileType::CharacterDevice => filetype::CHARACTER_DEVICE,
        FileType::Socket => filetype::SOCKET_STREAM,
        _ => filetype::UNKNOWN,
    }
}

/// What becomes of one of a file's times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewTime {
    /// It stays.
    Keep,
    /// It becomes the present time.
    Now,
    /// It becomes this many nanoseconds since 1970.
    At(u64),
}

/// The two times that `fstflags` ask for. EINVAL for an unknown flag, or if one time is to be both given
/// and the present.
pub fn new_times(atim: u64, mtim: u64, flags: u32) -> Result<[NewTime; 2], Errno> {
    if flags & !u32::from(fstflags::ALL) != 0 {
        return Err(Errno::Inval);
    }
    let one = |ns, set: u16, now: u16| match (flags & u32::from(set) != 0, flags & u32::from(now) != 0) {
        (true, true) => Err(Errno::Inval),
        (true, false) => Ok(NewTime::At(ns)),
        (false, true) => Ok(NewTime::Now),
        (false, false) => Ok(NewTime::Keep),
    };
    Ok([one(atim, fstflags::ATIM, fstflags::ATIM_NOW)?, one(mtim, fstflags::MTIM, fstflags::MTIM_NOW)?])
}

/// Sets the times of an open file or directory.
pub fn set_times(fd: impl rustix::fd::AsFd, times: [NewTime; 2]) -> Result<(), Errno> {
    use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, futimens};
    let spec = |time| match time {
        NewTime::Keep => Ok(Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT }),
        NewTime::Now => Ok(Timespec { tv_sec: 0, tv_nsec: UTIME_NOW }),
        NewTime::At(ns) => Ok(Timespec {
            tv_sec: i64::try_from(ns / 1_000_000_000).map_err(|_| Errno::Overflow)?,
            tv_nsec: (ns % 1_000_000_000) as _,
        }),
    };
    let times = Timestamps { last_access: spec(times[0])?, last_modification: spec(times[1])? };
    futimens(fd, &times).map_err(|error| errno(&error.into()))
}

/// Sets the times of `path` beneath `dir`.
pub fn set_path_times(dir: &Dir, path: &str, follow: bool, times: [NewTime; 2]) -> Result<(), Errno> {
    let stat = Filestat::of_path(dir, path, false)?;
    if follow && stat.filetype == filetype::SYMBOLIC_LINK {
        // By a descriptor of what it leads to. Any access will do.
        let reading = Opening { oflags: 0, fdflags: 0, read: true, write: false, follow };
        let opened = match open(dir, path, reading) {
            Err(Errno::Acces) => open(dir, path, Opening { read: false, write: true, ..reading }),
            other => other,
        };
        return match opened? {
            Opened::File(file) => set_times(file, times),
            Opened::Dir(dir) => set_times(dir, times),
        };
    }
    let spec = |time| {
        Ok(match time {
            NewTime::Keep => None,
            NewTime::Now => Some(SystemTimeSpec::SymbolicNow),
            NewTime::At(ns) => {
                let time =
                    SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(ns)).ok_or(Errno::Overflow)?;
                Some(SystemTimeSpec::Absolute(cap_std::time::SystemTime::from_std(time)))
            }
        })
    };
    // Without following, as this opens nothing but the directory above; a named pipe could make it wait.
    dir.set_symlink_times(path, spec(times[0])?, spec(times[1])?).map_err(|error| errno(&error))
}
