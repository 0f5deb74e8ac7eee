//! The quota for writes and the cap on descriptors, each just below, at and above what they allow.

use crate::support::TempDir;
use crate::wasi_dirs::{
    APPEND, CREAT, DIRECTORY, READ, WRITE, open, open_with, with_path, with_paths, world_with, write,
};
use crate::wasi_world::{Answer, World};
use fuelbox::Limits;
use fuelbox::host::wasi::abi::{Errno, Fault};
use fuelbox::host::wasi::{fd, path, stat};

/// What a new entry costs.
const ENTRY: u64 = 4096;

fn given(dir: &TempDir, quota: u64) -> World {
    world_with(&Limits { dir_quota: quota, ..Limits::default() }, &[(&dir.0, false)])
}

const FULL: Answer = Err(Fault::Errno(Errno::Dquot));

/// A world with this quota and `file`, which holds `held` bytes, open as 4.
fn with_file(dir: &TempDir, quota: u64, held: usize) -> World {
    dir.write("file", vec![b'.'; held]);
    let mut world = given(dir, quota);
    assert_eq!(open(&mut world, 3, "file", 0, READ | WRITE), Ok(4));
    world
}

fn size(dir: &TempDir) -> u64 {
    std::fs::metadata(dir.0.join("file")).unwrap().len()
}

#[test]
fn a_write_is_cut_where_the_quota_ends() {
    for (quota, wanted, fits) in [(10, 9, 9), (10, 10, 10), (10, 11, 10), (1, 65_000 - 1_000, 1)] {
        let dir = TempDir::new();
        let mut world = with_file(&dir, quota, 0);
        assert_eq!(write(&mut world, 4, wanted, None), Ok(fits));
        assert_eq!((size(&dir), world.ctx.files.quota), (fits.into(), quota - u64::from(fits)));
        let again = write(&mut world, 4, wanted, None);
        assert_eq!(again, if fits < wanted || quota == u64::from(fits) { Err(Errno::Dquot) } else { Ok(1) });
        assert!(size(&dir) <= quota);
        assert_eq!(write(&mut world, 4, 0, None), Ok(0), "nothing is always allowed");
    }
}

#[test]
fn what_is_overwritten_counts_too() {
    let dir = TempDir::new();
    let mut world = with_file(&dir, 10, 100);
    assert_eq!(write(&mut world, 4, 6, Some(0)), Ok(6));
    assert_eq!(write(&mut world, 4, 6, Some(0)), Ok(4));
    assert_eq!(write(&mut world, 4, 6, Some(0)), Err(Errno::Dquot));
    assert_eq!(size(&dir), 100);
}

#[test]
fn a_write_far_behind_the_end_pays_for_the_gap() {
    for (begin, expected) in
        [(9, Ok(1)), (8, Ok(2)), (7, Ok(2)), (10, Err(Errno::Dquot)), (u64::MAX >> 1, Err(Errno::Dquot))]
    {
        for moved in [false, true] {
            let dir = TempDir::new();
            let mut world = with_file(&dir, 10, 0);
            let at = if moved {
                assert_eq!(world.call(|c| fd::fd_seek(c, 4, begin, 0, 64)), Ok(()));
                None
            } else {
                Some(begin)
            };
            assert_eq!(write(&mut world, 4, 2, at), expected, "at {begin}");
            let left = expected.map_or(10, |n| 10 - begin - u64::from(n));
            assert_eq!(world.ctx.files.quota, left, "at {begin}");
            assert_eq!(size(&dir), 10 - left, "at {begin}");
        }
    }
}

/// A file cut through another descriptor, whose size the first one remembers.
#[test]
fn a_file_never_becomes_larger_than_what_was_paid_for() {
    let dir = TempDir::new();
    let mut world = with_file(&dir, 1_000, 0);
    assert_eq!(open(&mut world, 3, "file", 0, READ | WRITE), Ok(5));
    let mut paid_at_most = 0;
    for i in 0..200_u64 {
        let number = 4 + (i % 2) as u32;
        let _ = match i % 5 {
            0 => write(&mut world, number, 3, Some(i * 7)).map(|_| ()).map_err(Fault::Errno),
            1 => world.call(|c| stat::fd_filestat_set_size(c, number, 0)),
            2 => write(&mut world, number, 1, Some(i * 9)).map(|_| ()).map_err(Fault::Errno),
            3 => world.call(|c| stat::fd_filestat_set_size(c, number, i * 8)),
            _ => world.call(|c| fd::fd_allocate(c, number, i, 5)),
        };
        paid_at_most = 1_000 - world.ctx.files.quota;
        assert!(size(&dir) <= paid_at_most, "step {i}: {} bytes for {paid_at_most}", size(&dir));
    }
    assert!(paid_at_most > 900, "the test spends it");
}

