//! `fd_read`: from the position on, and 0 at the end.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    let fd = ok!(open(dir, "digits.txt", read_only(0)));
    let mut buf = [b'?'; 8];
    same!(ok!(fd_read(fd, &mut buf[..4])), 4);
    check!(buf == *b"0123????", "the first four bytes");
    same!(ok!(fd_read(fd, &mut [])), 0);
    same!(ok!(fd_readv(fd, &[])), 0);
    same!(ok!(fd_tell(fd)), 4);
    same!(ok!(fd_read(fd, &mut buf)), 6);
    check!(buf == *b"456789??", "the other six");
    same!(ok!(fd_read(fd, &mut buf)), 0);
    same!(ok!(fd_read(fd, &mut buf)), 0);
    check!(buf == *b"456789??", "at the end nothing is written to the buffer");
    same!(ok!(fd_tell(fd)), 10);

    // Each descriptor has a position of its own.
    let other = ok!(open(dir, "digits.txt", read_write(0)));
    same!(ok!(fd_read(other, &mut buf[..2])), 2);
    check!(buf[..2] == *b"01", "another descriptor begins at the start");
    ok!(fd_close(other));
    ok!(fd_close(fd));

    fails!(fd_read(fd, &mut buf), BADF);
    fails!(fd_read(NOT_OPEN, &mut buf), BADF);
    fails!(fd_read(dir, &mut buf), BADF | ISDIR | NOTCAPABLE);
    fails!(fd_read(1, &mut buf), BADF | NOTCAPABLE | PERM);
    fails!(fd_read(2, &mut buf), BADF | NOTCAPABLE | PERM);
    let fd = ok!(open(dir, "made", write_only(oflags::CREAT)));
    fails!(fd_read(fd, &mut buf), BADF | NOTCAPABLE | PERM);
    ok!(fd_close(fd));

    what_was_written_meanwhile(dir);
    ok!(path_unlink_file(dir, "made"));
}

fn what_was_written_meanwhile(dir: Fd) {
    let mut buf = [0; 8];
    let reader = ok!(open(dir, "made", read_only(0)));
    let writer = ok!(open(dir, "made", read_write(0)));
    same!(ok!(fd_read(reader, &mut buf)), 0);
    write_all(writer, b"late");
    same!(ok!(fd_read(reader, &mut buf)), 4);
    check!(buf[..4] == *b"late", "an end of file is not for ever");
    ok!(fd_close(reader));
    ok!(fd_close(writer));
}
