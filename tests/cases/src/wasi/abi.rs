//! `wasi_snapshot_preview1` as a guest sees it: the imports, their numbers and their layouts. No logic.
//!
//! Source: `wasi_snapshot_preview1.witx` and `typenames.witx` (WebAssembly/WASI, tag `snapshot-01`), and
//! `sock_accept` from their last version.
#![allow(dead_code)]

pub type Fd = u32;

/// An error number other than 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Errno(pub u16);

macro_rules! errnos {
    ($($name:ident = $number:literal),+ $(,)?) => { $(pub const $name: Errno = Errno($number);)+ };
}
#[rustfmt::skip]
errnos! {
    TOO_BIG = 1, ACCES = 2, AGAIN = 6, BADF = 8, BUSY = 10, EXIST = 20, FAULT = 21, FBIG = 22, ILSEQ = 25,
    INVAL = 28, IO = 29, ISDIR = 31, LOOP = 32, MLINK = 34, NAMETOOLONG = 37, NODEV = 43, NOENT = 44, NOSYS = 52,
    NOTDIR = 54, NOTEMPTY = 55, NOTSOCK = 57, NOTSUP = 58, NOTTY = 59, NXIO = 60, OVERFLOW = 61, PERM = 63,
    RANGE = 68, ROFS = 69, SPIPE = 70, XDEV = 75, NOTCAPABLE = 76,
}

pub mod clock {
    pub const REALTIME: u32 = 0;
    pub const MONOTONIC: u32 = 1;
    pub const PROCESS_CPUTIME: u32 = 2;
    pub const THREAD_CPUTIME: u32 = 3;
}

pub mod filetype {
    pub const CHARACTER_DEVICE: u8 = 2;
    pub const DIRECTORY: u8 = 3;
    pub const REGULAR_FILE: u8 = 4;
    pub const SYMBOLIC_LINK: u8 = 7;
}

pub mod fdflags {
    pub const APPEND: u16 = 1;
    pub const NONBLOCK: u16 = 4;
}

pub mod lookup {
    pub const NO_FOLLOW: u32 = 0;
    pub const FOLLOW: u32 = 1;
}

pub mod oflags {
    pub const CREAT: u16 = 1;
    pub const DIRECTORY: u16 = 2;
    pub const EXCL: u16 = 4;
    pub const TRUNC: u16 = 8;
}

pub mod fst {
    pub const ATIM: u16 = 1;
    pub const ATIM_NOW: u16 = 2;
    pub const MTIM: u16 = 4;
    pub const MTIM_NOW: u16 = 8;
}

pub mod whence {
    pub const SET: u32 = 0;
    pub const CUR: u32 = 1;
    pub const END: u32 = 2;
}

pub mod rights {
    pub const FD_DATASYNC: u64 = 1 << 0;
    pub const FD_READ: u64 = 1 << 1;
    pub const FD_SEEK: u64 = 1 << 2;
    pub const FD_TELL: u64 = 1 << 5;
    pub const FD_WRITE: u64 = 1 << 6;
    pub const FD_ALLOCATE: u64 = 1 << 8;
    pub const FD_READDIR: u64 = 1 << 14;
    pub const PATH_FILESTAT_SET_SIZE: u64 = 1 << 19;
    pub const FD_FILESTAT_SET_SIZE: u64 = 1 << 22;
    /// Rights that tell a host to open for reading, and for writing: as C libraries ask for them.
    pub const READING: u64 = FD_READ | FD_READDIR;
    pub const WRITING: u64 = FD_DATASYNC | FD_WRITE | FD_ALLOCATE | FD_FILESTAT_SET_SIZE;
    pub const ALL: u64 = (1 << 30) - 1;
}

pub mod event {
    pub const CLOCK: u8 = 0;
    pub const FD_READ: u8 = 1;
    pub const FD_WRITE: u8 = 2;
    /// In `flags` of a clock's subscription.
    pub const ABSTIME: u16 = 1;
}

