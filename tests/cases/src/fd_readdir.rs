//! `fd_readdir`: each entry once with its type and its inode, `.` and `..` among them.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn run() {
    let dir = scratch();
    ok!(path_create_directory(dir, "folder"));
    make(dir, "folder/file", b"x");
    ok!(path_create_directory(dir, "folder/sub"));
    ok!(path_symlink("file", dir, "folder/link"));
    let fd = ok!(open(dir, "folder", read_only(oflags::DIRECTORY)));
    entries(dir, fd);
    again(fd);

    ok!(fd_close(fd));
    fails!(fd_readdir(fd, &mut [0; 64], 0), BADF);
    fails!(fd_readdir(NOT_OPEN, &mut [0; 64], 0), BADF);
    fails!(fd_readdir(0, &mut [0; 64], 0), BADF | NOTDIR | NOTCAPABLE);
    let file = ok!(open(dir, "digits.txt", read_only(0)));
    fails!(fd_readdir(file, &mut [0; 64], 0), BADF | NOTDIR | NOTCAPABLE);
    ok!(fd_close(file));

    ok!(path_unlink_file(dir, "folder/file"));
    ok!(path_unlink_file(dir, "folder/link"));
    ok!(path_remove_directory(dir, "folder/sub"));
    ok!(path_remove_directory(dir, "folder"));
}

const NAMES: [(&str, u8); 5] = [
    (".", filetype::DIRECTORY),
    ("..", filetype::DIRECTORY),
    ("file", filetype::REGULAR_FILE),
    ("sub", filetype::DIRECTORY),
    ("link", filetype::SYMBOLIC_LINK),
];

fn entries(dir: Fd, fd: Fd) {
    let mut buf = [0; 512];
    let used = ok!(fd_readdir(fd, &mut buf, 0));
    same!(used, NAMES.len() * DIRENT_BYTES + ".....filesublink".len() - 2);
    let mut seen = [0; NAMES.len()];
    let mut at = 0;
    while at + DIRENT_BYTES <= used {
        let entry = &buf[at..used];
        let len = number(&entry[16..20]) as usize;
        let name = &entry[DIRENT_BYTES..DIRENT_BYTES + len];
        let Some(index) = NAMES.iter().position(|(known, _)| known.as_bytes() == name) else {
            return check!(false, "an entry of another name");
        };
        seen[index] += 1;
        same!(entry[20], NAMES[index].1);
        if name != b".." {
            let stat = ok!(path_filestat_get(fd, lookup::NO_FOLLOW, name));
            same!(number(&entry[8..16]), stat.ino);
        }
        at += DIRENT_BYTES + len;
    }
    same!(at, used);
    check!(seen == [1; NAMES.len()], "each entry comes once");
    let own = ok!(path_filestat_get(dir, lookup::NO_FOLLOW, "folder")).ino;
    check!(own == ok!(fd_filestat_get(fd)).ino, "`.` is the folder itself");
}

/// Reading does not use the folder up, and a cookie of 0 begins anew with what is there by then.
fn again(fd: Fd) {
    let mut buf = [0; 512];
    let before = ok!(fd_readdir(fd, &mut buf, 0));
    same!(ok!(fd_readdir(fd, &mut buf, 0)), before);
    make(fd, "new", b"");
    same!(ok!(fd_readdir(fd, &mut buf, 0)), before + DIRENT_BYTES + 3);
    ok!(path_unlink_file(fd, "new"));
    same!(ok!(fd_readdir(fd, &mut buf, 0)), before);
    // No room: nothing is given, and that fills the buffer.
    same!(ok!(fd_readdir(fd, &mut [], 0)), 0);
}
