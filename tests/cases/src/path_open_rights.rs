//! `path_open`: the rights asked for are those that the descriptor has, no more.
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

    let one = |base| open(dir, "digits.txt", How { base, inheriting: 0, ..read_only(0) });
    let fd = ok!(one(rights::FD_READ));
    same!(ok!(fd_fdstat_get(fd)).base, rights::FD_READ);
    same!(ok!(fd_fdstat_get(fd)).inheriting, 0);
    let mut buf = [0; 3];
    same!(ok!(fd_read(fd, &mut buf)), 3);
    check!(buf == *b"012", "the right to read is enough to read");
    fails!(fd_seek(fd, 1, whence::SET), NOTCAPABLE | PERM | BADF);
    fails!(fd_tell(fd), NOTCAPABLE | PERM | BADF);
    // Reading at an offset needs the right to seek too.
    fails!(fd_pread(fd, &mut buf, 0), NOTCAPABLE | PERM | BADF);
    fails!(fd_filestat_get(fd), NOTCAPABLE | PERM | BADF);
    ok!(fd_close(fd));

    let fd = ok!(one(rights::FD_READ | rights::FD_TELL));
    same!(ok!(fd_tell(fd)), 0);
    same!(ok!(fd_seek(fd, 0, whence::CUR)), 0);
    fails!(fd_seek(fd, 1, whence::CUR), NOTCAPABLE | PERM | BADF);
    ok!(fd_close(fd));
    let fd = ok!(one(rights::FD_READ | rights::FD_SEEK));
    same!(ok!(fd_seek(fd, 4, whence::SET)), 4);
    same!(ok!(fd_tell(fd)), 4);
    same!(ok!(fd_pread(fd, &mut buf, 1)), 3);
    ok!(fd_close(fd));
}
