//! `fd_readdir` over more entries than a buffer holds: cookies go on where a cut entry was, buffers are full
//! until the end, and each of the entries comes once.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

const FILES: usize = 200;

fn name(index: usize) -> [u8; 12] {
    let mut name = *b"file-number?";
    name[4..7].copy_from_slice(&[
        b'0' + (index / 100) as u8,
        b'0' + (index / 10 % 10) as u8,
        b'0' + (index % 10) as u8,
    ]);
    name
}

/// Which file has this name.
fn index(text: &[u8]) -> Option<usize> {
    let digits = text.get(4..7)?;
    let index = digits.iter().fold(0, |sum, digit| 10 * sum + usize::from(digit.wrapping_sub(b'0')));
    (index < FILES && text == name(index)).then_some(index)
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn run() {
    let dir = scratch();
    ok!(path_create_directory(dir, "many"));
    let fd = ok!(open(dir, "many", read_only(oflags::DIRECTORY)));
    for index in 0..FILES {
        make(fd, name(index), b"");
    }
    for size in [36, 37, 59, 60, 100, 1000, 16384] {
        list(fd, size);
    }
    short(fd);
    past_the_end(fd);
    for index in 0..FILES {
        ok!(path_unlink_file(fd, name(index)));
    }
    ok!(fd_close(fd));
    ok!(path_remove_directory(dir, "many"));
}

/// Lists the folder through a buffer of `size` bytes.
fn list(fd: Fd, size: usize) {
    static mut BUFFER: [u8; 16384] = [0; 16384];
    let whole = unsafe { &mut *(&raw mut BUFFER) };
    let mut seen = [0u8; FILES];
    let (mut dots, mut cookie, mut calls) = (0, 0, 0);
    loop {
        whole.fill(b'?');
        let used = ok!(fd_readdir(fd, &mut whole[..size], cookie));
        check!(used <= size, "no more than the buffer holds");
        check!(whole[size..].iter().all(|byte| *byte == b'?'), "nothing is written behind the buffer");
        let mut at = 0;
        while let Some(head) = whole[..used].get(at..at + DIRENT_BYTES) {
            let len = number(&head[16..20]) as usize;
            let next = number(&head[..8]);
            let Some(text) = whole[..used].get(at + DIRENT_BYTES..at + DIRENT_BYTES + len) else { break };
            match index(text) {
                Some(index) => seen[index] += 1,
                None if text == b"." || text == b".." => dots += 1,
                None => return check!(false, "an entry of another name"),
            }
            at += DIRENT_BYTES + len;
            cookie = next;
        }
        calls += 1;
        if used < size || calls > 2 * FILES {
            break;
        }
    }
    same!(dots, 2);
    check!(seen == [1; FILES], "each entry comes once");
}

/// A buffer too short for an entry is filled with what of it fits.
fn short(fd: Fd) {
    for size in [1, 7, 23, 24] {
        let mut buf = [b'?'; 64];
        same!(ok!(fd_readdir(fd, &mut buf[..size], 0)), size);
        check!(buf[size..].iter().all(|byte| *byte == b'?'), "nothing is written behind the buffer");
    }
    let (mut one, mut two) = ([0; 64], [0; 64]);
    same!(ok!(fd_readdir(fd, &mut one, 0)), 64);
    same!(ok!(fd_readdir(fd, &mut two[..24], 0)), 24);
    check!(one[..24] == two[..24], "a cut entry is the beginning of the whole one");
}

/// The last entry's cookie is where there is nothing more.
fn past_the_end(fd: Fd) {
    let (mut buf, mut cookie) = ([0; 36], 0);
    for _ in 0..2 * FILES {
        let used = ok!(fd_readdir(fd, &mut buf, cookie));
        if used < DIRENT_BYTES {
            break;
        }
        cookie = number(&buf[..8]);
    }
    same!(ok!(fd_readdir(fd, &mut buf, cookie)), 0);
}