#[test]
fn appending_pays_for_its_bytes_wherever_it_is_told_to_write() {
    let dir = TempDir::new();
    dir.write("file", [b'.'; 100]);
    let mut world = given(&dir, 10);
    assert_eq!(open_with(&mut world, 3, "file", (1, 0, APPEND), WRITE), Ok(4));
    assert_eq!(write(&mut world, 4, 4, None), Ok(4));
    assert_eq!(write(&mut world, 4, 4, Some(1 << 40)), Ok(4));
    assert_eq!(write(&mut world, 4, 4, Some(0)), Ok(2));
    assert_eq!(write(&mut world, 4, 1, None), Err(Errno::Dquot));
    assert_eq!(size(&dir), 110);
    // Switched off and on again, it is the same file.
    assert_eq!(world.call(|c| fd::fd_fdstat_set_flags(c, 4, 0)), Ok(()));
    assert_eq!(write(&mut world, 4, 1, Some(1 << 40)), Err(Errno::Dquot));
    assert_eq!(size(&dir), 110);
}

#[test]
fn growing_a_file_by_its_size_or_by_allocation_counts() {
    for (wanted, fits) in [(109, true), (110, true), (111, false), (u64::MAX >> 1, false)] {
        let dir = TempDir::new();
        let mut world = with_file(&dir, 10, 100);
        let expected = if fits { Ok(()) } else { FULL };
        assert_eq!(world.call(|c| stat::fd_filestat_set_size(c, 4, wanted)), expected, "{wanted}");
        assert_eq!(size(&dir), if fits { wanted } else { 100 });
        let dir = TempDir::new();
        let mut world = with_file(&dir, 10, 100);
        assert_eq!(world.call(|c| fd::fd_allocate(c, 4, 100, wanted - 100)), expected, "{wanted}");
        assert_eq!(size(&dir), if fits { wanted } else { 100 });
    }
    let dir = TempDir::new();
    let mut world = with_file(&dir, 10, 100);
    // Behind the end, the gap counts; within the file, what may be a hole.
    assert_eq!(world.call(|c| fd::fd_allocate(c, 4, 110, 1)), FULL);
    assert_eq!(world.call(|c| fd::fd_allocate(c, 4, 0, 11)), FULL);
    assert_eq!(world.call(|c| fd::fd_allocate(c, 4, u64::MAX, u64::MAX)), Err(Fault::Errno(Errno::Fbig)));
    assert_eq!(world.call(|c| fd::fd_allocate(c, 4, 0, 10)), Ok(()));
    assert_eq!((size(&dir), world.ctx.files.quota), (100, 0));
    // Cutting is free, and growing again is not.
    assert_eq!(world.call(|c| stat::fd_filestat_set_size(c, 4, 0)), Ok(()));
    assert_eq!(world.call(|c| stat::fd_filestat_set_size(c, 4, 1)), FULL);
}

type Make = fn(&mut World, &str) -> Answer;

