//! `path_open` with descriptor flags: append mode is there; a host that cannot write through, or not wait,
//! says so, and otherwise reads and writes as ever.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    let [append, dsync, nonblock, rsync, sync] = [1, 2, 4, 8, 16];
    make(dir, "made", b"0123");
    let fd = ok!(open(dir, "made", How { fdflags: append, ..read_write(0) }));
    same!(ok!(fd_fdstat_get(fd)).flags, append);
    write_all(fd, b"45");
    check!(holds(fd, 0, b"012345"), "a write goes to the end");
    ok!(fd_close(fd));
    for flags in [dsync, nonblock, rsync, sync, dsync | rsync | sync] {
        match open(dir, "made", How { fdflags: flags, ..read_write(0) }) {
            Ok(fd) => {
                write_all(fd, b"ab");
                check!(holds(fd, 0, b"ab2345"), "it is written");
                write_all(fd, b"23");
                same!(ok!(fd_pwrite(fd, b"01", 0)), 2);
                check!(holds(fd, 0, b"012345"), "it is written");
                ok!(fd_close(fd));
            }
            refused => fails!(refused, NOTSUP | INVAL),
        }
    }
    let fd = ok!(open(dir, "made", How { fdflags: append, ..read_write(oflags::CREAT | oflags::TRUNC) }));
    write_all(fd, b"new");
    ok!(fd_close(fd));
    check!(contains(dir, "made", b"new"), "flags of both kinds together");
    ok!(path_unlink_file(dir, "made"));
}
