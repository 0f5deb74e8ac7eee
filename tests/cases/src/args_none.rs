//! Without arguments there is still the program's name, and nothing of the outside.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let (mut count, mut bytes) = (99, 99);
    same!(unsafe { raw::args_sizes_get(&mut count, &mut bytes) }, 0);
    same!(count, 1);
    check!(bytes > 1, "the name is not empty");
    same!(unsafe { raw::environ_sizes_get(&mut count, &mut bytes) }, 0);
    same!(count, 0);
    same!(bytes, 0);
    same!(unsafe { raw::environ_get(core::ptr::dangling_mut(), core::ptr::dangling_mut()) }, 0);
}