/// The calls that make something new called `name`.
fn makers() -> [(&'static str, Make); 5] {
    let create: Make = |world, name| open(world, 3, name, CREAT, 0).map(|_| ()).map_err(Fault::Errno);
    let by_link: Make = |world, name| {
        // A file made through a link that leads to none yet.
        open(world, 3, &format!("to-{name}"), CREAT, WRITE).map(|_| ()).map_err(Fault::Errno)
    };
    [
        ("file", create),
        ("file by a link", by_link),
        ("directory", |world, name| {
            with_path(world, name, |c, at, len| path::path_create_directory(c, 3, at, len))
        }),
        ("link", |world, name| {
            with_paths(world, ("here", name), |c, a, b| path::path_link(c, 3, 0, a.0, a.1, 3, b.0, b.1))
        }),
        ("symbolic link", |world, name| {
            with_paths(world, ("here", name), |c, a, b| path::path_symlink(c, a.0, a.1, 3, b.0, b.1))
        }),
    ]
}

#[test]
fn each_new_entry_costs_a_block_and_is_not_made_without_it() {
    for (what, make) in makers() {
        for (quota, fits) in [(ENTRY - 1, 0), (ENTRY, 1), (ENTRY + 1, 1), (2 * ENTRY - 1, 1), (2 * ENTRY, 2)]
        {
            let dir = TempDir::new();
            dir.write("here", "");
            for name in ["one", "two", "three"] {
                std::os::unix::fs::symlink(name, dir.0.join(format!("to-{name}"))).unwrap();
            }
            // A link that is not followed is no way to a file for nothing.
            let mut without = given(&dir, 0);
            assert_eq!(open_with(&mut without, 3, "to-one", (0, CREAT, 0), WRITE), Err(Errno::Loop));
            let count = || std::fs::read_dir(&dir.0).unwrap().count() - 4;
            let mut world = given(&dir, quota);
            for (i, name) in ["one", "two", "three"].iter().enumerate() {
                assert_eq!(
                    make(&mut world, name),
                    if i < fits { Ok(()) } else { FULL },
                    "{what} {i} of {quota}"
                );
            }
            assert_eq!((count(), world.ctx.files.quota), (fits, quota - fits as u64 * ENTRY), "{what}");
        }
    }
}

#[test]
fn what_cannot_be_made_costs_nothing_and_deleting_gives_nothing_back() {
    let dir = TempDir::new();
    dir.write("here", "");
    for name in ["taken", "to-taken"] {
        std::fs::create_dir(dir.0.join(name)).unwrap();
    }
    let mut world = given(&dir, 10 * ENTRY);
    for (what, make) in makers() {
        assert_ne!(make(&mut world, "taken"), Ok(()), "{what}");
    }
    assert_eq!(world.ctx.files.quota, 10 * ENTRY);
    for _ in 0..10 {
        assert!(open(&mut world, 3, "new", CREAT, WRITE).is_ok());
        assert_eq!(with_path(&mut world, "new", |c, at, len| path::path_unlink_file(c, 3, at, len)), Ok(()));
    }
    assert_eq!(world.ctx.files.quota, 0);
    assert_eq!(open(&mut world, 3, "new", CREAT, WRITE), Err(Errno::Dquot));
    assert!(open(&mut world, 3, "here", CREAT, WRITE).is_ok(), "what is there is not new");
}

/// Opens `.` until it is refused, and gives how many there are then.
fn fill(world: &mut World) -> u32 {
    let mut last = 3;
    loop {
        match open(world, 3, ".", DIRECTORY, READ) {
            Ok(number) => last = number,
            Err(errno) => {
                assert_eq!(errno, Errno::Mfile);
                return last + 1;
            }
        }
    }
}

#[test]
fn descriptors_end_at_their_cap_and_closing_makes_room() {
    for cap in [4, 5, 100] {
        let dir = TempDir::new();
        let limits = Limits { descriptors: cap, ..Limits::default() };
        let mut world = world_with(&limits, &[(&dir.0, false)]);
        assert_eq!(fill(&mut world) as usize, cap);
        assert_eq!(open(&mut world, 3, "new", CREAT, WRITE), Err(Errno::Mfile));
        assert!(!dir.0.join("new").exists(), "refused before anything was made");
        for close in [0, 2, cap as u32 - 1] {
            if close == 3 {
                continue;
            }
            assert_eq!(world.call(|c| fd::fd_close(c, close)), Ok(()));
            assert_eq!(open(&mut world, 3, ".", 0, READ), Ok(close), "the lowest free number");
            assert_eq!(open(&mut world, 3, ".", 0, READ), Err(Errno::Mfile));
        }
        if cap > 4 {
            assert_eq!(world.call(|c| fd::fd_renumber(c, 4, 0)), Ok(()));
            assert_eq!(open(&mut world, 3, ".", 0, READ), Ok(4), "renumbering closes one");
        }
    }
}

#[test]
fn a_run_has_no_more_directories_than_descriptors() {
    let dir = TempDir::new();
    let dirs = |n| {
        let one = || fuelbox::Preopen::open(&dir.0, "/", false).unwrap();
        let limits = Limits { descriptors: 5, ..Limits::default() };
        let given =
            fuelbox::GuestEnv { dirs: (0..n).map(|_| one()).collect(), ..fuelbox::GuestEnv::default() };
        let keep = || fuelbox::host::streams::SinkTo::Buffer(Vec::new());
        fuelbox::host::wasi::ctx::WasiCtx::new(&limits, given, fuelbox::Stdin::Empty, keep(), keep()).err()
    };
    assert_eq!((dirs(1), dirs(2), dirs(3)), (None, None, Some(Errno::Mfile)));
}

/// Beyond `ulimit -f`, the system ends a process that does not say that it wants an error instead.
#[test]
fn a_file_beyond_what_the_system_allows_is_an_error_of_the_guest() {
    const EFBIG: i32 = 22;
    let dir = TempDir::new();
    let module = TempDir::new();
    let guest = r#"(module
        (import "wasi_snapshot_preview1" "path_open"
          (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_filestat_set_size" (func $size (param i32 i64) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1) (data (i32.const 0) "big")
        (func (export "_start")
          (if (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 3) (i32.const 1) (i64.const 4194368)
                (i64.const 0) (i32.const 0) (i32.const 8)) (then (unreachable)))
          (call $exit (call $size (i32.const 4) (i64.const 1000000)))))"#;
    let file = module.write("guest.wat", guest);
    let command = r#"ulimit -f 100 && exec "$0" run --dir "$1::/" "$2""#;
    let status = std::process::Command::new("sh")
        .args(["-c", command, env!("CARGO_BIN_EXE_fuelbox")])
        .args([&dir.0, &file])
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(EFBIG), "{status}");
}
