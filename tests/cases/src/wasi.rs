//! What the cases share: the entry, checks that say what failed, and the scratch folder.
//!
//! A check that fails prints its text and line to standard error and the case goes on, so that one run shows
//! all that is wrong; the case then ends with code 1. `ok!` gives a value, and without it ends the case.
#![allow(dead_code, unused_macros)]

pub mod abi;
pub mod calls;

pub use abi::*;
pub use calls::*;
use core::sync::atomic::{AtomicBool, Ordering};

static FAILED: AtomicBool = AtomicBool::new(false);

#[unsafe(no_mangle)]
extern "C" fn _start() {
    crate::run();
    if FAILED.load(Ordering::Relaxed) {
        proc_exit(1);
    }
}

#[panic_handler]
fn panicked(info: &core::panic::PanicInfo<'_>) -> ! {
    say("the case itself panicked", info.location().map_or(0, |at| at.line()));
    proc_exit(1)
}

/// The condition must hold.
macro_rules! check {
    ($condition:expr, $what:expr) => {
        if !$condition {
            $crate::wasi::failed($what, line!());
        }
    };
}

/// Both numbers must be the same; the first is what the host gave.
macro_rules! same {
    ($given:expr, $expected:expr) => {
        $crate::wasi::compare($given as u64, $expected as u64, stringify!($given), line!())
    };
}

/// The call must succeed, and its value is this expression's.
macro_rules! ok {
    ($result:expr) => {
        $crate::wasi::succeeds($result, stringify!($result), line!())
    };
}

/// The call must answer one of these errnos: more than one where the documents leave the choice.
macro_rules! fails {
    ($result:expr, $($errno:ident)|+) => {
        $crate::wasi::refused($result.err(), &[$($crate::wasi::$errno),+], stringify!($result), line!())
    };
}

/// The call may succeed, or answer one of these errnos.
macro_rules! may_fail {
    ($result:expr, $($errno:ident)|+) => {
        if let refused @ Err(_) = $result {
            fails!(refused, $($errno)|+);
        }
    };
}

/// An absolute path, or one that leaves the folder: no capability covers it.
macro_rules! escapes {
    ($result:expr) => {
        fails!($result, PERM | NOTCAPABLE)
    };
}

pub fn failed(what: &str, line: u32) {
    say(what, line);
    FAILED.store(true, Ordering::Relaxed);
}

pub fn compare(given: u64, expected: u64, what: &str, line: u32) {
    if given != expected {
        put(b"got ");
        number(given);
        put(b", not ");
        number(expected);
        put(b", from ");
        failed(what, line);
    }
}

#[inline(never)]
fn dead(errno: Errno, what: &str, line: u32) -> ! {
    refused(Some(errno), &[], what, line);
    proc_exit(1)
}

pub fn succeeds<T>(result: Res<T>, what: &str, line: u32) -> T {
    match result {
        Ok(value) => value,
        Err(errno) => dead(errno, what, line),
    }
}

pub fn refused(errno: Option<Errno>, allowed: &[Errno], what: &str, line: u32) {
    let given = errno.map_or(0, |errno| errno.0);
    if allowed.iter().any(|one| one.0 == given) {
        return;
    }
    put(b"errno ");
    number(given.into());
    put(b", not");
    for errno in allowed {
        put(b" ");
        number(errno.0.into());
    }
    put(if allowed.is_empty() { b" success, from " } else { b", from " });
    failed(what, line);
}

/// One write each, so that no case depends on how a list of buffers is written.
fn put(text: &[u8]) {
    let _ = fd_write(2, text);
}

fn say(what: &str, line: u32) {
    put(what.as_bytes());
    put(b", line ");
    number(line.into());
    put(b"\n");
}

fn number(mut value: u64) {
    let mut text = [0; 20];
    let mut at = text.len();
    loop {
        at -= 1;
        text[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    put(&text[at..]);
}

/// A number that no descriptor has.
pub const NOT_OPEN: Fd = 9999;

/// The preopened folder called `name`.
pub fn preopened(name: &str) -> Option<Fd> {
    let mut buf = [0; 64];
    for fd in 3.. {
        let len = fd_prestat_get(fd).ok()?.name_len as usize;
        if len <= buf.len()
            && fd_prestat_dir_name(fd, &mut buf[..len]).is_ok()
            && buf[..len] == *name.as_bytes()
        {
            return Some(fd);
        }
    }
    None
}

/// The folder that every case with files works in.
pub fn scratch() -> Fd {
    match preopened("fs.dir") {
        Some(fd) => fd,
        None => {
            failed("fs.dir is not preopened", line!());
            proc_exit(1)
        }
    }
}

/// To read and to write a file, without following a link at its end.
pub fn read_write(oflags: u16) -> How {
    How { lookup: lookup::NO_FOLLOW, oflags, base: rights::ALL, inheriting: rights::ALL, fdflags: 0 }
}

/// To read a file, or to use a folder.
pub fn read_only(oflags: u16) -> How {
    How { base: rights::ALL & !rights::WRITING, ..read_write(oflags) }
}

/// To write a file only.
pub fn write_only(oflags: u16) -> How {
    How { base: rights::ALL & !rights::READING, ..read_write(oflags) }
}

/// Opens with no more rights than the folder passes on.
pub fn open(dir: Fd, path: impl AsRef<[u8]>, how: How) -> Res<Fd> {
    let most = fd_fdstat_get(dir).map_or(rights::ALL, |stat| stat.inheriting);
    path_open(dir, path, How { base: how.base & most, inheriting: how.inheriting & most, ..how })
}

/// Writes all of it, in as many calls as it takes.
pub fn write_all(fd: Fd, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let n = ok!(fd_write(fd, bytes));
        check!(n > 0 && n <= bytes.len(), "fd_write says how much it wrote");
        bytes = &bytes[n.clamp(1, bytes.len())..];
    }
}

/// Reads to the end from `offset`, without moving the position, and compares.
pub fn holds(fd: Fd, offset: u64, expected: &[u8]) -> bool {
    let mut buf = [0; 512];
    let mut len = 0;
    while let Ok(n @ 1..) = fd_pread(fd, &mut buf[len..], offset + len as u64) {
        len += n;
        if len == buf.len() {
            break;
        }
    }
    buf[..len] == *expected
}

/// A new file with these bytes, closed again.
pub fn make(dir: Fd, path: impl AsRef<[u8]>, bytes: &[u8]) {
    let fd = ok!(open(dir, path, read_write(oflags::CREAT | oflags::EXCL)));
    write_all(fd, bytes);
    ok!(fd_close(fd));
}

/// Whether the file at this path has exactly these bytes.
pub fn contains(dir: Fd, path: impl AsRef<[u8]>, expected: &[u8]) -> bool {
    let Ok(fd) = open(dir, path, read_only(0)) else { return false };
    let same = holds(fd, 0, expected);
    ok!(fd_close(fd));
    same
}

/// Whether anything has this name, link or not.
pub fn exists(dir: Fd, path: impl AsRef<[u8]>) -> bool {
    path_filestat_get(dir, lookup::NO_FOLLOW, path).is_ok()
}
