//! Lookup flags that do not exist are `EINVAL`, wherever a path is looked up.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    for flags in [2, 1 << 31] {
        fails!(path_filestat_get(dir, flags, "digits.txt"), INVAL);
        fails!(path_filestat_set_times(dir, flags, "digits.txt", 0, 0, fst::MTIM_NOW), INVAL);
        fails!(path_link(dir, flags, "digits.txt", dir, "made"), INVAL);
        fails!(open(dir, "digits.txt", How { lookup: flags, ..read_only(0) }), INVAL);
    }
    check!(!exists(dir, "made"), "a refused link is not made");
}
