//! `fd_fdstat_set_flags`: append mode sends each write to the end, and no longer once it is off.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    let fd = ok!(open(dir, "made", read_write(oflags::CREAT | oflags::EXCL)));
    write_all(fd, b"0123456789");
    same!(ok!(fd_seek(fd, 2, whence::SET)), 2);
    ok!(fd_fdstat_set_flags(fd, fdflags::APPEND));
    same!(ok!(fd_fdstat_get(fd)).flags & fdflags::APPEND, fdflags::APPEND);
    same!(ok!(fd_tell(fd)), 2);
    same!(ok!(fd_write(fd, b"ab")), 2);
    check!(holds(fd, 0, b"0123456789ab"), "with append, a write goes to the end");

    // Reading still goes by the position, in append mode too.
    let mut buf = [0; 3];
    same!(ok!(fd_seek(fd, 4, whence::SET)), 4);
    same!(ok!(fd_read(fd, &mut buf)), 3);
    check!(buf == *b"456", "a read is at the position");

    ok!(fd_fdstat_set_flags(fd, 0));
    same!(ok!(fd_fdstat_get(fd)).flags, 0);
    same!(ok!(fd_seek(fd, 1, whence::SET)), 1);
    same!(ok!(fd_write(fd, b"XY")), 2);
    check!(holds(fd, 0, b"0XY3456789ab"), "without append, a write is at the position");
    same!(ok!(fd_tell(fd)), 3);
    ok!(fd_close(fd));
    fails!(fd_fdstat_set_flags(fd, 0), BADF);
    fails!(fd_fdstat_set_flags(NOT_OPEN, fdflags::APPEND), BADF);

    opened_for_appending(dir);
    ok!(path_unlink_file(dir, "made"));
}

fn opened_for_appending(dir: Fd) {
    let fd = ok!(open(dir, "made", How { fdflags: fdflags::APPEND, ..read_write(0) }));
    same!(ok!(fd_write(fd, b"!")), 1);
    same!(ok!(fd_seek(fd, 0, whence::SET)), 0);
    same!(ok!(fd_write(fd, b"?")), 1);
    check!(holds(fd, 0, b"0XY3456789ab!?"), "a file opened for appending grows at its end");
    // POSIX: with O_APPEND, the offset is set to the end before each write.
    same!(ok!(fd_tell(fd)), 14);
    ok!(fd_fdstat_set_flags(fd, 0));
    same!(ok!(fd_seek(fd, 0, whence::SET)), 0);
    same!(ok!(fd_write(fd, b"9")), 1);
    check!(holds(fd, 0, b"9XY3456789ab!?"), "appending can be taken from it");
    ok!(fd_close(fd));
}
