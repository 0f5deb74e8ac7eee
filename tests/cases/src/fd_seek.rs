//! `fd_seek` and `fd_tell`: from each base, not before the start, past the end if asked.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    let fd = ok!(open(dir, "digits.txt", read_only(0)));
    let mut buf = [0; 2];
    same!(ok!(fd_tell(fd)), 0);
    same!(ok!(fd_seek(fd, 6, whence::SET)), 6);
    same!(ok!(fd_tell(fd)), 6);
    same!(ok!(fd_read(fd, &mut buf)), 2);
    check!(buf == *b"67", "a read is at the new position");
    same!(ok!(fd_seek(fd, -3, whence::CUR)), 5);
    same!(ok!(fd_seek(fd, 0, whence::CUR)), 5);
    same!(ok!(fd_seek(fd, 2, whence::CUR)), 7);
    same!(ok!(fd_seek(fd, -1, whence::END)), 9);
    same!(ok!(fd_read(fd, &mut buf)), 1);
    same!(buf[0], b'9');
    same!(ok!(fd_seek(fd, 0, whence::END)), 10);
    same!(ok!(fd_seek(fd, 90, whence::END)), 100);
    same!(ok!(fd_tell(fd)), 100);
    same!(ok!(fd_read(fd, &mut buf)), 0);
    same!(ok!(fd_filestat_get(fd)).size, 10);

    same!(ok!(fd_seek(fd, 4, whence::SET)), 4);
    fails!(fd_seek(fd, -1, whence::SET), INVAL);
    fails!(fd_seek(fd, i64::MIN, whence::SET), INVAL);
    fails!(fd_seek(fd, -5, whence::CUR), INVAL);
    fails!(fd_seek(fd, -11, whence::END), INVAL);
    fails!(fd_seek(fd, i64::MIN, whence::CUR), INVAL);
    same!(ok!(fd_tell(fd)), 4);
    past_all_files(fd);
    same!(ok!(fd_seek(fd, 4, whence::SET)), 4);
    same!(ok!(fd_seek(fd, -4, whence::CUR)), 0);
    ok!(fd_close(fd));

    fails!(fd_seek(fd, 0, whence::SET), BADF);
    fails!(fd_tell(fd), BADF);
    fails!(fd_seek(NOT_OPEN, 0, whence::SET), BADF);
    fails!(fd_tell(NOT_OPEN), BADF);
    fails!(fd_seek(dir, 1, whence::SET), BADF | ISDIR | INVAL | SPIPE | NOTCAPABLE);
    fails!(fd_tell(dir), BADF | ISDIR | INVAL | SPIPE | NOTCAPABLE);
    for stream in 0..=2 {
        fails!(fd_seek(stream, 0, whence::SET), SPIPE | NOTCAPABLE);
        fails!(fd_seek(stream, 0, whence::CUR), SPIPE | NOTCAPABLE);
        fails!(fd_tell(stream), SPIPE | NOTCAPABLE);
    }
}

/// `filesize` has 64 bits and POSIX's `off_t` has 63: a host may go there, or refuse and stay.
fn past_all_files(fd: Fd) {
    for (whence, from) in [(whence::CUR, 4), (whence::END, 10)] {
        same!(ok!(fd_seek(fd, 4, whence::SET)), 4);
        match fd_seek(fd, i64::MAX, whence) {
            Ok(at) => same!(at, i64::MAX as u64 + from),
            refused => {
                fails!(refused, INVAL | OVERFLOW);
                same!(ok!(fd_tell(fd)), 4);
            }
        }
    }
}
