//! Two preopened folders: each has its name and its files, and calls of two paths go from one to the other.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let (Some(fs), Some(other)) = (preopened("fs.dir"), preopened("other.dir")) else {
        return check!(false, "both folders are preopened");
    };
    check!(fs == 3 && other == 4, "they come in the order given, from 3 on");
    fails!(fd_prestat_get(5), BADF);
    check!(contains(fs, "digits.txt", b"0123456789"), "a file of the first");
    check!(contains(other, "other.txt", b"other"), "a file of the second");
    check!(!exists(fs, "other.txt") && !exists(other, "digits.txt"), "the folders are not one");
    escapes!(open(fs, "../other.dir/other.txt", read_only(0)));
    escapes!(path_filestat_get(other, lookup::FOLLOW, "../fs.dir/digits.txt"));

    make(fs, "made", b"moves");
    ok!(path_rename(fs, "made", other, "moved"));
    check!(!exists(fs, "made"), "it is no longer here");
    check!(contains(other, "moved", b"moves"), "it is there");
    ok!(path_link(other, lookup::NO_FOLLOW, "moved", fs, "linked"));
    check!(contains(fs, "linked", b"moves"), "a link from one folder to the other");
    same!(ok!(path_filestat_get(other, lookup::NO_FOLLOW, "moved")).nlink, 2);
    ok!(path_unlink_file(fs, "linked"));
    ok!(path_unlink_file(other, "moved"));

    // A link from one folder into the other would leave the first.
    ok!(path_symlink("../other.dir/other.txt", fs, "link"));
    escapes!(open(fs, "link", How { lookup: lookup::FOLLOW, ..read_only(0) }));
    ok!(path_unlink_file(fs, "link"));
    ok!(fd_close(fs));
    check!(contains(other, "other.txt", b"other"), "closing one leaves the other");
}
