//! `fd_close`: a closed number is no descriptor, whatever it was, and others stay as they are.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    fails!(fd_close(NOT_OPEN), BADF);
    fails!(fd_close(u32::MAX), BADF);

    let file = ok!(open(dir, "digits.txt", read_only(0)));
    let other = ok!(open(dir, "digits.txt", read_only(0)));
    let sub = ok!(open(dir, "sub", read_only(oflags::DIRECTORY)));
    check!(file != other && file != sub && other != sub, "open descriptors differ");
    check!(file > 2 && file < 1 << 31 && sub < 1 << 31, "a descriptor is below 2^31 and no stream");

    ok!(fd_close(file));
    fails!(fd_close(file), BADF);
    fails!(fd_read(file, &mut [0; 4]), BADF);
    fails!(fd_fdstat_get(file), BADF);
    let mut buf = [0; 4];
    same!(ok!(fd_read(other, &mut buf)), 4);
    check!(buf == *b"0123", "another descriptor of the same file goes on");

    ok!(fd_close(sub));
    fails!(open(sub, "inner.txt", read_only(0)), BADF);
    fails!(fd_readdir(sub, &mut [0; 100], 0), BADF);
    ok!(fd_close(other));

    // Numbers are given again, or not, but never run out from opening and closing.
    for _ in 0..2000 {
        let fd = ok!(open(dir, "digits.txt", read_only(0)));
        ok!(fd_close(fd));
    }

    ok!(fd_close(1));
    fails!(fd_write(1, b"lost\n"), BADF);
    fails!(fd_close(1), BADF);
    ok!(fd_close(dir));
    fails!(open(dir, "digits.txt", read_only(0)), BADF);
    fails!(fd_prestat_get(dir), BADF);
}
