//! `path_open` by paths of all kinds: those that stay in the folder, and those that leave it or are none.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    let inside: [(&str, &[u8]); 8] = [
        ("digits.txt", b"0123456789"),
        ("./digits.txt", b"0123456789"),
        ("sub/../digits.txt", b"0123456789"),
        ("sub/deep/../../digits.txt", b"0123456789"),
        ("sub//inner.txt", b"inner"),
        (".//sub/./inner.txt", b"inner"),
        ("sub/deep/../inner.txt", b"inner"),
        ("sub/../sub/deep/leaf.txt", b"leaf"),
    ];
    for (path, bytes) in inside {
        check!(contains(dir, path, bytes), path);
    }
    for path in ["/", "/digits.txt", "//digits.txt", "..", "../", "../fs.dir", "../fs.dir/digits.txt"] {
        escapes!(open(dir, path, read_only(0)));
    }
    for path in
        ["sub/../..", "sub/../../fs.dir/digits.txt", "./../fs.dir/digits.txt", "sub/deep/../../../fs.dir"]
    {
        escapes!(open(dir, path, read_only(0)));
    }
    escapes!(open(dir, "../made", read_write(oflags::CREAT)));
    escapes!(open(dir, "/made", read_write(oflags::CREAT)));
    // Whether something is there or not, outside is not told.
    escapes!(open(dir, "../nowhere", read_only(0)));
    escapes!(open(dir, "/nowhere", read_only(0)));

    from_a_folder_inside(dir);
    no_paths(dir);
}

/// What is opened in a folder stays in that one, though the one above is preopened.
fn from_a_folder_inside(dir: Fd) {
    let sub = ok!(open(dir, "sub", read_only(oflags::DIRECTORY)));
    check!(contains(sub, "inner.txt", b"inner"), "a file of the folder");
    check!(contains(sub, "deep/leaf.txt", b"leaf"), "a file below it");
    escapes!(open(sub, "..", read_only(0)));
    escapes!(open(sub, "../digits.txt", read_only(0)));
    escapes!(open(sub, "deep/../../digits.txt", read_only(0)));
    let deep = ok!(open(sub, "deep", read_only(oflags::DIRECTORY)));
    ok!(fd_close(sub));
    check!(contains(deep, "leaf.txt", b"leaf"), "a folder needs not the one it was opened in");
    ok!(fd_close(deep));
}

fn no_paths(dir: Fd) {
    fails!(open(dir, "", read_only(0)), NOENT);
    fails!(open(dir, "nowhere", read_only(0)), NOENT);
    fails!(open(dir, "nowhere/", read_only(0)), NOENT);
    fails!(open(dir, "nowhere/../digits.txt", read_only(0)), NOENT);
    fails!(open(dir, "digits.txt/", read_only(0)), NOTDIR);
    fails!(open(dir, "digits.txt/.", read_only(0)), NOTDIR);
    fails!(open(dir, "digits.txt/..", read_only(0)), NOTDIR);
    fails!(open(dir, "digits.txt/../digits.txt", read_only(0)), NOTDIR);
    fails!(open(dir, "digits.txt/file", read_only(0)), NOTDIR);
    fails!(open(dir, b"\0", read_only(0)), INVAL | ILSEQ);
    fails!(open(dir, b"digits.txt\0", read_only(0)), INVAL | ILSEQ);
    fails!(open(dir, b"digits.txt\0.old", read_only(0)), INVAL | ILSEQ);
    fails!(open(dir, b"sub\0/inner.txt", read_only(0)), INVAL | ILSEQ);
    for path in [&b"\xff"[..], b"digits\xc3", b"\xed\xa0\x80", b"\xc0\xae\xc0\xae/file", b"sub/\x80"] {
        fails!(open(dir, path, read_only(0)), ILSEQ);
        fails!(open(dir, path, read_write(oflags::CREAT)), ILSEQ);
    }
    fails!(open(dir, [b'x'; 256], read_only(0)), NAMETOOLONG);
    fails!(open(dir, [b'x'; 256], read_write(oflags::CREAT)), NAMETOOLONG);
    fails!(open(dir, [b'x'; 5000], read_only(0)), NAMETOOLONG);
    fails!(open(NOT_OPEN, "digits.txt", read_only(0)), BADF);
    let file = ok!(open(dir, "digits.txt", read_only(0)));
    fails!(open(file, "digits.txt", read_only(0)), NOTDIR | BADF | NOTCAPABLE);
    fails!(open(file, ".", read_only(0)), NOTDIR | BADF | NOTCAPABLE);
    ok!(fd_close(file));

    // Names of other scripts are names like others.
    make(dir, "größe 大きさ.txt", b"ok");
    check!(contains(dir, "größe 大きさ.txt", b"ok"), "a name in UTF-8");
    ok!(path_unlink_file(dir, "größe 大きさ.txt"));
    let long = [b'x'; 255];
    make(dir, long, b"ok");
    ok!(path_unlink_file(dir, long));
}
