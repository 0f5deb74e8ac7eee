//! `fd_fdstat_get`: the type, the flags and the rights of files and folders.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    let stat = ok!(fd_fdstat_get(dir));
    same!(stat.filetype, filetype::DIRECTORY);
    same!(stat.flags & fdflags::APPEND, 0);

    let fd = ok!(open(dir, "digits.txt", read_write(0)));
    let stat = ok!(fd_fdstat_get(fd));
    same!(stat.filetype, filetype::REGULAR_FILE);
    same!(stat.flags, 0);
    let both = rights::FD_READ | rights::FD_WRITE;
    same!(stat.base & both, both);
    ok!(fd_close(fd));
    fails!(fd_fdstat_get(fd), BADF);

    let fd = ok!(open(dir, "digits.txt", read_only(0)));
    let stat = ok!(fd_fdstat_get(fd));
    same!(stat.filetype, filetype::REGULAR_FILE);
    same!(stat.base & both, rights::FD_READ);
    ok!(fd_close(fd));

    let fd = ok!(open(dir, "digits.txt", How { fdflags: fdflags::APPEND, ..read_write(0) }));
    same!(ok!(fd_fdstat_get(fd)).flags, fdflags::APPEND);
    ok!(fd_close(fd));

    let fd = ok!(open(dir, "sub", read_only(oflags::DIRECTORY)));
    same!(ok!(fd_fdstat_get(fd)).filetype, filetype::DIRECTORY);
    ok!(fd_close(fd));
    fails!(fd_fdstat_get(NOT_OPEN), BADF);
    fails!(fd_fdstat_get(u32::MAX), BADF);
}
