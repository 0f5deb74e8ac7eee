//! `path_remove_directory`: removes an empty folder and nothing else.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    ok!(path_create_directory(dir, "folder"));
    ok!(path_create_directory(dir, "folder/inside"));
    fails!(path_remove_directory(dir, "folder"), NOTEMPTY | EXIST);
    ok!(path_remove_directory(dir, "sub/../folder/inside"));
    ok!(path_remove_directory(dir, "folder"));
    check!(!exists(dir, "folder"), "it is gone");
    fails!(path_remove_directory(dir, "folder"), NOENT);
    fails!(path_remove_directory(dir, "sub"), NOTEMPTY | EXIST);
    fails!(path_remove_directory(dir, "digits.txt"), NOTDIR);
    fails!(path_remove_directory(dir, "digits.txt/"), NOTDIR);
    fails!(path_remove_directory(dir, "digits.txt/x"), NOTDIR);
    fails!(path_remove_directory(dir, "nowhere/x"), NOENT);
    fails!(path_remove_directory(dir, ""), NOENT);
    fails!(path_remove_directory(dir, "."), INVAL | BUSY | NOTEMPTY | PERM | NOTCAPABLE);
    fails!(path_remove_directory(dir, "sub/."), INVAL | NOTEMPTY | EXIST);
    fails!(path_remove_directory(dir, "sub/deep/.."), INVAL | NOTEMPTY | EXIST);
    fails!(path_remove_directory(dir, [b'x'; 300]), NAMETOOLONG);
    fails!(path_remove_directory(dir, b"\xff"), ILSEQ);
    fails!(path_remove_directory(dir, b"sub\0"), INVAL | ILSEQ);
    escapes!(path_remove_directory(dir, ".."));
    escapes!(path_remove_directory(dir, "../x"));
    escapes!(path_remove_directory(dir, "/x"));
    fails!(path_remove_directory(NOT_OPEN, "x"), BADF);
    let file = ok!(open(dir, "digits.txt", read_only(0)));
    fails!(path_remove_directory(file, "x"), NOTDIR | BADF | NOTCAPABLE);
    ok!(fd_close(file));

    links_and_what_is_open(dir);
    check!(contains(dir, "sub/deep/leaf.txt", b"leaf"), "nothing else was removed");
}

fn links_and_what_is_open(dir: Fd) {
    ok!(path_create_directory(dir, "folder"));
    ok!(path_symlink("folder", dir, "link"));
    fails!(path_remove_directory(dir, "link"), NOTDIR);
    check!(exists(dir, "folder"), "a link is not followed");
    ok!(path_unlink_file(dir, "link"));

    let fd = ok!(open(dir, "folder", read_only(oflags::DIRECTORY)));
    ok!(path_remove_directory(dir, "folder"));
    fails!(open(fd, "new", read_write(oflags::CREAT)), NOENT);
    fails!(path_create_directory(fd, "new"), NOENT);
    ok!(fd_close(fd));
}
