//! `fd_pwrite`: writes at an offset and leaves the position alone.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    let fd = ok!(open(dir, "made", read_write(oflags::CREAT | oflags::EXCL)));
    write_all(fd, b"0123456789");
    same!(ok!(fd_seek(fd, 2, whence::SET)), 2);
    same!(ok!(fd_pwrite(fd, b"abc", 5)), 3);
    check!(holds(fd, 0, b"01234abc89"), "three bytes at offset 5");
    same!(ok!(fd_tell(fd)), 2);
    same!(ok!(fd_pwrite(fd, b"XY", 9)), 2);
    check!(holds(fd, 0, b"01234abc8XY"), "a write over the end makes it longer");
    same!(ok!(fd_pwrite(fd, b"!", 13)), 1);
    check!(holds(fd, 0, b"01234abc8XY\0\0!"), "a write past the end leaves zeros before it");
    same!(ok!(fd_pwrite(fd, b"", 100)), 0);
    same!(ok!(fd_pwritev(fd, &[], 100)), 0);
    same!(ok!(fd_filestat_get(fd)).size, 14);
    fails!(fd_pwrite(fd, b"x", u64::MAX), INVAL | FBIG | OVERFLOW);
    fails!(fd_pwrite(fd, b"x", 1 << 63), INVAL | FBIG | OVERFLOW);
    same!(ok!(fd_filestat_get(fd)).size, 14);
    same!(ok!(fd_tell(fd)), 2);
    ok!(fd_close(fd));
    fails!(fd_pwrite(fd, b"x", 0), BADF);
    ok!(path_unlink_file(dir, "made"));

    fails!(fd_pwrite(NOT_OPEN, b"x", 0), BADF);
    fails!(fd_pwrite(dir, b"x", 0), BADF | ISDIR | NOTCAPABLE);
    fails!(fd_pwrite(1, b"x", 0), SPIPE | BADF | NOTCAPABLE);
    let fd = ok!(open(dir, "digits.txt", read_only(0)));
    fails!(fd_pwrite(fd, b"x", 0), BADF | NOTCAPABLE | PERM);
    check!(holds(fd, 0, b"0123456789"), "nothing is written");
    ok!(fd_close(fd));
}
