//! Many folders inside each other, by one path and by a descriptor each, up and down.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

const DEPTH: usize = 40;

/// The path `levels` folders down.
fn down(levels: usize) -> ([u8; 2 * DEPTH], usize) {
    let mut path = [b'/'; 2 * DEPTH];
    for level in 0..levels {
        path[2 * level] = b'a' + (level % 26) as u8;
    }
    (path, 2 * levels - 1)
}

fn run() {
    let dir = scratch();
    for levels in 1..=DEPTH {
        let (path, len) = down(levels);
        ok!(path_create_directory(dir, &path[..len]));
    }
    let (path, len) = down(DEPTH);
    let deepest = ok!(open(dir, &path[..len], read_only(oflags::DIRECTORY)));
    make(deepest, "file", b"deep");

    // All the way down and up again, and once more than there is.
    let mut long = [b'.'; 2 * DEPTH + 3 * DEPTH + 16];
    long[..2 * DEPTH].copy_from_slice(&path);
    long[2 * DEPTH - 1] = b'/';
    for up in 0..DEPTH {
        long[2 * DEPTH + 3 * up + 2] = b'/';
    }
    let end = 5 * DEPTH;
    long[end..end + 10].copy_from_slice(b"digits.txt");
    check!(contains(dir, &long[..end + 10], b"0123456789"), "as many up as down");
    long[end..end + 13].copy_from_slice(b"../digits.txt");
    escapes!(open(dir, &long[..end + 13], read_only(0)));

    let mut fd = dir;
    for level in 0..DEPTH {
        let next = ok!(open(fd, &path[2 * level..=2 * level], read_only(oflags::DIRECTORY)));
        if fd != dir {
            ok!(fd_close(fd));
        }
        fd = next;
    }
    same!(ok!(fd_filestat_get(fd)).ino, ok!(fd_filestat_get(deepest)).ino);
    check!(contains(fd, "file", b"deep"), "the same file by each folder");
    ok!(fd_close(fd));
    ok!(path_unlink_file(deepest, "file"));
    ok!(fd_close(deepest));
    for levels in (1..=DEPTH).rev() {
        let (path, len) = down(levels);
        ok!(path_remove_directory(dir, &path[..len]));
    }
}
