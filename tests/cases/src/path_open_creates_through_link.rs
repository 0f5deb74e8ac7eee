//! `path_open` with `creat` through a link that dangles: POSIX creates the target when links are followed.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    ok!(path_symlink("target", dir, "link"));
    let fd = ok!(open(dir, "link", How { lookup: lookup::FOLLOW, ..read_write(oflags::CREAT) }));
    write_all(fd, b"new");
    ok!(fd_close(fd));
    check!(contains(dir, "target", b"new"), "the target is made");
    same!(ok!(path_filestat_get(dir, lookup::NO_FOLLOW, "link")).filetype, filetype::SYMBOLIC_LINK);
    ok!(path_unlink_file(dir, "target"));
    ok!(path_unlink_file(dir, "link"));
}
