//! `path_link` of a symbolic link: never to anything outside, and a link made is to the link or to its target.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    ok!(path_symlink("digits.txt", dir, "link"));
    // POSIX: a system may not have links to symbolic links.
    match path_link(dir, lookup::NO_FOLLOW, "link", dir, "made") {
        Ok(()) => {
            let stat = ok!(path_filestat_get(dir, lookup::NO_FOLLOW, "made"));
            same!(stat.filetype, filetype::SYMBOLIC_LINK);
            same!(stat.nlink, 2);
            ok!(path_unlink_file(dir, "made"));
        }
        refused => fails!(refused, NOTSUP | PERM | INVAL),
    }
    // A host may refuse to follow here.
    match path_link(dir, lookup::FOLLOW, "link", dir, "made") {
        Ok(()) => {
            let stat = ok!(path_filestat_get(dir, lookup::NO_FOLLOW, "made"));
            same!(stat.filetype, filetype::REGULAR_FILE);
            check!(contains(dir, "made", b"0123456789"), "it is the target's bytes");
            ok!(path_unlink_file(dir, "made"));
        }
        refused => fails!(refused, INVAL | NOTSUP),
    }
    ok!(path_unlink_file(dir, "link"));

    ok!(path_symlink("nowhere", dir, "link"));
    fails!(path_link(dir, lookup::NO_FOLLOW, "digits.txt", dir, "link"), EXIST);
    ok!(path_unlink_file(dir, "link"));
    ok!(path_symlink("..", dir, "out"));
    escapes!(path_link(dir, lookup::NO_FOLLOW, "out/fs.dir/digits.txt", dir, "made"));
    escapes!(path_link(dir, lookup::NO_FOLLOW, "digits.txt", dir, "out/made"));
    ok!(path_unlink_file(dir, "out"));
    check!(!exists(dir, "made"), "nothing was made");
}
