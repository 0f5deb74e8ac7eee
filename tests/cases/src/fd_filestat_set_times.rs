//! `fd_filestat_set_times`: each time is set to a value, to now, or left; both at once is `EINVAL`.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

const SECOND: u64 = 1_000_000_000;
/// In 2001.
const LONG_AGO: u64 = 1_000_000_000 * SECOND;

fn run() {
    let dir = scratch();
    let fd = ok!(open(dir, "made", read_write(oflags::CREAT | oflags::EXCL)));
    times(fd);
    ok!(fd_close(fd));
    fails!(fd_filestat_set_times(fd, 0, 0, fst::MTIM), BADF);
    ok!(path_unlink_file(dir, "made"));
    fails!(fd_filestat_set_times(NOT_OPEN, 0, 0, fst::MTIM), BADF);

    ok!(path_create_directory(dir, "folder"));
    let fd = ok!(open(dir, "folder", read_only(oflags::DIRECTORY)));
    ok!(fd_filestat_set_times(fd, LONG_AGO, LONG_AGO + SECOND, fst::ATIM | fst::MTIM));
    let stat = ok!(fd_filestat_get(fd));
    same!(stat.atim, LONG_AGO);
    same!(stat.mtim, LONG_AGO + SECOND);
    ok!(fd_close(fd));
    ok!(path_remove_directory(dir, "folder"));
}

fn times(fd: Fd) {
    let (atim, mtim) = (5 * SECOND, 7 * SECOND + 123_000_000);
    ok!(fd_filestat_set_times(fd, atim, mtim, fst::ATIM | fst::MTIM));
    let stat = ok!(fd_filestat_get(fd));
    same!(stat.atim, atim);
    same!(stat.mtim, mtim);

    // What is not named stays, whatever number is given for it.
    ok!(fd_filestat_set_times(fd, 11 * SECOND, 13 * SECOND, fst::MTIM));
    let stat = ok!(fd_filestat_get(fd));
    same!(stat.atim, atim);
    same!(stat.mtim, 13 * SECOND);
    ok!(fd_filestat_set_times(fd, 11 * SECOND, 99 * SECOND, fst::ATIM));
    let stat = ok!(fd_filestat_get(fd));
    same!(stat.atim, 11 * SECOND);
    same!(stat.mtim, 13 * SECOND);
    ok!(fd_filestat_set_times(fd, 1, 2, 0));
    let stat = ok!(fd_filestat_get(fd));
    same!(stat.atim, 11 * SECOND);
    same!(stat.mtim, 13 * SECOND);

    ok!(fd_filestat_set_times(fd, 0, 0, fst::MTIM_NOW));
    let stat = ok!(fd_filestat_get(fd));
    same!(stat.atim, 11 * SECOND);
    check!(stat.mtim > LONG_AGO, "now is after 2001");
    ok!(fd_filestat_set_times(fd, 0, 3 * SECOND, fst::ATIM_NOW | fst::MTIM));
    let stat = ok!(fd_filestat_get(fd));
    check!(stat.atim > LONG_AGO, "now is after 2001");
    same!(stat.mtim, 3 * SECOND);

    fails!(fd_filestat_set_times(fd, 1, 1, fst::ATIM | fst::ATIM_NOW), INVAL);
    fails!(fd_filestat_set_times(fd, 1, 1, fst::MTIM | fst::MTIM_NOW), INVAL);
    fails!(fd_filestat_set_times(fd, 1, 1, 15), INVAL);
    same!(ok!(fd_filestat_get(fd)).mtim, 3 * SECOND);
}
