//! The calls as plain functions of slices: a result instead of an errno and an out-pointer, nothing else.
#![allow(dead_code)]

use super::abi::*;

pub type Res<T = ()> = Result<T, Errno>;

fn answer<T>(errno: u32, value: T) -> Res<T> {
    // A number of 16 bits goes by way of 32; more would be a fault of the host.
    if errno == 0 { Ok(value) } else { Err(Errno(u16::try_from(errno).unwrap_or(u16::MAX))) }
}

/// One function whose only results are an errno and what it writes to one place.
macro_rules! out {
    ($ty:ty, |$out:ident| $call:expr) => {{
        let mut value = <$ty>::default();
        let $out: *mut $ty = &mut value;
        let errno = unsafe { $call };
        answer(errno, value)
    }};
}

macro_rules! plain {
    ($($name:ident($($arg:ident: $ty:ty),*);)+) => {
        $(pub fn $name($($arg: $ty),*) -> Res { answer(unsafe { raw::$name($($arg),*) }, ()) })+
    };
}

plain! {
    fd_advise(fd: Fd, offset: u64, len: u64, advice: u32);
    fd_allocate(fd: Fd, offset: u64, len: u64);
    fd_close(fd: Fd);
    fd_datasync(fd: Fd);
    fd_fdstat_set_rights(fd: Fd, base: u64, inheriting: u64);
    fd_filestat_set_size(fd: Fd, size: u64);
    fd_renumber(fd: Fd, to: Fd);
    fd_sync(fd: Fd);
    proc_raise(signal: u32);
    sched_yield();
    sock_shutdown(fd: Fd, how: u32);
}

pub fn proc_exit(code: u32) -> ! {
    unsafe { raw::proc_exit(code) }
}

pub fn clock_res_get(id: u32) -> Res<u64> {
    out!(u64, |out| raw::clock_res_get(id, out))
}

pub fn clock_time_get(id: u32, precision: u64) -> Res<u64> {
    out!(u64, |out| raw::clock_time_get(id, precision, out))
}

pub fn random_get(buf: &mut [u8]) -> Res {
    answer(unsafe { raw::random_get(buf.as_mut_ptr(), buf.len()) }, ())
}

pub fn fd_fdstat_get(fd: Fd) -> Res<Fdstat> {
    out!(Fdstat, |out| raw::fd_fdstat_get(fd, out))
}

pub fn fd_fdstat_set_flags(fd: Fd, flags: u16) -> Res {
    answer(unsafe { raw::fd_fdstat_set_flags(fd, flags.into()) }, ())
}

pub fn fd_filestat_get(fd: Fd) -> Res<Filestat> {
    out!(Filestat, |out| raw::fd_filestat_get(fd, out))
}

pub fn fd_filestat_set_times(fd: Fd, atim: u64, mtim: u64, flags: u16) -> Res {
    answer(unsafe { raw::fd_filestat_set_times(fd, atim, mtim, flags.into()) }, ())
}

pub fn fd_prestat_get(fd: Fd) -> Res<Prestat> {
    out!(Prestat, |out| raw::fd_prestat_get(fd, out))
}

pub fn fd_prestat_dir_name(fd: Fd, buf: &mut [u8]) -> Res {
    answer(unsafe { raw::fd_prestat_dir_name(fd, buf.as_mut_ptr(), buf.len()) }, ())
}

/// A list of one buffer.
fn one(bytes: &[u8]) -> [Iovec; 1] {
    [Iovec { buf: bytes.as_ptr(), len: bytes.len() }]
}

pub fn fd_readv(fd: Fd, iovs: &[Iovec]) -> Res<usize> {
    out!(usize, |out| raw::fd_read(fd, iovs.as_ptr(), iovs.len(), out))
}

pub fn fd_read(fd: Fd, buf: &mut [u8]) -> Res<usize> {
    fd_readv(fd, &one(buf))
}

pub fn fd_preadv(fd: Fd, iovs: &[Iovec], offset: u64) -> Res<usize> {
    out!(usize, |out| raw::fd_pread(fd, iovs.as_ptr(), iovs.len(), offset, out))
}

pub fn fd_pread(fd: Fd, buf: &mut [u8], offset: u64) -> Res<usize> {
    fd_preadv(fd, &one(buf), offset)
}

pub fn fd_writev(fd: Fd, iovs: &[Iovec]) -> Res<usize> {
    out!(usize, |out| raw::fd_write(fd, iovs.as_ptr(), iovs.len(), out))
}

pub fn fd_write(fd: Fd, bytes: &[u8]) -> Res<usize> {
    fd_writev(fd, &one(bytes))
}

pub fn fd_pwritev(fd: Fd, iovs: &[Iovec], offset: u64) -> Res<usize> {
    out!(usize, |out| raw::fd_pwrite(fd, iovs.as_ptr(), iovs.len(), offset, out))
}

pub fn fd_pwrite(fd: Fd, bytes: &[u8], offset: u64) -> Res<usize> {
    fd_pwritev(fd, &one(bytes), offset)
}

