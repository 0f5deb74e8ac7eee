//! `path_unlink_file`: removes a name of a file or a link, never a folder.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    make(dir, "made", b"bytes");
    let fd = ok!(open(dir, "made", read_write(0)));
    ok!(path_unlink_file(dir, "sub/../made"));
    check!(!exists(dir, "made"), "the name is gone");
    check!(holds(fd, 0, b"bytes"), "the file lives while it is open");
    write_all(fd, b"B");
    check!(holds(fd, 0, b"Bytes"), "and can be written");
    ok!(fd_close(fd));
    fails!(path_unlink_file(dir, "made"), NOENT);

    ok!(path_symlink("digits.txt", dir, "link"));
    ok!(path_unlink_file(dir, "link"));
    check!(exists(dir, "digits.txt"), "a link goes, not what it leads to");
    ok!(path_symlink("sub", dir, "link"));
    fails!(path_unlink_file(dir, "link/"), NOTDIR | ISDIR | PERM);
    ok!(path_unlink_file(dir, "link"));
    ok!(path_symlink("..", dir, "link"));
    escapes!(path_unlink_file(dir, "link/x"));
    ok!(path_unlink_file(dir, "link"));

    fails!(path_unlink_file(dir, "sub"), ISDIR);
    fails!(path_unlink_file(dir, "sub/"), ISDIR);
    fails!(path_unlink_file(dir, "."), ISDIR | INVAL | PERM | NOTCAPABLE | BUSY);
    fails!(path_unlink_file(dir, "digits.txt/"), NOTDIR);
    fails!(path_unlink_file(dir, "digits.txt/x"), NOTDIR);
    fails!(path_unlink_file(dir, "nowhere/x"), NOENT);
    fails!(path_unlink_file(dir, ""), NOENT);
    fails!(path_unlink_file(dir, [b'x'; 300]), NAMETOOLONG);
    fails!(path_unlink_file(dir, b"\xff"), ILSEQ);
    fails!(path_unlink_file(dir, b"digits.txt\0"), INVAL | ILSEQ);
    escapes!(path_unlink_file(dir, ".."));
    escapes!(path_unlink_file(dir, "../fs.dir/digits.txt"));
    escapes!(path_unlink_file(dir, "/digits.txt"));
    fails!(path_unlink_file(NOT_OPEN, "digits.txt"), BADF);
    let file = ok!(open(dir, "digits.txt", read_only(0)));
    fails!(path_unlink_file(file, "x"), NOTDIR | BADF | NOTCAPABLE);
    ok!(fd_close(file));
    check!(contains(dir, "digits.txt", b"0123456789"), "the file is there");
    check!(contains(dir, "sub/inner.txt", b"inner"), "the folder is there");
}
