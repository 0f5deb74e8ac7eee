//! `path_open` and symbolic links: followed when asked, on the way always, and never out of the folder.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

const FOLLOW: How = How {
    lookup: lookup::FOLLOW,
    oflags: 0,
    base: rights::ALL & !rights::WRITING,
    inheriting: rights::ALL,
    fdflags: 0,
};

fn reads(dir: Fd, path: &str, bytes: &[u8]) -> bool {
    let Ok(fd) = open(dir, path, FOLLOW) else { return false };
    let same = holds(fd, 0, bytes);
    ok!(fd_close(fd));
    same
}

fn run() {
    let dir = scratch();
    ok!(path_symlink("digits.txt", dir, "link"));
    check!(reads(dir, "link", b"0123456789"), "a link is followed when asked");
    fails!(open(dir, "link", read_only(0)), LOOP);
    fails!(open(dir, "link", read_write(0)), LOOP);
    fails!(open(dir, "link", read_only(oflags::DIRECTORY)), LOOP | NOTDIR);
    fails!(open(dir, "link", How { oflags: oflags::DIRECTORY, ..FOLLOW }), NOTDIR);
    fails!(open(dir, "link", read_write(oflags::CREAT | oflags::EXCL)), EXIST);
    fails!(open(dir, "link", How { oflags: oflags::CREAT | oflags::EXCL, ..FOLLOW }), EXIST);
    ok!(path_symlink("link", dir, "second"));
    check!(reads(dir, "second", b"0123456789"), "and a link to a link");
    ok!(path_unlink_file(dir, "second"));
    ok!(path_unlink_file(dir, "link"));

    folders(dir);
    dangling(dir);
    outward(dir);
}

fn folders(dir: Fd) {
    ok!(path_symlink("sub", dir, "way"));
    check!(reads(dir, "way/inner.txt", b"inner"), "a link on the way");
    check!(contains(dir, "way/inner.txt", b"inner"), "is followed without the flag");
    check!(contains(dir, "way/deep/../inner.txt", b"inner"), "`..` is from where the link led");
    check!(contains(dir, "way/../digits.txt", b"0123456789"), "`..` is from where the link led");
    let fd = ok!(open(dir, "way", How { oflags: oflags::DIRECTORY, ..FOLLOW }));
    same!(ok!(fd_fdstat_get(fd)).filetype, filetype::DIRECTORY);
    ok!(fd_close(fd));
    fails!(open(dir, "way", read_only(oflags::DIRECTORY)), LOOP | NOTDIR);
    ok!(path_unlink_file(dir, "way"));

    ok!(path_symlink("../digits.txt", dir, "sub/up"));
    check!(reads(dir, "sub/up", b"0123456789"), "a link up that stays inside");
    // From the folder below, the same link leaves it.
    let sub = ok!(open(dir, "sub", read_only(oflags::DIRECTORY)));
    escapes!(open(sub, "up", FOLLOW));
    ok!(fd_close(sub));
    ok!(path_unlink_file(dir, "sub/up"));
}

fn dangling(dir: Fd) {
    ok!(path_symlink("target", dir, "link"));
    fails!(open(dir, "link", FOLLOW), NOENT);
    fails!(open(dir, "link", read_write(oflags::CREAT)), LOOP);
    check!(!exists(dir, "target"), "nothing is made behind a link that is not followed");
    ok!(path_unlink_file(dir, "link"));

    ok!(path_symlink("two", dir, "one"));
    ok!(path_symlink("one", dir, "two"));
    fails!(open(dir, "one", FOLLOW), LOOP);
    fails!(open(dir, "one/file", read_only(0)), LOOP);
    fails!(open(dir, "one", How { oflags: oflags::CREAT, ..FOLLOW }), LOOP);
    ok!(path_unlink_file(dir, "one"));
    ok!(path_unlink_file(dir, "two"));
}

fn outward(dir: Fd) {
    for target in ["..", "../", "../fs.dir/digits.txt", "sub/../../fs.dir/digits.txt", "../nowhere"] {
        ok!(path_symlink(target, dir, "out"));
        escapes!(open(dir, "out", FOLLOW));
        escapes!(open(dir, "out/file", FOLLOW));
        escapes!(open(dir, "out/file", read_write(oflags::CREAT)));
        escapes!(open(dir, "out", How { oflags: oflags::CREAT, ..FOLLOW }));
        ok!(path_unlink_file(dir, "out"));
    }
    ok!(path_symlink("../..", dir, "sub/out"));
    escapes!(open(dir, "sub/out/fs.dir/digits.txt", FOLLOW));
    ok!(path_symlink("sub/out", dir, "chain"));
    escapes!(open(dir, "chain/fs.dir/digits.txt", FOLLOW));
    ok!(path_unlink_file(dir, "chain"));
    ok!(path_unlink_file(dir, "sub/out"));
}
