//! `fd_fdstat_set_rights`: rights can be given up, and then are gone; none can be added.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    fails!(fd_fdstat_set_rights(NOT_OPEN, 0, 0), BADF);
    let fd = ok!(open(dir, "digits.txt", read_write(0)));
    let all = ok!(fd_fdstat_get(fd));
    ok!(fd_fdstat_set_rights(fd, all.base, all.inheriting));
    same!(ok!(fd_fdstat_get(fd)).base, all.base);

    let fewer = all.base & !rights::FD_WRITE;
    ok!(fd_fdstat_set_rights(fd, fewer, 0));
    same!(ok!(fd_fdstat_get(fd)).base, fewer);
    same!(ok!(fd_fdstat_get(fd)).inheriting, 0);
    fails!(fd_write(fd, b"no"), NOTCAPABLE | PERM | BADF);
    fails!(fd_pwrite(fd, b"no", 0), NOTCAPABLE | PERM | BADF);
    check!(holds(fd, 0, b"0123456789"), "nothing is written without the right");

    fails!(fd_fdstat_set_rights(fd, all.base, 0), NOTCAPABLE);
    fails!(fd_fdstat_set_rights(fd, fewer, all.base), NOTCAPABLE);
    same!(ok!(fd_fdstat_get(fd)).base, fewer);

    ok!(fd_fdstat_set_rights(fd, fewer & !rights::FD_READ, 0));
    fails!(fd_read(fd, &mut [0; 4]), NOTCAPABLE | PERM | BADF);
    ok!(fd_fdstat_set_rights(fd, 0, 0));
    fails!(fd_seek(fd, 1, whence::SET), NOTCAPABLE | PERM | BADF);
    fails!(fd_tell(fd), NOTCAPABLE | PERM | BADF);
    fails!(fd_filestat_get(fd), NOTCAPABLE | PERM | BADF);
    ok!(fd_close(fd));
    folder(dir);
}

fn folder(dir: Fd) {
    let sub = ok!(open(dir, "sub", read_only(oflags::DIRECTORY)));
    let stat = ok!(fd_fdstat_get(sub));
    // The rights of what is opened in a folder are at most those that it passes on.
    let inheriting = stat.inheriting & !rights::WRITING;
    ok!(fd_fdstat_set_rights(sub, stat.base, inheriting));
    same!(ok!(fd_fdstat_get(sub)).inheriting, inheriting);
    fails!(path_open(sub, "inner.txt", How { inheriting: 0, ..read_write(0) }), NOTCAPABLE | PERM);
    let fd = ok!(path_open(sub, "inner.txt", How { base: rights::FD_READ, inheriting: 0, ..read_only(0) }));
    fails!(fd_write(fd, b"no"), NOTCAPABLE | PERM | BADF);
    ok!(fd_close(fd));

    let path_open_right = 1 << 13;
    ok!(fd_fdstat_set_rights(sub, stat.base & !path_open_right, inheriting));
    fails!(
        path_open(sub, "inner.txt", How { base: rights::FD_READ, inheriting: 0, ..read_only(0) }),
        NOTCAPABLE | PERM
    );
    ok!(fd_close(sub));
}
