//! Without a preopened folder there is no descriptor from 3 on, and nothing to begin a path at.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    for fd in 3..10 {
        fails!(fd_prestat_get(fd), BADF);
        fails!(fd_fdstat_get(fd), BADF);
        fails!(path_open(fd, "digits.txt", read_only(0)), BADF);
        fails!(path_filestat_get(fd, lookup::FOLLOW, "."), BADF);
    }
    for fd in 0..3 {
        fails!(path_open(fd, "digits.txt", read_only(0)), BADF | NOTDIR | NOTCAPABLE);
        fails!(path_filestat_get(fd, lookup::FOLLOW, "."), BADF | NOTDIR | NOTCAPABLE);
    }
}
