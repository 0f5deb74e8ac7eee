//! `path_create_directory`: makes an empty folder where nothing is.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    ok!(path_create_directory(dir, "folder"));
    let stat = ok!(path_filestat_get(dir, lookup::NO_FOLLOW, "folder"));
    same!(stat.filetype, filetype::DIRECTORY);
    ok!(path_create_directory(dir, "folder/inside"));
    ok!(path_create_directory(dir, "folder/../folder/./other"));
    ok!(path_create_directory(dir, "slash/"));
    check!(
        exists(dir, "folder/inside") && exists(dir, "folder/other") && exists(dir, "slash"),
        "all are there"
    );
    let sub = ok!(open(dir, "folder", read_only(oflags::DIRECTORY)));
    ok!(path_create_directory(sub, "from-inside"));
    ok!(path_remove_directory(dir, "folder/from-inside"));
    ok!(fd_close(sub));
    for name in ["folder/inside", "folder/other", "folder", "slash"] {
        ok!(path_remove_directory(dir, name));
    }

    refusals(dir);
    ok!(path_symlink("nowhere", dir, "link"));
    fails!(path_create_directory(dir, "link"), EXIST);
    check!(!exists(dir, "nowhere"), "nothing is made behind a link");
    ok!(path_unlink_file(dir, "link"));
}

fn refusals(dir: Fd) {
    fails!(path_create_directory(dir, "sub"), EXIST);
    fails!(path_create_directory(dir, "sub/"), EXIST);
    fails!(path_create_directory(dir, "digits.txt"), EXIST);
    fails!(path_create_directory(dir, "."), EXIST | INVAL);
    fails!(path_create_directory(dir, "sub/.."), EXIST | INVAL | NOTEMPTY);
    fails!(path_create_directory(dir, ""), NOENT);
    fails!(path_create_directory(dir, "nowhere/folder"), NOENT);
    fails!(path_create_directory(dir, "digits.txt/folder"), NOTDIR);
    fails!(path_create_directory(dir, [b'x'; 300]), NAMETOOLONG);
    fails!(path_create_directory(dir, b"nul\0nul"), INVAL | ILSEQ);
    fails!(path_create_directory(dir, b"\xff\xfe"), ILSEQ);
    escapes!(path_create_directory(dir, "/folder"));
    escapes!(path_create_directory(dir, "../folder"));
    escapes!(path_create_directory(dir, "sub/../../folder"));
    escapes!(path_create_directory(dir, ".."));
    fails!(path_create_directory(NOT_OPEN, "folder"), BADF);
    let file = ok!(open(dir, "digits.txt", read_only(0)));
    fails!(path_create_directory(file, "folder"), NOTDIR | BADF | NOTCAPABLE);
    ok!(fd_close(file));
    check!(!exists(dir, "folder"), "nothing was made");
}
