//! `fd_prestat_get` and `fd_prestat_dir_name`: the name of a preopened folder, to a buffer that holds it.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let stat = ok!(fd_prestat_get(3));
    same!(stat.tag, 0);
    same!(stat.name_len, 6);
    let mut buf = [b'?'; 16];
    ok!(fd_prestat_dir_name(3, &mut buf[..6]));
    check!(buf == *b"fs.dir??????????", "the name, and no NUL after it");

    buf = [b'?'; 16];
    for len in [0, 1, 5] {
        fails!(fd_prestat_dir_name(3, &mut buf[..len]), NAMETOOLONG);
    }
    check!(buf[5..].iter().all(|byte| *byte == b'?'), "a short buffer is not passed");
    buf = [b'?'; 16];
    ok!(fd_prestat_dir_name(3, &mut buf));
    check!(buf == *b"fs.dir??????????", "a longer buffer is left as it was after the name");

    fails!(fd_prestat_get(4), BADF);
    fails!(fd_prestat_dir_name(4, &mut buf), BADF);
    for fd in [0, 1, 2, NOT_OPEN, u32::MAX] {
        fails!(fd_prestat_get(fd), BADF | NOTSUP | NOTDIR);
        fails!(fd_prestat_dir_name(fd, &mut buf), BADF | NOTSUP | NOTDIR);
    }
    let dir = scratch();
    same!(dir, 3);
    let file = ok!(open(dir, "digits.txt", read_only(0)));
    fails!(fd_prestat_get(file), BADF | NOTSUP | NOTDIR);
    ok!(fd_close(file));
    let sub = ok!(open(dir, "sub", read_only(oflags::DIRECTORY)));
    fails!(fd_prestat_get(sub), BADF | NOTSUP);
    ok!(fd_close(sub));
}
