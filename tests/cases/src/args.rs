//! `args_sizes_get` and `args_get`: each argument ended by NUL, in order, at the place its pointer says.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

const EXPECTED: [&str; 5] = ["one", "", "two words", "-x=\"3\"", "grüße"];

fn run() {
    let (mut count, mut bytes) = (0, 0);
    same!(unsafe { raw::args_sizes_get(&mut count, &mut bytes) }, 0);
    same!(count, EXPECTED.len() + 1);
    if count != EXPECTED.len() + 1 {
        return;
    }

    let mut list = [core::ptr::null_mut(); EXPECTED.len() + 1];
    let mut buf = [b'?'; 256];
    check!(bytes < buf.len(), "the arguments have fewer bytes");
    same!(unsafe { raw::args_get(list.as_mut_ptr(), buf.as_mut_ptr()) }, 0);
    check!(buf[bytes..].iter().all(|byte| *byte == b'?'), "nothing is written past the size told");

    let base = buf.as_ptr() as usize;
    let mut total = 0;
    for (index, start) in list.iter().enumerate() {
        let start = *start as usize - base;
        let len = buf[start..bytes].iter().position(|byte| *byte == 0).unwrap_or(0);
        let text = &buf[start..start + len];
        total += len + 1;
        match index {
            0 => check!(text.ends_with(b"args.wasm"), "the first is the program's name"),
            _ => check!(*text == *EXPECTED[index - 1].as_bytes(), "the arguments come in order"),
        }
    }
    same!(bytes, total);
}
