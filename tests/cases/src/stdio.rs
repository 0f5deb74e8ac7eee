//! The standard streams: what they are, that they are no terminal when piped, and what is written comes out in
//! order.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    for fd in 0..3 {
        let stat = ok!(fd_fdstat_get(fd));
        // This is how a C library tells a terminal.
        let positions = rights::FD_SEEK | rights::FD_TELL;
        let terminal = stat.filetype == filetype::CHARACTER_DEVICE && stat.base & positions == 0;
        check!(!terminal, "a stream that is piped is no terminal");
        check!(stat.filetype != filetype::DIRECTORY, "a stream is no folder");
        let direction = if fd == 0 { rights::FD_READ } else { rights::FD_WRITE };
        same!(stat.base & direction, direction);
        ok!(fd_filestat_get(fd));
        fails!(path_open(fd, "digits.txt", read_only(0)), BADF | NOTDIR | NOTCAPABLE);
    }
    same!(ok!(fd_read(0, &mut [0; 8])), 0);

    write_all(1, b"one ");
    write_all(2, b"error ");
    write_all(1, "zwölf".as_bytes());
    same!(ok!(fd_write(1, b"")), 0);
    same!(ok!(fd_writev(1, &[])), 0);
    let mut text: &[u8] = b" a\nb\n";
    // A list of buffers may be written in part; what is told is what comes out.
    while !text.is_empty() {
        let (first, second) = text.split_at(text.len() / 2);
        let list = [first, second].map(|part| Iovec { buf: part.as_ptr(), len: part.len() });
        let n = ok!(fd_writev(1, &list));
        check!(n > 0 && n <= text.len(), "something is written");
        text = &text[n.clamp(1, text.len())..];
    }
    write_all(2, b"stream\n");
}