pub fn fd_readdir(fd: Fd, buf: &mut [u8], cookie: u64) -> Res<usize> {
    out!(usize, |out| raw::fd_readdir(fd, buf.as_mut_ptr(), buf.len(), cookie, out))
}

pub fn fd_seek(fd: Fd, offset: i64, whence: u32) -> Res<u64> {
    out!(u64, |out| raw::fd_seek(fd, offset, whence, out))
}

pub fn fd_tell(fd: Fd) -> Res<u64> {
    out!(u64, |out| raw::fd_tell(fd, out))
}

pub fn path_create_directory(fd: Fd, path: impl AsRef<[u8]>) -> Res {
    let path = path.as_ref();
    answer(unsafe { raw::path_create_directory(fd, path.as_ptr(), path.len()) }, ())
}

pub fn path_filestat_get(fd: Fd, flags: u32, path: impl AsRef<[u8]>) -> Res<Filestat> {
    let path = path.as_ref();
    out!(Filestat, |out| raw::path_filestat_get(fd, flags, path.as_ptr(), path.len(), out))
}

pub fn path_filestat_set_times(
    fd: Fd,
    flags: u32,
    path: impl AsRef<[u8]>,
    atim: u64,
    mtim: u64,
    fst: u16,
) -> Res {
    let path = path.as_ref();
    let (ptr, len) = (path.as_ptr(), path.len());
    answer(unsafe { raw::path_filestat_set_times(fd, flags, ptr, len, atim, mtim, fst.into()) }, ())
}

pub fn path_link(fd: Fd, flags: u32, path: impl AsRef<[u8]>, new_fd: Fd, new: impl AsRef<[u8]>) -> Res {
    let (path, new) = (path.as_ref(), new.as_ref());
    let errno =
        unsafe { raw::path_link(fd, flags, path.as_ptr(), path.len(), new_fd, new.as_ptr(), new.len()) };
    answer(errno, ())
}

/// What `path_open` takes besides descriptor and path.
#[derive(Clone, Copy)]
pub struct How {
    pub lookup: u32,
    pub oflags: u16,
    pub base: u64,
    pub inheriting: u64,
    pub fdflags: u16,
}

pub fn path_open(fd: Fd, path: impl AsRef<[u8]>, how: How) -> Res<Fd> {
    let path = path.as_ref();
    let How { lookup, oflags, base, inheriting, fdflags } = how;
    let (ptr, len) = (path.as_ptr(), path.len());
    let (oflags, fdflags) = (oflags.into(), fdflags.into());
    out!(Fd, |out| raw::path_open(fd, lookup, ptr, len, oflags, base, inheriting, fdflags, out))
}

pub fn path_readlink(fd: Fd, path: impl AsRef<[u8]>, buf: &mut [u8]) -> Res<usize> {
    let path = path.as_ref();
    out!(usize, |out| raw::path_readlink(fd, path.as_ptr(), path.len(), buf.as_mut_ptr(), buf.len(), out))
}

pub fn path_remove_directory(fd: Fd, path: impl AsRef<[u8]>) -> Res {
    let path = path.as_ref();
    answer(unsafe { raw::path_remove_directory(fd, path.as_ptr(), path.len()) }, ())
}

pub fn path_rename(fd: Fd, path: impl AsRef<[u8]>, new_fd: Fd, new: impl AsRef<[u8]>) -> Res {
    let (path, new) = (path.as_ref(), new.as_ref());
    let (new_ptr, new_len) = (new.as_ptr(), new.len());
    answer(unsafe { raw::path_rename(fd, path.as_ptr(), path.len(), new_fd, new_ptr, new_len) }, ())
}

pub fn path_symlink(target: impl AsRef<[u8]>, fd: Fd, path: impl AsRef<[u8]>) -> Res {
    let (target, path) = (target.as_ref(), path.as_ref());
    answer(unsafe { raw::path_symlink(target.as_ptr(), target.len(), fd, path.as_ptr(), path.len()) }, ())
}

pub fn path_unlink_file(fd: Fd, path: impl AsRef<[u8]>) -> Res {
    let path = path.as_ref();
    answer(unsafe { raw::path_unlink_file(fd, path.as_ptr(), path.len()) }, ())
}

/// Waits; `events` has room for one event of each subscription.
pub fn poll_oneoff(subscriptions: &[Subscription], events: &mut [Event]) -> Res<usize> {
    let (list, count) = (subscriptions.as_ptr(), subscriptions.len());
    assert!(events.len() >= count);
    out!(usize, |out| raw::poll_oneoff(list, events.as_mut_ptr(), count, out))
}

pub fn sock_accept(fd: Fd, flags: u16) -> Res<Fd> {
    out!(Fd, |out| raw::sock_accept(fd, flags.into(), out))
}

pub fn sock_recv(fd: Fd, buf: &mut [u8]) -> Res<usize> {
    let (list, mut flags) = (one(buf), 0);
    out!(usize, |out| raw::sock_recv(fd, list.as_ptr(), 1, 0, out, &mut flags))
}

pub fn sock_send(fd: Fd, bytes: &[u8]) -> Res<usize> {
    let list = one(bytes);
    out!(usize, |out| raw::sock_send(fd, list.as_ptr(), 1, 0, out))
}
