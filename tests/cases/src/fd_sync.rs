//! `fd_sync` and `fd_datasync`: succeed on files, and are `EBADF` without one.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    let fd = ok!(open(dir, "made", read_write(oflags::CREAT | oflags::EXCL)));
    write_all(fd, b"kept");
    ok!(fd_sync(fd));
    ok!(fd_datasync(fd));
    check!(holds(fd, 0, b"kept"), "the bytes are there");
    same!(ok!(fd_tell(fd)), 4);
    ok!(fd_close(fd));
    fails!(fd_sync(fd), BADF);
    fails!(fd_datasync(fd), BADF);
    fails!(fd_sync(NOT_OPEN), BADF);
    fails!(fd_datasync(NOT_OPEN), BADF);
    ok!(path_unlink_file(dir, "made"));

    let sub = ok!(open(dir, "sub", read_only(oflags::DIRECTORY)));
    // POSIX leaves it to the system what can be synchronised besides files.
    may_fail!(fd_sync(sub), BADF | INVAL | ISDIR | NOTCAPABLE);
    may_fail!(fd_datasync(sub), BADF | INVAL | ISDIR | NOTCAPABLE);
    ok!(fd_close(sub));
}
