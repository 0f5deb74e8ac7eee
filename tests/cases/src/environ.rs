//! `environ_sizes_get` and `environ_get`: exactly the variables given, `KEY=VALUE` with NUL, in any order.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

const EXPECTED: [&str; 4] = ["NAME=value", "EMPTY=", "EQUALS=a=b=", "UMLAUT=ü"];

fn run() {
    let (mut count, mut bytes) = (0, 0);
    same!(unsafe { raw::environ_sizes_get(&mut count, &mut bytes) }, 0);
    same!(count, EXPECTED.len());
    same!(bytes, EXPECTED.iter().map(|entry| entry.len() + 1).sum::<usize>());
    if count != EXPECTED.len() {
        return;
    }

    let mut list = [core::ptr::null_mut(); EXPECTED.len()];
    let mut buf = [b'?'; 256];
    same!(unsafe { raw::environ_get(list.as_mut_ptr(), buf.as_mut_ptr()) }, 0);
    check!(buf[bytes..].iter().all(|byte| *byte == b'?'), "nothing is written past the size told");

    let base = buf.as_ptr() as usize;
    for entry in EXPECTED {
        let found = list.iter().filter(|start| {
            let start = **start as usize - base;
            let end = start + entry.len();
            buf.get(start..end) == Some(entry.as_bytes()) && buf.get(end) == Some(&0)
        });
        check!(found.count() == 1, entry);
    }
}
