//! `path_filestat_set_times`: as for a descriptor, of a link itself or of what it leads to.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

const SECOND: u64 = 1_000_000_000;
/// In 2001.
const LONG_AGO: u64 = 1_000_000_000 * SECOND;

fn run() {
    let dir = scratch();
    make(dir, "made", b"x");
    let stat = |path| ok!(path_filestat_get(dir, lookup::NO_FOLLOW, path));
    let set =
        |path, atim, mtim, flags| path_filestat_set_times(dir, lookup::NO_FOLLOW, path, atim, mtim, flags);
    ok!(set("made", 5 * SECOND, 7 * SECOND, fst::ATIM | fst::MTIM));
    same!(stat("made").atim, 5 * SECOND);
    same!(stat("made").mtim, 7 * SECOND);
    ok!(set("made", 0, 9 * SECOND, fst::MTIM));
    same!(stat("made").atim, 5 * SECOND);
    same!(stat("made").mtim, 9 * SECOND);
    ok!(set("made", 0, 0, fst::ATIM_NOW));
    check!(stat("made").atim > LONG_AGO, "now is after 2001");
    same!(stat("made").mtim, 9 * SECOND);
    ok!(set("made", 0, 0, 0));
    same!(stat("made").mtim, 9 * SECOND);
    fails!(set("made", 1, 1, fst::ATIM | fst::ATIM_NOW), INVAL);
    fails!(set("made", 1, 1, fst::MTIM | fst::MTIM_NOW), INVAL);
    same!(stat("made").mtim, 9 * SECOND);

    ok!(set("sub", LONG_AGO, LONG_AGO, fst::ATIM | fst::MTIM));
    same!(stat("sub").mtim, LONG_AGO);
    link(dir);
    ok!(path_unlink_file(dir, "made"));

    fails!(set("nowhere", 0, 0, fst::MTIM_NOW), NOENT);
    fails!(set("", 0, 0, fst::MTIM_NOW), NOENT);
    fails!(set("digits.txt/", 0, 0, fst::MTIM_NOW), NOTDIR);
    fails!(path_filestat_set_times(dir, 0, b"\xff", 0, 0, fst::MTIM_NOW), ILSEQ);
    fails!(path_filestat_set_times(dir, 0, [b'x'; 300], 0, 0, fst::MTIM_NOW), NAMETOOLONG);
    escapes!(set("..", 0, 0, fst::MTIM_NOW));
    escapes!(set("/", 0, 0, fst::MTIM_NOW));
    fails!(path_filestat_set_times(NOT_OPEN, 0, "made", 0, 0, fst::MTIM), BADF);
}

fn link(dir: Fd) {
    let mtim = |flags, path| ok!(path_filestat_get(dir, flags, path)).mtim;
    ok!(path_symlink("made", dir, "link"));
    ok!(path_filestat_set_times(dir, lookup::FOLLOW, "link", 0, 11 * SECOND, fst::MTIM));
    same!(mtim(lookup::NO_FOLLOW, "made"), 11 * SECOND);
    check!(mtim(lookup::NO_FOLLOW, "link") > LONG_AGO, "the link itself was made now");
    ok!(path_filestat_set_times(dir, lookup::NO_FOLLOW, "link", 0, 13 * SECOND, fst::MTIM));
    same!(mtim(lookup::NO_FOLLOW, "link"), 13 * SECOND);
    same!(mtim(lookup::FOLLOW, "link"), 11 * SECOND);
    ok!(path_unlink_file(dir, "link"));
    ok!(path_symlink("..", dir, "out"));
    escapes!(path_filestat_set_times(dir, lookup::FOLLOW, "out", 0, 0, fst::MTIM));
    ok!(path_unlink_file(dir, "out"));
}
