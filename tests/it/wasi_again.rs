//! Reproducible runs: the same guest sees the same, and costs the same, whatever the host does.

use crate::guest::start;
use crate::support::{TempDir, deadline_ms, fuelbox_in, fuelbox_program};
use crate::wasi_dirs::{CREAT, DIRECTORY, EXCL, OUT, READ, WRITE, open, with_path, with_paths};
use crate::wasi_world::{World, reproducible};
use fuelbox::host::wasi::time::Clock;
use fuelbox::host::wasi::{Call, args, clock, fd, path, stat};
use fuelbox::{Invocation, Preopen, Report, Stdin};
use std::collections::HashSet;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Asks for everything that the host could tell differently, and writes all of memory to standard output:
/// clocks, randomness, listings, what is known of old and new files, sleep, and input until it ends.
const CURIOUS: &str = r#"(module
    (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_res_get" (func $res (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_readdir" (func $readdir (param i32 i32 i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_filestat_get" (func $fstat (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fdstat (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_filestat_get"
      (func $stat (param i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open"
      (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "a" "b" "d" "l" ".")
    (data (i32.const 16) "\00\80\00\00\00\10\00\00") (data (i32.const 32) "\00\00\00\00\00\00\01\00")
    (data (i32.const 128) "\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\00\e4\0b\54\02")
    (func $note (param $at i32) (param $errno i32) (i32.store16 (local.get $at) (local.get $errno)))
    (func $clocks (param $at i32) (local $id i32)
      (loop $l
        (call $note (i32.add (i32.const 1024) (local.get $id))
          (call $time (local.get $id) (i64.const 0) (i32.add (local.get $at) (i32.mul (i32.const 8) (local.get $id)))))
        (br_if $l (i32.lt_u (local.tee $id (i32.add (local.get $id) (i32.const 1))) (i32.const 4)))))
    (func $file (param $name i32) (param $at i32)
      (call $note (local.get $at) (call $open (i32.const 3) (i32.const 0) (local.get $name) (i32.const 1)
        (i32.const 1) (i64.const 66) (i64.const 0) (i32.const 0) (i32.add (local.get $at) (i32.const 4))))
      (call $note (local.get $at) (call $fstat (i32.load offset=4 (local.get $at))
        (i32.add (local.get $at) (i32.const 8))))
      (call $note (local.get $at) (call $unlink (i32.const 3) (local.get $name) (i32.const 1))))
    (func (export "_start") (local $i i32)
      (call $clocks (i32.const 2048))
      (drop (call $res (i32.const 0) (i32.const 2088))) (drop (call $res (i32.const 1) (i32.const 2096)))
      (drop (call $random (i32.const 2112) (i32.const 100)))
      (call $note (i32.const 1040) (call $readdir (i32.const 3) (i32.const 4096) (i32.const 2000) (i64.const 0)
        (i32.const 1044)))
      (loop $l
        (call $note (i32.const 1048) (call $stat (i32.const 3) (i32.const 0) (local.get $i) (i32.const 1)
          (i32.add (i32.const 2304) (i32.mul (i32.const 64) (local.get $i)))))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 5))))
      (local.set $i (i32.const 0))
      (loop $l
        (drop (call $fdstat (local.get $i) (i32.add (i32.const 2700) (i32.mul (i32.const 24) (local.get $i)))))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4))))
      (call $file (i32.const 200) (i32.const 3072)) (call $file (i32.const 201) (i32.const 3200))
      (call $note (i32.const 1052) (call $poll (i32.const 128) (i32.const 3328) (i32.const 1) (i32.const 1056)))
      (call $clocks (i32.const 3400))
      (i64.store (i32.const 152) (i64.const -1))
      (call $note (i32.const 1060) (call $poll (i32.const 128) (i32.const 3500) (i32.const 1) (i32.const 1064)))
      (call $clocks (i32.const 3600))
      (loop $l
        (call $note (i32.const 1068) (call $read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 1072)))
        (i32.store (i32.const 1076) (i32.add (i32.load (i32.const 1076)) (i32.const 1)))
        (br_if $l (i32.load (i32.const 1072))))
      (call $clocks (i32.const 3700))
      (call $note (i32.const 1080) (call $write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 40))))
    (data (i32.const 200) "xy"))"#;

