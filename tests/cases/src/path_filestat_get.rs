//! `path_filestat_get`: of a link itself, or of what it leads to.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    let stat = ok!(path_filestat_get(dir, lookup::NO_FOLLOW, "digits.txt"));
    same!(stat.filetype, filetype::REGULAR_FILE);
    same!(stat.size, 10);
    same!(stat.nlink, 1);
    for path in ["./digits.txt", "sub/../digits.txt", "sub/deep/../../digits.txt", "sub//..//digits.txt"] {
        same!(ok!(path_filestat_get(dir, lookup::FOLLOW, path)).ino, stat.ino);
    }
    let own = ok!(path_filestat_get(dir, lookup::FOLLOW, "."));
    same!(own.filetype, filetype::DIRECTORY);
    same!(own.ino, ok!(fd_filestat_get(dir)).ino);
    same!(ok!(path_filestat_get(dir, lookup::FOLLOW, "sub/..")).ino, own.ino);
    same!(ok!(path_filestat_get(dir, lookup::NO_FOLLOW, "sub/")).filetype, filetype::DIRECTORY);

    links(dir, stat.ino);
    refusals(dir);
}

fn links(dir: Fd, digits: u64) {
    ok!(path_symlink("../digits.txt", dir, "sub/link"));
    let stat = ok!(path_filestat_get(dir, lookup::NO_FOLLOW, "sub/link"));
    same!(stat.filetype, filetype::SYMBOLIC_LINK);
    same!(stat.size, "../digits.txt".len());
    check!(stat.ino != digits, "a link is a file of its own");
    let stat = ok!(path_filestat_get(dir, lookup::FOLLOW, "sub/link"));
    same!(stat.filetype, filetype::REGULAR_FILE);
    same!(stat.ino, digits);
    ok!(path_unlink_file(dir, "sub/link"));

    // Links on the way are followed, whatever the flag says of the last.
    ok!(path_symlink("sub/deep", dir, "way"));
    same!(ok!(path_filestat_get(dir, lookup::NO_FOLLOW, "way/leaf.txt")).size, 4);
    same!(ok!(path_filestat_get(dir, lookup::NO_FOLLOW, "way/../inner.txt")).size, 5);
    same!(ok!(path_filestat_get(dir, lookup::FOLLOW, "way")).filetype, filetype::DIRECTORY);
    same!(ok!(path_filestat_get(dir, lookup::NO_FOLLOW, "way")).filetype, filetype::SYMBOLIC_LINK);
    // POSIX: with a slash at the end, the link is followed.
    same!(ok!(path_filestat_get(dir, lookup::NO_FOLLOW, "way/")).filetype, filetype::DIRECTORY);
    ok!(path_unlink_file(dir, "way"));

    ok!(path_symlink("nowhere", dir, "dangling"));
    same!(ok!(path_filestat_get(dir, lookup::NO_FOLLOW, "dangling")).filetype, filetype::SYMBOLIC_LINK);
    fails!(path_filestat_get(dir, lookup::FOLLOW, "dangling"), NOENT);
    ok!(path_unlink_file(dir, "dangling"));

    ok!(path_symlink("loop", dir, "loop"));
    same!(ok!(path_filestat_get(dir, lookup::NO_FOLLOW, "loop")).filetype, filetype::SYMBOLIC_LINK);
    fails!(path_filestat_get(dir, lookup::FOLLOW, "loop"), LOOP);
    fails!(path_filestat_get(dir, lookup::NO_FOLLOW, "loop/file"), LOOP);
    ok!(path_unlink_file(dir, "loop"));

    ok!(path_symlink("../..", dir, "sub/out"));
    ok!(path_filestat_get(dir, lookup::NO_FOLLOW, "sub/out"));
    escapes!(path_filestat_get(dir, lookup::FOLLOW, "sub/out"));
    escapes!(path_filestat_get(dir, lookup::NO_FOLLOW, "sub/out/fs.dir"));
    ok!(path_unlink_file(dir, "sub/out"));
}

fn refusals(dir: Fd) {
    for flags in [lookup::NO_FOLLOW, lookup::FOLLOW] {
        fails!(path_filestat_get(dir, flags, "nowhere"), NOENT);
        fails!(path_filestat_get(dir, flags, "nowhere/file"), NOENT);
        fails!(path_filestat_get(dir, flags, "nowhere/../digits.txt"), NOENT);
        fails!(path_filestat_get(dir, flags, ""), NOENT);
        fails!(path_filestat_get(dir, flags, "digits.txt/"), NOTDIR);
        fails!(path_filestat_get(dir, flags, "digits.txt/."), NOTDIR);
        fails!(path_filestat_get(dir, flags, "digits.txt/../digits.txt"), NOTDIR);
        fails!(path_filestat_get(dir, flags, [b'x'; 300]), NAMETOOLONG);
        fails!(path_filestat_get(dir, flags, b"digits.txt\0"), INVAL | ILSEQ);
        fails!(path_filestat_get(dir, flags, b"digits\xc3"), ILSEQ);
        escapes!(path_filestat_get(dir, flags, "/"));
        escapes!(path_filestat_get(dir, flags, "/digits.txt"));
        escapes!(path_filestat_get(dir, flags, ".."));
        escapes!(path_filestat_get(dir, flags, "../fs.dir/digits.txt"));
        escapes!(path_filestat_get(dir, flags, "sub/../../fs.dir"));
        fails!(path_filestat_get(NOT_OPEN, flags, "digits.txt"), BADF);
    }
    let file = ok!(open(dir, "digits.txt", read_only(0)));
    fails!(path_filestat_get(file, lookup::FOLLOW, "digits.txt"), NOTDIR | BADF | NOTCAPABLE);
    ok!(fd_close(file));
}
