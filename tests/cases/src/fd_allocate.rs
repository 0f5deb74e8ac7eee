//! `fd_allocate`: makes a file long enough, never shorter, with zeros. A host may have no such call at all and
//! answer `ENOTSUP`; wrong uses are refused all the same.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    fails!(fd_allocate(NOT_OPEN, 0, 10), BADF);
    fails!(fd_allocate(dir, 0, 10), BADF | ISDIR | NODEV | INVAL | NOTCAPABLE);
    fails!(fd_allocate(1, 0, 10), BADF | SPIPE | NODEV | NOTSUP | NOTCAPABLE);

    let fd = ok!(open(dir, "made", read_write(oflags::CREAT | oflags::EXCL)));
    write_all(fd, b"abc");
    match fd_allocate(fd, 2, 10) {
        Ok(()) => allocated(fd),
        refused => fails!(refused, NOTSUP | NOSYS),
    }
    ok!(fd_close(fd));
    ok!(path_unlink_file(dir, "made"));

    let fd = ok!(open(dir, "digits.txt", read_only(0)));
    fails!(fd_allocate(fd, 0, 20), BADF | NOTCAPABLE | PERM | NOTSUP | NOSYS);
    same!(ok!(fd_filestat_get(fd)).size, 10);
    ok!(fd_close(fd));
    fails!(fd_allocate(fd, 0, 20), BADF);
}

fn allocated(fd: Fd) {
    same!(ok!(fd_filestat_get(fd)).size, 12);
    check!(holds(fd, 0, b"abc\0\0\0\0\0\0\0\0\0"), "what is added is zeros");
    same!(ok!(fd_tell(fd)), 3);
    ok!(fd_allocate(fd, 0, 5));
    same!(ok!(fd_filestat_get(fd)).size, 12);
    fails!(fd_allocate(fd, 0, 0), INVAL);
    fails!(fd_allocate(fd, u64::MAX, 1), INVAL | FBIG);
    fails!(fd_allocate(fd, 1, i64::MAX as u64), INVAL | FBIG);
    same!(ok!(fd_filestat_get(fd)).size, 12);
}
