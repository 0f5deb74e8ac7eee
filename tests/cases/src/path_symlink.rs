//! `path_symlink`: any relative text is a link, to something or to nothing; an absolute one is none.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

const FOLLOW: How = How {
    lookup: lookup::FOLLOW,
    oflags: 0,
    base: rights::FD_READ | rights::FD_SEEK,
    inheriting: 0,
    fdflags: 0,
};

fn run() {
    let dir = scratch();
    for target in ["digits.txt", "nowhere", "sub", ".", "..", "../../x", "self", "a//b/", "ü"] {
        ok!(path_symlink(target, dir, "self"));
        let stat = ok!(path_filestat_get(dir, lookup::NO_FOLLOW, "self"));
        same!(stat.filetype, filetype::SYMBOLIC_LINK);
        same!(stat.size, target.len());
        fails!(path_symlink("digits.txt", dir, "self"), EXIST);
        ok!(path_unlink_file(dir, "self"));
    }
    let sub = ok!(open(dir, "sub", read_only(oflags::DIRECTORY)));
    ok!(path_symlink("inner.txt", sub, "link"));
    let fd = ok!(open(dir, "sub/link", FOLLOW));
    check!(holds(fd, 0, b"inner"), "a link goes from the folder that it is in");
    ok!(fd_close(fd));
    ok!(path_unlink_file(sub, "link"));
    ok!(fd_close(sub));
    chain(dir);
    refusals(dir);
}

/// POSIX wants at least eight links, one after the other.
fn chain(dir: Fd) {
    let names = ["l0", "l1", "l2", "l3", "l4", "l5", "l6", "l7"];
    let mut target = "digits.txt";
    for name in names {
        ok!(path_symlink(target, dir, name));
        target = name;
    }
    let fd = ok!(open(dir, target, FOLLOW));
    check!(holds(fd, 0, b"0123456789"), "eight links lead to the file");
    ok!(fd_close(fd));
    for name in names {
        ok!(path_unlink_file(dir, name));
    }
}

fn refusals(dir: Fd) {
    escapes!(path_symlink("/", dir, "link"));
    escapes!(path_symlink("/digits.txt", dir, "link"));
    fails!(path_symlink("", dir, "link"), NOENT | INVAL);
    fails!(path_symlink("digits.txt", dir, ""), NOENT);
    fails!(path_symlink("x", dir, "digits.txt"), EXIST);
    fails!(path_symlink("x", dir, "sub"), EXIST);
    fails!(path_symlink("x", dir, "link/"), NOENT | NOTDIR | EXIST | INVAL);
    fails!(path_symlink("x", dir, "nowhere/link"), NOENT);
    fails!(path_symlink("x", dir, "digits.txt/link"), NOTDIR);
    fails!(path_symlink("x", dir, [b'x'; 300]), NAMETOOLONG);
    fails!(path_symlink("x", dir, b"\xff"), ILSEQ);
    fails!(path_symlink(b"\xff", dir, "link"), ILSEQ);
    fails!(path_symlink("x", dir, b"link\0"), INVAL | ILSEQ);
    fails!(path_symlink(b"x\0", dir, "link"), INVAL | ILSEQ);
    escapes!(path_symlink("x", dir, "../link"));
    escapes!(path_symlink("x", dir, "/link"));
    fails!(path_symlink("x", NOT_OPEN, "link"), BADF);
    let file = ok!(open(dir, "digits.txt", read_only(0)));
    fails!(path_symlink("x", file, "link"), NOTDIR | BADF | NOTCAPABLE);
    ok!(fd_close(file));
    check!(!exists(dir, "link"), "nothing was made");
}
