//! `fd_filestat_get`: type, size, links and identity of what is open.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    let fd = ok!(open(dir, "made", read_write(oflags::CREAT | oflags::EXCL)));
    let stat = ok!(fd_filestat_get(fd));
    same!(stat.filetype, filetype::REGULAR_FILE);
    same!(stat.size, 0);
    same!(stat.nlink, 1);
    check!(stat.mtim > 1_000_000_000_000_000_000, "a new file was changed after 2001");

    write_all(fd, b"seventeen letters");
    same!(ok!(fd_filestat_get(fd)).size, 17);
    ok!(path_link(dir, lookup::NO_FOLLOW, "made", dir, "again"));
    let again = ok!(path_filestat_get(dir, lookup::NO_FOLLOW, "again"));
    let stat = ok!(fd_filestat_get(fd));
    same!(stat.nlink, 2);
    check!(stat.ino == again.ino && stat.dev == again.dev, "both names are of one file");
    ok!(path_unlink_file(dir, "made"));
    ok!(path_unlink_file(dir, "again"));
    same!(ok!(fd_filestat_get(fd)).size, 17);
    same!(ok!(fd_filestat_get(fd)).nlink, 0);
    ok!(fd_close(fd));

    let stat = ok!(fd_filestat_get(dir));
    same!(stat.filetype, filetype::DIRECTORY);
    let digits = ok!(path_filestat_get(dir, lookup::NO_FOLLOW, "digits.txt"));
    check!(digits.ino != stat.ino, "another file has another number");
    let sub = ok!(open(dir, "sub", read_only(oflags::DIRECTORY)));
    let stat = ok!(fd_filestat_get(sub));
    same!(stat.ino, ok!(path_filestat_get(dir, lookup::NO_FOLLOW, "sub")).ino);
    ok!(fd_close(sub));
    fails!(fd_filestat_get(sub), BADF);
    fails!(fd_filestat_get(NOT_OPEN), BADF);
}
