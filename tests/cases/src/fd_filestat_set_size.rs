//! `fd_filestat_set_size`: longer with zeros, shorter by cutting; the position stays.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    let fd = ok!(open(dir, "made", read_write(oflags::CREAT | oflags::EXCL)));
    write_all(fd, b"abcdef");
    ok!(fd_filestat_set_size(fd, 9));
    same!(ok!(fd_filestat_get(fd)).size, 9);
    check!(holds(fd, 0, b"abcdef\0\0\0"), "what is added is zeros");
    same!(ok!(fd_tell(fd)), 6);
    ok!(fd_filestat_set_size(fd, 3));
    check!(holds(fd, 0, b"abc"), "the rest is cut off");
    same!(ok!(fd_tell(fd)), 6);
    ok!(fd_filestat_set_size(fd, 5));
    check!(holds(fd, 0, b"abc\0\0"), "what was cut off does not come back");
    // A write past the end leaves zeros before it.
    same!(ok!(fd_write(fd, b"x")), 1);
    check!(holds(fd, 0, b"abc\0\0\0x"), "a write at the position past the end");
    ok!(fd_filestat_set_size(fd, 0));
    same!(ok!(fd_filestat_get(fd)).size, 0);
    fails!(fd_filestat_set_size(fd, u64::MAX), INVAL | FBIG);
    fails!(fd_filestat_set_size(fd, 1 << 63), INVAL | FBIG);
    same!(ok!(fd_filestat_get(fd)).size, 0);
    ok!(fd_close(fd));
    fails!(fd_filestat_set_size(fd, 0), BADF);
    ok!(path_unlink_file(dir, "made"));

    fails!(fd_filestat_set_size(NOT_OPEN, 0), BADF);
    fails!(fd_filestat_set_size(dir, 0), BADF | ISDIR | INVAL | NOTCAPABLE);
    fails!(fd_filestat_set_size(1, 0), BADF | INVAL | NOTCAPABLE);
    let fd = ok!(open(dir, "digits.txt", read_only(0)));
    fails!(fd_filestat_set_size(fd, 0), BADF | INVAL | NOTCAPABLE | PERM);
    same!(ok!(fd_filestat_get(fd)).size, 10);
    ok!(fd_close(fd));
}
