//! `random_get`: fills the whole buffer and nothing else, with other bytes each time.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    let mut buf = [b'?'; 80];
    ok!(random_get(&mut buf[8..8]));
    check!(buf == [b'?'; 80], "no bytes for no room");
    ok!(random_get(&mut buf[8..72]));
    check!(buf[..8] == [b'?'; 8] && buf[72..] == [b'?'; 8], "only the buffer is written");
    let mut other = [b'?'; 64];
    ok!(random_get(&mut other));
    check!(buf[8..72] != other, "two draws of 512 bits differ");
    // That one byte in particular stays is likely enough; that all halves of it do is not.
    for half in other.chunks(32) {
        check!(half.iter().any(|byte| *byte != b'?'), "the whole buffer is filled");
    }
    large();
}

fn large() {
    static mut BLOCK: [u8; 100_000] = [0; 100_000];
    let block = unsafe { &mut *(&raw mut BLOCK) };
    ok!(random_get(block));
    let mut counts = [0; 256];
    for byte in block.iter() {
        counts[usize::from(*byte)] += 1;
    }
    // Each is expected 391 times, with a deviation of 20: this fails by chance less than once in 10^20.
    check!(counts.iter().all(|count| (150..700).contains(count)), "each byte is about as frequent");
}
