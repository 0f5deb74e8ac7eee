//! Several buffers in one call on a file: POSIX's `readv` fills a buffer completely before the next, and is
//! short only at the end; `writev` writes all of them.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn list<const N: usize>(parts: [&[u8]; N]) -> [Iovec; N] {
    parts.map(|part| Iovec { buf: part.as_ptr(), len: part.len() })
}

fn run() {
    let dir = scratch();
    let fd = ok!(open(dir, "digits.txt", read_only(0)));
    let mut buf = [b'?'; 12];
    {
        let (a, b) = buf.split_at_mut(2);
        same!(ok!(fd_readv(fd, &list([a, &[], &b[..3]]))), 5);
    }
    check!(buf == *b"01234???????", "two buffers from the start");
    {
        let (a, b) = buf.split_at_mut(4);
        same!(ok!(fd_readv(fd, &list([a, b]))), 5);
    }
    check!(buf == *b"56789???????", "two buffers to the end");
    {
        let (a, rest) = buf.split_at_mut(3);
        let (b, c) = rest.split_at_mut(4);
        same!(ok!(fd_preadv(fd, &list([a, b, c]), 1)), 9);
    }
    check!(buf == *b"123456789???", "three buffers from offset 1");
    same!(ok!(fd_tell(fd)), 10);
    ok!(fd_close(fd));

    let fd = ok!(open(dir, "made", read_write(oflags::CREAT | oflags::EXCL)));
    same!(ok!(fd_writev(fd, &list([b"", b"ab", b"cde", b"", b"f"]))), 6);
    same!(ok!(fd_pwritev(fd, &list([b"X", b"YZ"]), 2)), 3);
    check!(holds(fd, 0, b"abXYZf"), "all buffers are written");
    ok!(fd_fdstat_set_flags(fd, fdflags::APPEND));
    same!(ok!(fd_writev(fd, &list([b"12", b"34"]))), 4);
    check!(holds(fd, 0, b"abXYZf1234"), "all buffers are appended");
    ok!(fd_close(fd));
    ok!(path_unlink_file(dir, "made"));
}
