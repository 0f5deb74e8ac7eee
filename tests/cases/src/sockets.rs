//! `sock_accept`, `sock_recv`, `sock_send`, `sock_shutdown`: no descriptor here is a socket.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    let file = ok!(open(dir, "digits.txt", read_write(0)));
    let mut buf = [0; 8];
    for fd in [0, 1, dir, file] {
        fails!(sock_accept(fd, 0), NOTSOCK | NOTCAPABLE);
        fails!(sock_recv(fd, &mut buf), NOTSOCK | NOTCAPABLE);
        fails!(sock_send(fd, b"x"), NOTSOCK | NOTCAPABLE);
        fails!(sock_shutdown(fd, 1), NOTSOCK | NOTCAPABLE);
    }
    check!(holds(file, 0, b"0123456789"), "nothing is sent to a file");
    ok!(fd_close(file));
    for fd in [file, NOT_OPEN, u32::MAX] {
        fails!(sock_accept(fd, 0), BADF);
        fails!(sock_recv(fd, &mut buf), BADF);
        fails!(sock_send(fd, b"x"), BADF);
        fails!(sock_shutdown(fd, 2), BADF);
    }
}
