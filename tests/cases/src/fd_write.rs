//! `fd_write` to files: at the position, over what is there and past the end.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    let fd = ok!(open(dir, "made", read_write(oflags::CREAT | oflags::EXCL)));
    same!(ok!(fd_write(fd, b"0123456789")), 10);
    same!(ok!(fd_tell(fd)), 10);
    same!(ok!(fd_seek(fd, 4, whence::SET)), 4);
    same!(ok!(fd_write(fd, b"abc")), 3);
    same!(ok!(fd_tell(fd)), 7);
    check!(holds(fd, 0, b"0123abc789"), "a write in the middle changes only that");
    same!(ok!(fd_seek(fd, 12, whence::SET)), 12);
    same!(ok!(fd_write(fd, b"")), 0);
    same!(ok!(fd_writev(fd, &[])), 0);
    same!(ok!(fd_filestat_get(fd)).size, 10);
    same!(ok!(fd_write(fd, b"x")), 1);
    check!(holds(fd, 0, b"0123abc789\0\0x"), "a write past the end leaves zeros before it");
    ok!(fd_close(fd));
    fails!(fd_write(fd, b"x"), BADF);
    check!(contains(dir, "made", b"0123abc789\0\0x"), "it is there for the next to open it");

    let fd = ok!(open(dir, "made", write_only(oflags::TRUNC)));
    same!(ok!(fd_write(fd, b"short")), 5);
    ok!(fd_close(fd));
    check!(contains(dir, "made", b"short"), "writing needs no right to read");
    large(dir);
    ok!(path_unlink_file(dir, "made"));

    fails!(fd_write(NOT_OPEN, b"x"), BADF);
    fails!(fd_write(dir, b"x"), BADF | ISDIR | NOTCAPABLE);
    fails!(fd_write(0, b"x"), BADF | NOTCAPABLE | PERM);
    let fd = ok!(open(dir, "digits.txt", read_only(0)));
    fails!(fd_write(fd, b"x"), BADF | NOTCAPABLE | PERM);
    check!(holds(fd, 0, b"0123456789"), "nothing is written");
    ok!(fd_close(fd));
}

/// More than any buffer on the way is likely to hold.
fn large(dir: Fd) {
    static mut BLOCK: [u8; 100_000] = [0; 100_000];
    let block = unsafe { &mut *(&raw mut BLOCK) };
    for (index, byte) in block.iter_mut().enumerate() {
        *byte = (index % 251) as u8;
    }
    let fd = ok!(open(dir, "made", read_write(oflags::TRUNC)));
    for _ in 0..3 {
        write_all(fd, block);
    }
    same!(ok!(fd_filestat_get(fd)).size, 300_000);
    block.fill(0);
    let mut len = 0;
    while len < block.len() {
        let n = ok!(fd_pread(fd, &mut block[len..], 200_000 + len as u64));
        check!(n > 0, "the end does not come early");
        len += n.max(1);
    }
    check!(block.iter().enumerate().all(|(index, byte)| *byte == (index % 251) as u8), "all bytes came back");
    ok!(fd_close(fd));
}
