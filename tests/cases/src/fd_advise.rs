//! `fd_advise`: every advice is taken for a file, and changes nothing of it.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    let fd = ok!(open(dir, "digits.txt", read_only(0)));
    for advice in 0..=5 {
        ok!(fd_advise(fd, 0, 10, advice));
        ok!(fd_advise(fd, 5, 0, advice));
        // The advice may be about what is not there.
        ok!(fd_advise(fd, 1000, 1000, advice));
    }
    same!(ok!(fd_filestat_get(fd)).size, 10);
    same!(ok!(fd_tell(fd)), 0);
    check!(holds(fd, 0, b"0123456789"), "the bytes are as before");

    fails!(fd_advise(NOT_OPEN, 0, 1, 0), BADF);
    fails!(fd_advise(0, 0, 1, 0), BADF | SPIPE | NOTCAPABLE);
    fails!(fd_advise(1, 0, 1, 0), BADF | SPIPE | NOTCAPABLE);
    fails!(fd_advise(fd, 0, u64::MAX, 0), INVAL | OVERFLOW);
    ok!(fd_close(fd));
    fails!(fd_advise(fd, 0, 1, 0), BADF);
}
