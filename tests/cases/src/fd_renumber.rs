//! `fd_renumber`: one descriptor takes another's number, and that one is closed.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    make(dir, "made", b"other");
    let from = ok!(open(dir, "digits.txt", read_only(0)));
    let to = ok!(open(dir, "made", read_write(0)));
    same!(ok!(fd_seek(from, 3, whence::SET)), 3);
    ok!(fd_renumber(from, to));
    fails!(fd_read(from, &mut [0; 4]), BADF);
    fails!(fd_close(from), BADF);
    let mut buf = [0; 4];
    same!(ok!(fd_read(to, &mut buf)), 4);
    check!(buf == *b"3456", "the position moves with it");
    fails!(fd_write(to, b"x"), BADF | NOTCAPABLE | PERM);
    same!(ok!(fd_fdstat_get(to)).base & rights::FD_WRITE, 0);
    check!(contains(dir, "made", b"other"), "the file that was there is closed, not changed");

    fails!(fd_renumber(NOT_OPEN, to), BADF);
    fails!(fd_renumber(from, to), BADF);
    same!(ok!(fd_read(to, &mut buf)), 3);
    ok!(fd_renumber(to, to));
    same!(ok!(fd_tell(to)), 10);
    ok!(fd_close(to));
    fails!(fd_renumber(to, to), BADF);

    // A folder may take a file's number.
    let sub = ok!(open(dir, "sub", read_only(oflags::DIRECTORY)));
    let file = ok!(open(dir, "digits.txt", read_only(0)));
    ok!(fd_renumber(sub, file));
    check!(contains(file, "inner.txt", b"inner"), "the folder has the file's number");
    fails!(open(sub, "inner.txt", read_only(0)), BADF);
    ok!(fd_close(file));
    ok!(path_unlink_file(dir, "made"));
}
