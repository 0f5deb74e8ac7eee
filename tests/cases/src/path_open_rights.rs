//! `path_open`: what a descriptor was not opened for, reading or writing, it does not do.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    // To read is enough to create, and gives no right to write.
    let fd = ok!(open(dir, "made", read_only(oflags::CREAT)));
    same!(ok!(fd_fdstat_get(fd)).base & rights::WRITING, 0);
    fails!(fd_write(fd, b"x"), BADF | NOTCAPABLE | PERM);
    fails!(fd_pwrite(fd, b"x", 0), BADF | NOTCAPABLE | PERM);
    fails!(fd_filestat_set_size(fd, 9), BADF | NOTCAPABLE | PERM | INVAL);
    same!(ok!(fd_filestat_get(fd)).size, 0);
    ok!(fd_close(fd));
    ok!(path_unlink_file(dir, "made"));

    // A descriptor tells the rights that were asked for. What it was not asked for works nevertheless, as
    // in the engines that programs are tested with; only what was given up is refused.
    let one = |base| open(dir, "digits.txt", How { base, inheriting: 0, ..read_only(0) });
    let fd = ok!(one(rights::FD_READ));
    same!(ok!(fd_fdstat_get(fd)).base & rights::WRITING, 0);
    check!(ok!(fd_fdstat_get(fd)).base & rights::FD_READ != 0, "the right to read is told");
    let mut buf = [0; 3];
    same!(ok!(fd_read(fd, &mut buf)), 3);
    check!(buf == *b"012", "the right to read is enough to read");
    same!(ok!(fd_seek(fd, 1, whence::SET)), 1);
    same!(ok!(fd_tell(fd)), 1);
    same!(ok!(fd_pread(fd, &mut buf, 0)), 3);
    same!(ok!(fd_filestat_get(fd)).size, 10);
    ok!(fd_close(fd));

    let fd = ok!(one(rights::FD_WRITE));
    fails!(fd_read(fd, &mut buf), BADF | NOTCAPABLE | PERM);
    fails!(fd_pread(fd, &mut buf, 0), BADF | NOTCAPABLE | PERM);
    ok!(fd_close(fd));
}