/// The same tree made in another order, at another time, on other inodes.
fn furnished(order: &[usize], spare: usize) -> TempDir {
    let dir = TempDir::new();
    for i in 0..spare {
        dir.write(&format!("spare-{i}"), "");
    }
    let make: [&dyn Fn(); 4] = [
        &|| drop(dir.write("a", "content of a")),
        &|| drop(dir.write("b", "")),
        &|| std::fs::create_dir(dir.0.join("d")).unwrap(),
        &|| std::os::unix::fs::symlink("a", dir.0.join("l")).unwrap(),
    ];
    for i in order {
        make[*i]();
        std::thread::sleep(Duration::from_millis(2));
    }
    for i in 0..spare {
        std::fs::remove_file(dir.0.join(format!("spare-{i}"))).unwrap();
    }
    dir
}

fn run(dir: &TempDir, seed: u64, input: &[u8]) -> Report<Vec<u8>> {
    let dirs = vec![Preopen::open(&dir.0, "/", false).unwrap()];
    let guest_env = fuelbox::GuestEnv { dirs, seed: Some(seed), ..fuelbox::GuestEnv::default() };
    let stdin = Stdin::Bytes(input.to_vec());
    start(CURIOUS, &deadline_ms(10_000), Invocation { stdin, guest_env, ..Invocation::default() })
}

#[test]
fn the_same_run_twice_gives_the_same_bytes_for_the_same_fuel() {
    let first = run(&furnished(&[0, 1, 2, 3], 0), 7, &[b'i'; 9_000]);
    let bytes = first.result.unwrap();
    assert_eq!(bytes.len(), 65_536);
    let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    assert_eq!(bytes[1080..1082], [0, 0]);
    assert_eq!(u32::from_le_bytes(bytes[1076..1080].try_into().unwrap()), 4, "three reads and the end");
    assert!(word(3408) - word(2056) >= 10_000_000_000, "ten seconds were slept");
    assert!(word(3600) >= word(3400) && word(3608) == u64::MAX, "the end of time");
    for (order, spare) in [([3, 2, 1, 0], 5), ([1, 3, 0, 2], 50)] {
        let other = run(&furnished(&order, spare), 7, &[b'i'; 9_000]);
        let differs = other.result.unwrap().iter().zip(&bytes).position(|(a, b)| a != b);
        assert_eq!(differs, None, "first other byte");
        assert_eq!(other.usage.fuel, first.usage.fuel);
    }
    // With another seed only what is random differs.
    let other = run(&furnished(&[0, 1, 2, 3], 0), 8, &[b'i'; 9_000]).result.unwrap();
    assert_ne!(other[2112..2212], bytes[2112..2212]);
    assert!(other[..2112] == bytes[..2112] && other[2212..] == bytes[2212..]);
}

