//! `path_open` with each combination of `creat`, `excl`, `trunc` and `directory`, on what is and what is not.
#![no_std]

#[macro_use]
mod wasi;
use oflags::{CREAT, DIRECTORY, EXCL, TRUNC};
use wasi::*;

fn run() {
    let dir = scratch();
    missing(dir);
    file(dir);
    folder(dir);
    all_of_them(dir);
}

/// Opens to write, closes, and says whether it is there; then it is removed.
fn created(dir: Fd, flags: u16) -> bool {
    let fd = ok!(open(dir, "new", read_write(flags)));
    same!(ok!(fd_filestat_get(fd)).size, 0);
    same!(ok!(fd_filestat_get(fd)).filetype, filetype::REGULAR_FILE);
    ok!(fd_close(fd));
    let made = exists(dir, "new");
    ok!(path_unlink_file(dir, "new"));
    made
}

fn missing(dir: Fd) {
    for flags in [CREAT, CREAT | EXCL, CREAT | TRUNC, CREAT | EXCL | TRUNC] {
        check!(created(dir, flags), "a new file is there when it is opened");
    }
    for flags in [0, TRUNC, DIRECTORY] {
        fails!(open(dir, "new", read_write(flags)), NOENT);
    }
    // A file that must be a folder: POSIX names no errno for it.
    for flags in [CREAT | DIRECTORY, CREAT | DIRECTORY | EXCL] {
        fails!(open(dir, "new", read_only(flags)), INVAL | NOENT | NOTDIR | ISDIR | NOTSUP);
    }
    check!(!exists(dir, "new"), "nothing was made");
    fails!(open(dir, "nowhere/new", read_write(CREAT)), NOENT);
    fails!(open(dir, "digits.txt/new", read_write(CREAT)), NOTDIR);
    fails!(open(dir, "new/", read_write(CREAT)), ISDIR | NOTDIR | NOENT | INVAL);
    check!(!exists(dir, "new"), "nothing was made");
}

fn file(dir: Fd) {
    make(dir, "made", b"bytes");
    for flags in [0, CREAT] {
        let fd = ok!(open(dir, "made", read_write(flags)));
        check!(holds(fd, 0, b"bytes"), "what is there stays");
        same!(ok!(fd_tell(fd)), 0);
        ok!(fd_close(fd));
    }
    for flags in [CREAT | EXCL, CREAT | EXCL | TRUNC] {
        fails!(open(dir, "made", read_write(flags)), EXIST);
    }
    for flags in [DIRECTORY, DIRECTORY | TRUNC] {
        fails!(open(dir, "made", read_write(flags)), NOTDIR | INVAL);
    }
    check!(contains(dir, "made", b"bytes"), "a refused open changes nothing");
    for flags in [TRUNC, CREAT | TRUNC] {
        let fd = ok!(open(dir, "made", read_write(flags)));
        same!(ok!(fd_filestat_get(fd)).size, 0);
        write_all(fd, b"bytes");
        ok!(fd_close(fd));
    }
    for flags in [0, CREAT, TRUNC] {
        fails!(open(dir, "made/", read_write(flags)), NOTDIR | ISDIR | INVAL);
    }
    check!(contains(dir, "made", b"bytes"), "a refused open changes nothing");
    ok!(path_unlink_file(dir, "made"));
}

fn folder(dir: Fd) {
    for path in ["sub", "sub/", "./sub/.", "."] {
        for flags in [0, DIRECTORY] {
            let fd = ok!(open(dir, path, read_only(flags)));
            same!(ok!(fd_fdstat_get(fd)).filetype, filetype::DIRECTORY);
            ok!(fd_close(fd));
        }
    }
    fails!(open(dir, "sub", read_write(TRUNC)), ISDIR | INVAL);
    fails!(open(dir, "sub", read_write(CREAT)), ISDIR | INVAL);
    fails!(open(dir, "sub", read_write(CREAT | EXCL)), EXIST);
    // Rights that no folder has may be left out, or the folder be refused.
    match open(dir, "sub", write_only(0)) {
        Ok(fd) => {
            fails!(fd_write(fd, b"x"), BADF | ISDIR | NOTCAPABLE);
            ok!(fd_close(fd));
        }
        refused => fails!(refused, ISDIR),
    }
    check!(contains(dir, "sub/inner.txt", b"inner"), "the folder is as it was");
}

/// All sixteen. `excl` means nothing without `creat`: POSIX leaves that open.
fn all_of_them(dir: Fd) {
    for flags in 0..16 {
        let has = |flag| flags & flag != 0;
        match open(dir, "new", read_write(flags)) {
            Ok(fd) => {
                check!(has(CREAT) && !has(DIRECTORY), "nothing is made unless asked, and no folder");
                ok!(fd_close(fd));
                ok!(path_unlink_file(dir, "new"));
            }
            refused => {
                check!(!has(CREAT) || has(DIRECTORY), "a file is made when asked");
                fails!(refused, NOENT | INVAL | NOTDIR | ISDIR | NOTSUP);
                check!(!exists(dir, "new"), "a refused open makes nothing");
            }
        }
        make(dir, "made", b"bytes");
        match open(dir, "made", read_write(flags)) {
            Ok(fd) => {
                check!(!has(DIRECTORY), "a file is no folder");
                check!(!(has(CREAT) && has(EXCL)), "the file is not new");
                check!(holds(fd, 0, if has(TRUNC) { b"" } else { b"bytes" }), "only `trunc` cuts it");
                ok!(fd_close(fd));
            }
            refused => {
                check!(has(DIRECTORY) || has(EXCL), "a file that is there can be opened");
                fails!(refused, EXIST | NOTDIR | INVAL | NOTSUP);
                check!(contains(dir, "made", b"bytes"), "a refused open changes nothing");
            }
        }
        ok!(path_unlink_file(dir, "made"));
    }
}
