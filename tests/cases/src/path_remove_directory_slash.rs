//! `path_remove_directory` of a path that ends with a slash: POSIX resolves it as the folder itself.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let dir = scratch();
    for path in ["folder/", "folder//"] {
        ok!(path_create_directory(dir, "folder"));
        ok!(path_remove_directory(dir, path));
        check!(!exists(dir, "folder"), "it is gone");
    }
}
