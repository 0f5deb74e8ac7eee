//! Several buffers in one call: the bytes go through them in order, as many as the call says.
//!
//! A call may be short; `vectors_full.rs` is about those that must not.
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
    let n = {
        let (a, rest) = buf.split_at_mut(3);
        let (b, c) = rest.split_at_mut(4);
        ok!(fd_preadv(fd, &list([&[], a, &[], b, c]), 1))
    };
    check!((1..=9).contains(&n), "something is read, no more than there is");
    check!(buf[..n] == b"123456789"[..n], "the buffers are filled in order");
    check!(buf[n..].iter().all(|byte| *byte == b'?'), "and no further than told");

    buf = [b'?'; 12];
    let n = {
        let (a, b) = buf.split_at_mut(2);
        ok!(fd_readv(fd, &list([a, &b[..3]])))
    };
    check!((1..=5).contains(&n), "something is read, no more than there is room for");
    check!(buf[..n] == b"01234"[..n], "the buffers are filled in order");
    same!(ok!(fd_tell(fd)), n);
    same!(ok!(fd_readv(fd, &list([&[], &[]]))), 0);
    ok!(fd_close(fd));

    let fd = ok!(open(dir, "made", read_write(oflags::CREAT | oflags::EXCL)));
    let n = ok!(fd_writev(fd, &list([b"", b"ab", b"", b"cde", b"f"])));
    check!((1..=6).contains(&n), "something is written");
    check!(holds(fd, 0, &b"abcdef"[..n]), "the buffers are written in order");
    same!(ok!(fd_tell(fd)), n);
    same!(ok!(fd_writev(fd, &list([b"", b""]))), 0);
    ok!(fd_filestat_set_size(fd, 0));
    let n = ok!(fd_pwritev(fd, &list([b"gh", b"ij"]), 0));
    check!((1..=4).contains(&n), "something is written");
    check!(holds(fd, 0, &b"ghij"[..n]), "the buffers are written in order");
    ok!(fd_close(fd));
    ok!(path_unlink_file(dir, "made"));
}
