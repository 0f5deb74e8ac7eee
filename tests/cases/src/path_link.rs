//! `path_link`: a second name for the same file.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn link(dir: Fd, old: &str, new: &str) -> Res {
    path_link(dir, lookup::NO_FOLLOW, old, dir, new)
}

fn run() {
    let dir = scratch();
    make(dir, "made", b"one");
    ok!(link(dir, "made", "sub/../again"));
    let (made, again) = (stat(dir, "made"), stat(dir, "again"));
    check!(made.ino == again.ino && made.dev == again.dev, "both names are of one file");
    same!(made.nlink, 2);
    let fd = ok!(open(dir, "again", read_write(0)));
    write_all(fd, b"two");
    ok!(fd_close(fd));
    check!(contains(dir, "made", b"two"), "what is written by one name is read by the other");
    let sub = ok!(open(dir, "sub", read_only(oflags::DIRECTORY)));
    ok!(path_link(dir, lookup::NO_FOLLOW, "made", sub, "third"));
    same!(stat(dir, "sub/third").nlink, 3);
    ok!(fd_close(sub));
    ok!(path_unlink_file(dir, "sub/third"));
    ok!(path_unlink_file(dir, "made"));
    check!(contains(dir, "again", b"two"), "the file lives while it has a name");
    same!(stat(dir, "again").nlink, 1);
    ok!(path_unlink_file(dir, "again"));
    refusals(dir);
}

fn stat(dir: Fd, path: &str) -> Filestat {
    ok!(path_filestat_get(dir, lookup::NO_FOLLOW, path))
}

fn refusals(dir: Fd) {
    fails!(link(dir, "digits.txt", "sub/inner.txt"), EXIST);
    fails!(link(dir, "digits.txt", "digits.txt"), EXIST);
    fails!(link(dir, "digits.txt", "sub"), EXIST);
    fails!(link(dir, "nowhere", "made"), NOENT);
    fails!(link(dir, "", "made"), NOENT);
    fails!(link(dir, "digits.txt", ""), NOENT);
    fails!(link(dir, "digits.txt", "nowhere/made"), NOENT);
    fails!(link(dir, "digits.txt", "digits.txt/made"), NOTDIR);
    fails!(link(dir, "digits.txt", "made/"), NOENT | NOTDIR | EXIST);
    fails!(link(dir, "digits.txt/", "made"), NOTDIR);
    // POSIX leaves links to folders to privileged users of systems that have them.
    fails!(link(dir, "sub", "made"), PERM | ISDIR);
    fails!(path_link(dir, 0, "digits.txt", dir, [b'x'; 300]), NAMETOOLONG);
    fails!(path_link(dir, 0, b"\xff", dir, "made"), ILSEQ);
    fails!(path_link(dir, 0, "digits.txt", dir, b"\xff"), ILSEQ);
    fails!(path_link(dir, 0, "digits.txt", dir, b"made\0"), INVAL | ILSEQ);
    escapes!(link(dir, "../fs.dir/digits.txt", "made"));
    escapes!(link(dir, "/digits.txt", "made"));
    escapes!(link(dir, "digits.txt", "../made"));
    escapes!(link(dir, "digits.txt", "/made"));
    fails!(path_link(NOT_OPEN, 0, "digits.txt", dir, "made"), BADF);
    fails!(path_link(dir, 0, "digits.txt", NOT_OPEN, "made"), BADF);
    let file = ok!(open(dir, "digits.txt", read_only(0)));
    fails!(path_link(file, 0, "digits.txt", dir, "made"), NOTDIR | BADF | NOTCAPABLE);
    fails!(path_link(dir, 0, "digits.txt", file, "made"), NOTDIR | BADF | NOTCAPABLE);
    ok!(fd_close(file));
    check!(!exists(dir, "made"), "nothing was made");
    same!(stat(dir, "digits.txt").nlink, 1);
}
