//! Programs for `wasi_unstable`, which came before preview1.

use crate::support::{TempDir, fuelbox_in, wat};

/// A program for the old interface that runs `body` and writes the `bytes` at 256 to stdout.
fn program(body: &str, bytes: u32) -> Vec<u8> {
    wat(&format!(
        r#"(module
        (import "wasi_unstable" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_unstable" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
        (import "wasi_unstable" "fd_filestat_get" (func $fdstat (param i32 i32) (result i32)))
        (import "wasi_unstable" "path_filestat_get" (func $stat (param i32 i32 i32 i32 i32) (result i32)))
        (import "wasi_unstable" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_unstable" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "file")
        (func $must (param i32) (if (local.get 0) (then unreachable)))
        (func $opened (result i32)
            (call $must (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0)
                (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 16)))
            (i32.load (i32.const 16)))
        (func (export "_start") {body}
            (i32.store (i32.const 32) (i32.const 256)) (i32.store (i32.const 36) (i32.const {bytes}))
            (call $must (call $write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 40)))))"#
    ))
}

/// What the program prints, in a folder with a file of ten bytes.
fn printed(body: &str, bytes: u32) -> Vec<u8> {
    let dir = TempDir::new();
    dir.write("file", "0123456789");
    dir.write("old.wasm", program(body, bytes));
    fuelbox_in(&dir.0, &["run", "--dir", ".", "old.wasm"], b"").expect(0).stdout
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

#[test]
fn offsets_count_from_where_the_old_numbers_say() {
    let position = |steps: &str| {
        u64_at(&printed(&format!("(local $fd i32) (local.set $fd (call $opened)) {steps}"), 8), 0)
    };
    let seek = |offset: i64, from: u32| {
        format!(
            "(call $must (call $seek (local.get $fd) (i64.const {offset}) (i32.const {from}) (i32.const 256)))"
        )
    };
    assert_eq!(position(&seek(4, 2)), 4, "from the start");
    assert_eq!(position(&(seek(4, 2) + &seek(3, 0))), 7, "from where it is");
    assert_eq!(position(&seek(-1, 1)), 9, "from the end");
    let wrong = "(local $fd i32) (local.set $fd (call $opened))
        (i64.store (i32.const 256) (i64.extend_i32_u (call $seek (local.get $fd) (i64.const 0) (i32.const 3) (i32.const 264))))";
    assert_eq!(u64_at(&printed(wrong, 8), 0), 28, "EINVAL");
}

#[test]
fn a_filestat_has_56_bytes() {
    let mark = "(i64.store (i32.const 312) (i64.const -1))";
    for stat in [
        "(call $must (call $fdstat (call $opened) (i32.const 256)))",
        "(call $must (call $stat (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 256)))",
    ] {
        let found = printed(&format!("{mark} {stat}"), 64);
        assert_eq!((found[16], &found[20..24], u64_at(&found, 24)), (4, &[1, 0, 0, 0][..], 10), "{stat}");
        assert!(u64_at(&found, 40) > 1_500_000_000_000_000_000, "the time of the last change");
        assert_eq!(u64_at(&found, 56), u64::MAX, "nothing is written behind it");
    }
    // It fits at the end of the memory, and not a byte further.
    let at_end = |at: u32| {
        format!(
            "(i64.store (i32.const 256) (i64.extend_i32_u (call $stat (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4)
            (i32.const {at}))))"
        )
    };
    assert_eq!(u64_at(&printed(&at_end(65_536 - 56), 8), 0), 0);
    assert_eq!(u64_at(&printed(&at_end(65_536 - 55), 8), 0), 21, "EFAULT");
}

#[test]
fn a_program_sleeps() {
    // userdata 7, clock: an identifier, the monotonic clock, one millisecond.
    let sleep = "(i64.store (i32.const 512) (i64.const 7)) (i64.store (i32.const 528) (i64.const 99))
        (i32.store (i32.const 536) (i32.const 1)) (i64.store (i32.const 544) (i64.const 1000000))
        (call $must (call $poll (i32.const 512) (i32.const 256) (i32.const 1) (i32.const 600)))";
    let event = printed(sleep, 32);
    assert_eq!((u64_at(&event, 0), event[8], event[10]), (7, 0, 0));
}
