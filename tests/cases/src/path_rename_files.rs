//! `path_rename` of files: to a new name, over another file, and what it is refused over.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn rename(dir: Fd, old: &str, new: &str) -> Res {
    path_rename(dir, old, dir, new)
}

fn run() {
    let dir = scratch();
    make(dir, "made", b"one");
    let ino = |path| ok!(path_filestat_get(dir, lookup::NO_FOLLOW, path)).ino;
    let own = ino("made");
    ok!(rename(dir, "made", "sub/../moved"));
    check!(!exists(dir, "made") && contains(dir, "moved", b"one"), "it has the new name only");
    same!(ino("moved"), own);
    ok!(rename(dir, "moved", "sub/deep/made"));
    check!(contains(dir, "sub/deep/made", b"one"), "it is in the other folder");
    let sub = ok!(open(dir, "sub", read_only(oflags::DIRECTORY)));
    ok!(path_rename(sub, "deep/made", dir, "made"));
    ok!(fd_close(sub));

    make(dir, "other", b"two");
    let fd = ok!(open(dir, "other", read_only(0)));
    ok!(rename(dir, "made", "other"));
    check!(!exists(dir, "made") && contains(dir, "other", b"one"), "one file takes the other's place");
    check!(holds(fd, 0, b"two"), "the other lives while it is open");
    ok!(fd_close(fd));
    ok!(rename(dir, "other", "other"));
    check!(contains(dir, "other", b"one"), "to its own name nothing happens");

    // POSIX: two names of one file both stay.
    ok!(path_link(dir, lookup::NO_FOLLOW, "other", dir, "again"));
    ok!(rename(dir, "other", "again"));
    check!(exists(dir, "other") && exists(dir, "again"), "two names of one file both stay");
    ok!(path_unlink_file(dir, "again"));

    let fd = ok!(open(dir, "other", read_write(0)));
    ok!(rename(dir, "other", "made"));
    write_all(fd, b"ten");
    ok!(fd_close(fd));
    check!(contains(dir, "made", b"ten"), "a descriptor follows its file");
    ok!(path_unlink_file(dir, "made"));
    refusals(dir);
}

fn refusals(dir: Fd) {
    fails!(rename(dir, "digits.txt", "sub"), ISDIR | EXIST | NOTEMPTY);
    fails!(rename(dir, "digits.txt", "sub/"), ISDIR | NOTDIR | EXIST | NOTEMPTY);
    fails!(rename(dir, "digits.txt", "new/"), NOTDIR | ISDIR | NOENT);
    fails!(rename(dir, "digits.txt/", "new"), NOTDIR);
    fails!(rename(dir, "nowhere", "new"), NOENT);
    fails!(rename(dir, "nowhere", "digits.txt"), NOENT);
    fails!(rename(dir, "", "new"), NOENT);
    fails!(rename(dir, "digits.txt", ""), NOENT);
    fails!(rename(dir, "digits.txt", "nowhere/new"), NOENT);
    fails!(rename(dir, "digits.txt", "sub/inner.txt/new"), NOTDIR);
    fails!(rename(dir, "digits.txt/x", "new"), NOTDIR);
    fails!(path_rename(dir, "digits.txt", dir, [b'x'; 300]), NAMETOOLONG);
    fails!(path_rename(dir, [b'x'; 300], dir, "new"), NAMETOOLONG);
    fails!(path_rename(dir, b"\xff", dir, "new"), ILSEQ);
    fails!(path_rename(dir, "digits.txt", dir, b"\xff"), ILSEQ);
    fails!(path_rename(dir, "digits.txt", dir, b"new\0"), INVAL | ILSEQ);
    escapes!(rename(dir, "digits.txt", "../new"));
    escapes!(rename(dir, "digits.txt", "/new"));
    escapes!(rename(dir, "../fs.dir/digits.txt", "new"));
    escapes!(rename(dir, "/digits.txt", "new"));
    fails!(path_rename(NOT_OPEN, "digits.txt", dir, "new"), BADF);
    fails!(path_rename(dir, "digits.txt", NOT_OPEN, "new"), BADF);
    let file = ok!(open(dir, "digits.txt", read_only(0)));
    fails!(path_rename(file, "digits.txt", dir, "new"), NOTDIR | BADF | NOTCAPABLE);
    fails!(path_rename(dir, "digits.txt", file, "new"), NOTDIR | BADF | NOTCAPABLE);
    ok!(fd_close(file));
    check!(contains(dir, "digits.txt", b"0123456789"), "the file is where it was");
    check!(contains(dir, "sub/inner.txt", b"inner") && !exists(dir, "new"), "nothing else changed");
}
