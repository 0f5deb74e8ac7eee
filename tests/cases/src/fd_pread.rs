//! `fd_pread`: reads at an offset and leaves the position alone.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    let fd = ok!(open(dir, "digits.txt", read_only(0)));
    let mut buf = [b'?'; 8];
    same!(ok!(fd_seek(fd, 1, whence::SET)), 1);
    same!(ok!(fd_pread(fd, &mut buf[..4], 3)), 4);
    check!(buf == *b"3456????", "four bytes from offset 3");
    same!(ok!(fd_tell(fd)), 1);
    same!(ok!(fd_pread(fd, &mut buf, 7)), 3);
    check!(buf == *b"7896????", "what there is before the end");
    for offset in [10, 11, 1 << 40] {
        same!(ok!(fd_pread(fd, &mut buf, offset)), 0);
    }
    same!(ok!(fd_pread(fd, &mut [], 0)), 0);
    same!(ok!(fd_preadv(fd, &[], 0)), 0);
    fails!(fd_pread(fd, &mut buf, u64::MAX), INVAL | OVERFLOW);
    fails!(fd_pread(fd, &mut buf, 1 << 63), INVAL | OVERFLOW);
    check!(buf == *b"7896????", "nothing is read there");
    same!(ok!(fd_tell(fd)), 1);
    same!(ok!(fd_read(fd, &mut buf[..2])), 2);
    check!(buf[..2] == *b"12", "the position is where it was");
    ok!(fd_close(fd));

    fails!(fd_pread(fd, &mut buf, 0), BADF);
    fails!(fd_pread(NOT_OPEN, &mut buf, 0), BADF);
    fails!(fd_pread(dir, &mut buf, 0), BADF | ISDIR | NOTCAPABLE);
    fails!(fd_pread(0, &mut buf, 0), SPIPE | BADF | NOTCAPABLE);
    let fd = ok!(open(dir, "made", write_only(oflags::CREAT)));
    fails!(fd_pread(fd, &mut buf, 0), BADF | NOTCAPABLE | PERM);
    ok!(fd_close(fd));
    ok!(path_unlink_file(dir, "made"));
}
