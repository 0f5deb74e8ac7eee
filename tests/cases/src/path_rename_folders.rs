//! `path_rename` of folders and links: over an empty folder, and over nothing else.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn rename(dir: Fd, old: &str, new: &str) -> Res {
    path_rename(dir, old, dir, new)
}

fn run() {
    let dir = scratch();
    ok!(path_create_directory(dir, "full"));
    make(dir, "full/file", b"x");
    ok!(path_create_directory(dir, "empty"));

    fails!(rename(dir, "empty", "full"), NOTEMPTY | EXIST);
    fails!(rename(dir, "empty", "digits.txt"), NOTDIR);
    fails!(rename(dir, "digits.txt", "empty"), ISDIR);
    fails!(rename(dir, "full", "full/inside"), INVAL);
    fails!(rename(dir, "full", "full/inside/deeper"), INVAL | NOENT);
    fails!(rename(dir, "sub/deep", "sub"), NOTEMPTY | EXIST);
    fails!(rename(dir, ".", "new"), INVAL | BUSY | PERM | NOTCAPABLE);
    fails!(rename(dir, "empty", "."), INVAL | BUSY | NOTEMPTY | EXIST | PERM | NOTCAPABLE);
    escapes!(rename(dir, "..", "new"));
    escapes!(rename(dir, "empty", ".."));
    check!(exists(dir, "empty") && contains(dir, "full/file", b"x"), "nothing has changed");

    ok!(rename(dir, "full", "full"));
    ok!(rename(dir, "full", "empty"));
    check!(!exists(dir, "full") && contains(dir, "empty/file", b"x"), "it takes the empty one's place");
    ok!(rename(dir, "empty", "new"));
    check!(!exists(dir, "empty") && contains(dir, "new/file", b"x"), "a folder moves with what is in it");
    let fd = ok!(open(dir, "new", read_only(oflags::DIRECTORY)));
    ok!(rename(dir, "new", "sub/moved"));
    check!(contains(fd, "file", b"x"), "a descriptor follows its folder");
    escapes!(open(fd, "../inner.txt", read_only(0)));
    ok!(fd_close(fd));
    ok!(rename(dir, "sub/moved/", "again/"));
    check!(contains(dir, "again/file", b"x"), "folders may be named with a slash at the end");
    ok!(path_unlink_file(dir, "again/file"));
    ok!(path_remove_directory(dir, "again"));
    links(dir);
}

fn links(dir: Fd) {
    ok!(path_symlink("digits.txt", dir, "link"));
    ok!(rename(dir, "link", "moved"));
    let mut buf = [0; 16];
    same!(ok!(path_readlink(dir, "moved", &mut buf)), 10);
    check!(!exists(dir, "link") && exists(dir, "digits.txt"), "the link moves, not what it leads to");
    make(dir, "made", b"new");
    ok!(rename(dir, "made", "moved"));
    check!(contains(dir, "moved", b"new"), "the link is replaced");
    check!(contains(dir, "digits.txt", b"0123456789"), "and not what it led to");
    ok!(path_unlink_file(dir, "moved"));

    ok!(path_symlink("..", dir, "out"));
    escapes!(rename(dir, "digits.txt", "out/new"));
    escapes!(rename(dir, "out/fs.dir/digits.txt", "new"));
    ok!(rename(dir, "out", "moved"));
    ok!(path_unlink_file(dir, "moved"));
}