#[repr(C)]
pub struct Iovec {
    pub buf: *const u8,
    pub len: usize,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Fdstat {
    pub filetype: u8,
    pub flags: u16,
    pub base: u64,
    pub inheriting: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
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

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Prestat {
    pub tag: u8,
    pub name_len: u32,
}

/// For a descriptor, `id` is its number and the rest is not read.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Subscription {
    pub userdata: u64,
    pub tag: u8,
    pub id: u64,
    pub timeout: u64,
    pub precision: u64,
    pub flags: u16,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Event {
    pub userdata: u64,
    pub error: u16,
    pub kind: u8,
    pub nbytes: u64,
    pub flags: u16,
}

/// Bytes before the name in an entry of `fd_readdir`.
pub const DIRENT_BYTES: usize = 24;

const _: () = assert!(size_of::<Fdstat>() == 24 && size_of::<Filestat>() == 64 && size_of::<Prestat>() == 8);
const _: () = assert!(size_of::<Subscription>() == 48 && size_of::<Event>() == 32);

#[rustfmt::skip]
pub mod raw {
    use super::{Event, Fd, Fdstat, Filestat, Iovec, Prestat, Subscription};

    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        pub fn args_get(list: *mut *mut u8, buf: *mut u8) -> u32;
        pub fn args_sizes_get(count: *mut usize, bytes: *mut usize) -> u32;
        pub fn environ_get(list: *mut *mut u8, buf: *mut u8) -> u32;
        pub fn environ_sizes_get(count: *mut usize, bytes: *mut usize) -> u32;
        pub fn clock_res_get(id: u32, out: *mut u64) -> u32;
        pub fn clock_time_get(id: u32, precision: u64, out: *mut u64) -> u32;
        pub fn fd_advise(fd: Fd, offset: u64, len: u64, advice: u32) -> u32;
        pub fn fd_allocate(fd: Fd, offset: u64, len: u64) -> u32;
        pub fn fd_close(fd: Fd) -> u32;
        pub fn fd_datasync(fd: Fd) -> u32;
        pub fn fd_fdstat_get(fd: Fd, out: *mut Fdstat) -> u32;
        pub fn fd_fdstat_set_flags(fd: Fd, flags: u32) -> u32;
        pub fn fd_fdstat_set_rights(fd: Fd, base: u64, inheriting: u64) -> u32;
        pub fn fd_filestat_get(fd: Fd, out: *mut Filestat) -> u32;
        pub fn fd_filestat_set_size(fd: Fd, size: u64) -> u32;
        pub fn fd_filestat_set_times(fd: Fd, atim: u64, mtim: u64, flags: u32) -> u32;
        pub fn fd_pread(fd: Fd, iovs: *const Iovec, count: usize, offset: u64, out: *mut usize) -> u32;
        pub fn fd_prestat_get(fd: Fd, out: *mut Prestat) -> u32;
        pub fn fd_prestat_dir_name(fd: Fd, path: *mut u8, len: usize) -> u32;
        pub fn fd_pwrite(fd: Fd, iovs: *const Iovec, count: usize, offset: u64, out: *mut usize) -> u32;
        pub fn fd_read(fd: Fd, iovs: *const Iovec, count: usize, out: *mut usize) -> u32;
        pub fn fd_readdir(fd: Fd, buf: *mut u8, len: usize, cookie: u64, out: *mut usize) -> u32;
        pub fn fd_renumber(fd: Fd, to: Fd) -> u32;
        pub fn fd_seek(fd: Fd, offset: i64, whence: u32, out: *mut u64) -> u32;
        pub fn fd_sync(fd: Fd) -> u32;
        pub fn fd_tell(fd: Fd, out: *mut u64) -> u32;
        pub fn fd_write(fd: Fd, iovs: *const Iovec, count: usize, out: *mut usize) -> u32;
        pub fn path_create_directory(fd: Fd, path: *const u8, len: usize) -> u32;
        pub fn path_filestat_get(fd: Fd, flags: u32, path: *const u8, len: usize, out: *mut Filestat) -> u32;
        pub fn path_filestat_set_times(
            fd: Fd, flags: u32, path: *const u8, len: usize, atim: u64, mtim: u64, fst: u32,
        ) -> u32;
        pub fn path_link(
            fd: Fd, flags: u32, path: *const u8, len: usize, new_fd: Fd, new: *const u8, new_len: usize,
        ) -> u32;
        pub fn path_open(
            fd: Fd, flags: u32, path: *const u8, len: usize, oflags: u32, base: u64, inheriting: u64,
            fdflags: u32, out: *mut Fd,
        ) -> u32;
        pub fn path_readlink(
            fd: Fd, path: *const u8, len: usize, buf: *mut u8, buf_len: usize, out: *mut usize,
        ) -> u32;
        pub fn path_remove_directory(fd: Fd, path: *const u8, len: usize) -> u32;
        pub fn path_rename(
            fd: Fd, path: *const u8, len: usize, new_fd: Fd, new: *const u8, new_len: usize,
        ) -> u32;
        pub fn path_symlink(target: *const u8, target_len: usize, fd: Fd, path: *const u8, len: usize) -> u32;
        pub fn path_unlink_file(fd: Fd, path: *const u8, len: usize) -> u32;
        pub fn poll_oneoff(
            subscriptions: *const Subscription, events: *mut Event, count: usize, out: *mut usize,
        ) -> u32;
        pub fn proc_exit(code: u32) -> !;
        pub fn proc_raise(signal: u32) -> u32;
        pub fn sched_yield() -> u32;
        pub fn random_get(buf: *mut u8, len: usize) -> u32;
        pub fn sock_accept(fd: Fd, flags: u32, out: *mut Fd) -> u32;
        pub fn sock_recv(
            fd: Fd, iovs: *const Iovec, count: usize, flags: u32, out: *mut usize, out_flags: *mut u16,
        ) -> u32;
        pub fn sock_send(fd: Fd, iovs: *const Iovec, count: usize, flags: u32, out: *mut usize) -> u32;
        pub fn sock_shutdown(fd: Fd, how: u32) -> u32;
    }
}