/// Runs the command with input in pieces, and gives its output and the fuel that it reports.
fn in_pieces(pieces: &[usize]) -> (Vec<u8>, String) {
    let dir = furnished(&[0, 1, 2, 3], pieces.len());
    let module = TempDir::new();
    let file = module.write("curious.wat", CURIOUS);
    let given = format!("{}::/", dir.0.display());
    let mut child = Command::new(fuelbox_program())
        .args(["run", "--deterministic", "--report", "--dir", &given])
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for piece in pieces {
        stdin.write_all(&vec![b'i'; *piece]).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    let fuel = stderr.lines().find(|line| line.contains("fuel")).unwrap_or_else(|| panic!("{stderr}"));
    let digits = fuel.split("fuel").next().unwrap().to_string() + fuel.split("fuel").nth(1).unwrap();
    (output.stdout, digits.split(|c: char| !c.is_ascii_digit()).find(|w| !w.is_empty()).unwrap().to_string())
}

#[test]
fn the_pieces_in_which_input_comes_make_no_difference() {
    let whole = in_pieces(&[9_000]);
    assert_eq!(whole.0.len(), 65_536);
    for pieces in [&[1, 1, 8_998][..], &[4_096, 4_904], &[3_000, 0, 3_000, 3_000]] {
        let other = in_pieces(pieces);
        assert!(other.0 == whole.0, "other bytes for {pieces:?}");
        assert_eq!(other.1, whole.1, "{pieces:?}");
    }
    let dir = TempDir::new();
    fuelbox_in(&dir.0, &["run", "--seed", "1", "x.wasm"], b"").expect(2);
}

/// Most file systems give the number of a file that is gone to the next one; some do not.
#[test]
fn whether_the_host_uses_an_inode_again_cannot_be_seen() {
    let dir = TempDir::new();
    let mut world = reproducible(&dir);
    let number_of = |world: &mut World, name: &str| {
        let get = |c: &mut Call<'_>, at, len| path::path_filestat_get(c, 3, 0, at, len, OUT);
        assert_eq!(with_path(world, name, get), Ok(()));
        u64::from_le_bytes(world.memory[OUT as usize + 8..OUT as usize + 16].try_into().unwrap())
    };
    let mut seen = HashSet::new();
    for i in 0..40 {
        let made = match i % 4 {
            0 => open(&mut world, 3, "x", CREAT, READ | WRITE).map(|number| {
                assert_eq!(world.call(|c| fd::fd_close(c, number)), Ok(()));
            }),
            1 => open(&mut world, 3, "x", CREAT | EXCL, 0).map(|number| {
                assert_eq!(world.call(|c| fd::fd_close(c, number)), Ok(()));
            }),
            2 => {
                let make = |c: &mut Call<'_>, at, len| path::path_create_directory(c, 3, at, len);
                assert_eq!(with_path(&mut world, "x", make), Ok(()));
                Ok(())
            }
            _ => {
                let make = |c: &mut Call<'_>, a: (u32, u32), b: (u32, u32)| {
                    path::path_symlink(c, a.0, a.1, 3, b.0, b.1)
                };
                assert_eq!(with_paths(&mut world, ("to", "x"), make), Ok(()));
                Ok(())
            }
        };
        assert_eq!(made, Ok(()));
        let number = number_of(&mut world, "x");
        assert!(seen.insert(number), "{number} was another file's");
        assert_eq!(number_of(&mut world, "x"), number, "and stays the same");
        let gone = match i % 4 {
            2 => with_path(&mut world, "x", |c, at, len| path::path_remove_directory(c, 3, at, len)),
            _ => with_path(&mut world, "x", |c, at, len| path::path_unlink_file(c, 3, at, len)),
        };
        assert_eq!(gone, Ok(()));
    }
    // Two names of one file are one file still, and opening it again makes nothing new.
    let first = open(&mut world, 3, "one", CREAT, READ).unwrap();
    let link =
        |c: &mut Call<'_>, a: (u32, u32), b: (u32, u32)| path::path_link(c, 3, 0, a.0, a.1, 3, b.0, b.1);
    assert_eq!(with_paths(&mut world, ("one", "two"), link), Ok(()));
    let number = number_of(&mut world, "one");
    open(&mut world, 3, "two", CREAT, READ).unwrap();
    assert_eq!(number_of(&mut world, "two"), number);
    assert_eq!(world.call(|c| stat::fd_filestat_get(c, first, OUT)), Ok(()));
    assert_eq!(world.memory[OUT as usize + 8..OUT as usize + 16], number.to_le_bytes());
    open(&mut world, 3, ".", DIRECTORY, READ).unwrap();
}

#[test]
fn a_clock_that_has_slept_for_ever_stands_still() {
    let mut world = World::new(Stdin::Empty);
    world.ctx.clock = Clock::Fuel { used: 5, slept: 0 };
    for _ in 0..3 {
        assert!(world.ctx.clock.skip(u64::MAX));
        for id in [0, 1] {
            assert_eq!(world.call(|c| clock::clock_time_get(c, id, 0, OUT)), Ok(()));
            assert_eq!(world.memory[OUT as usize..OUT as usize + 8], u64::MAX.to_le_bytes(), "clock {id}");
        }
    }
}

/// What the interface hands out of the host's arguments is work too.
#[test]
fn arguments_and_environment_are_paid_for() {
    let mut world = World::new(Stdin::Empty);
    world.ctx.args = vec![vec![b'a'; 1_000]; 10];
    assert_eq!(world.call(|c| args::args_get(c, 20_000, 30_000)), Ok(()));
    assert!(world.ctx.moved_bytes >= 10_000, "{}", world.ctx.moved_bytes);
}
