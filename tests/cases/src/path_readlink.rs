//! `path_readlink`: the text of a link, as much as fits, without NUL.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    for target in ["digits.txt", "nowhere/at/all", "../outside", ".", "ü"] {
        ok!(path_symlink(target, dir, "link"));
        let mut buf = [b'?'; 32];
        same!(ok!(path_readlink(dir, "link", &mut buf)), target.len());
        check!(buf.starts_with(target.as_bytes()), "the link's text");
        check!(buf[target.len()..].iter().all(|byte| *byte == b'?'), "and nothing after it");
        ok!(path_unlink_file(dir, "link"));
    }

    ok!(path_symlink("0123456789", dir, "sub/link"));
    let mut buf = [b'?'; 12];
    same!(ok!(path_readlink(dir, "sub/link", &mut buf[..10])), 10);
    check!(buf == *b"0123456789??", "a buffer that fits exactly");
    buf = [b'?'; 12];
    same!(ok!(path_readlink(dir, "sub/link", &mut buf[..4])), 4);
    check!(buf == *b"0123????????", "a short buffer gets the beginning");
    ok!(path_symlink("sub", dir, "way"));
    same!(ok!(path_readlink(dir, "way/../sub/link", &mut buf)), 10);
    same!(ok!(path_readlink(dir, "way/link", &mut buf)), 10);
    ok!(path_unlink_file(dir, "way"));
    ok!(path_unlink_file(dir, "sub/link"));
    refusals(dir);
}

fn refusals(dir: Fd) {
    let mut buf = [b'?'; 12];
    fails!(path_readlink(dir, "digits.txt", &mut buf), INVAL);
    fails!(path_readlink(dir, "sub", &mut buf), INVAL);
    fails!(path_readlink(dir, "nowhere", &mut buf), NOENT);
    fails!(path_readlink(dir, "", &mut buf), NOENT | INVAL);
    fails!(path_readlink(dir, "digits.txt/link", &mut buf), NOTDIR);
    fails!(path_readlink(dir, [b'x'; 300], &mut buf), NAMETOOLONG);
    fails!(path_readlink(dir, b"\xff", &mut buf), ILSEQ);
    fails!(path_readlink(dir, b"a\0b", &mut buf), INVAL | ILSEQ);
    escapes!(path_readlink(dir, "../link", &mut buf));
    escapes!(path_readlink(dir, "/link", &mut buf));
    fails!(path_readlink(NOT_OPEN, "link", &mut buf), BADF);
    let file = ok!(open(dir, "digits.txt", read_only(0)));
    fails!(path_readlink(file, "link", &mut buf), NOTDIR | BADF | NOTCAPABLE);
    ok!(fd_close(file));
    check!(buf == [b'?'; 12], "nothing was written");
}
