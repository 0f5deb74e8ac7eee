//! Reading directories: with any buffer and cookie, names of any bytes, and changes in between.

use crate::support::TempDir;
use crate::wasi_dirs::{DIRECTORY, OUT, READ, open, out, world_with};
use crate::wasi_world::{Answer, MEMORY_BYTES, World, bad_pointers, fails, reproducible};
use fuelbox::host::wasi::abi::{Errno, Fault};
use fuelbox::host::wasi::{Call, fd, readdir};
use fuelbox::{Limits, Preopen, Stdin};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

const BUFFER: u32 = 20_000;

/// An entry as a guest reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Read {
    next: u64,
    kind: u8,
    name: Vec<u8>,
}

/// One call: what it put into the buffer, of which it changes nothing else.
fn call(world: &mut World, number: u32, len: u32, cookie: u64) -> Result<Vec<u8>, Fault> {
    world.memory.fill(b'?');
    world.call(|c| readdir::fd_readdir(c, number, BUFFER, len, cookie, OUT))?;
    let used = out(world);
    assert!(used <= len);
    let mut expected = vec![b'?'; MEMORY_BYTES];
    let (at, end) = (BUFFER as usize, (BUFFER + used) as usize);
    expected[at..end].copy_from_slice(&world.memory[at..end]);
    expected[OUT as usize..OUT as usize + 4].copy_from_slice(&used.to_le_bytes());
    assert!(world.memory == expected, "something else was written");
    Ok(world.memory[at..end].to_vec())
}

/// The whole entries in `bytes`.
fn parse(mut bytes: &[u8]) -> Vec<Read> {
    let mut all = Vec::new();
    while bytes.len() >= 24 {
        let next = u64::from_le_bytes(bytes[..8].try_into().unwrap());
        let name_len = u32::from_le_bytes(bytes[16..20].try_into().unwrap()) as usize;
        let Some(name) = bytes.get(24..24 + name_len) else { break };
        all.push(Read { next, kind: bytes[20], name: name.to_vec() });
        bytes = &bytes[24 + name_len..];
    }
    all
}

/// All entries, as libraries read them: again from the first that did not fit. A buffer too small for one
/// is doubled.
fn all(world: &mut World, number: u32, len: u32) -> Vec<Read> {
    let (mut all, mut len, mut cookie) = (Vec::new(), len, 0);
    loop {
        let bytes = call(world, number, len, cookie).unwrap();
        let is_last = bytes.len() < len as usize;
        let got = parse(&bytes);
        match got.last() {
            Some(last) => cookie = last.next,
            None => len = len * 2 + 1,
        }
        all.extend(got);
        if is_last {
            return all;
        }
    }
}

/// A folder with names of every length that there can be.
fn lengths() -> TempDir {
    let dir = TempDir::new();
    for len in 1..=255 {
        dir.write(&"n".repeat(len), "");
    }
    dir
}

fn names(entries: &[Read]) -> BTreeSet<Vec<u8>> {
    let names: BTreeSet<_> = entries.iter().map(|entry| entry.name.clone()).collect();
    assert_eq!(names.len(), entries.len(), "an entry came twice");
    names
}

#[test]
fn every_entry_comes_once_whatever_the_buffer() {
    let dir = lengths();
    let mut world = world_with(&Limits::default(), &[(&dir.0, true)]);
    let expected: BTreeSet<Vec<u8>> =
        (1..=255).map(|len| vec![b'n'; len]).chain([b".".to_vec(), b"..".to_vec()]).collect();
    let whole = all(&mut world, 3, 40_000);
    assert!(names(&whole) == expected);
    for len in 0..=200 {
        let bytes = call(&mut world, 3, len, 0).unwrap();
        assert_eq!(bytes.len(), len as usize, "there is more, so the buffer is full");
        assert!(all(&mut world, 3, len) == whole, "a buffer of {len}");
    }
}

#[test]
fn every_cookie_is_answered() {
    let dir = lengths();
    let mut world = world_with(&Limits::default(), &[(&dir.0, true)]);
    let whole = all(&mut world, 3, 40_000);
    for cookie in (0..=260).chain((0..=260).rev()) {
        let got = parse(&call(&mut world, 3, 600, cookie).unwrap());
        let expected = whole.get(cookie as usize..).unwrap_or(&[]);
        assert_eq!(got.is_empty(), expected.is_empty(), "cookie {cookie}");
        assert!(expected.starts_with(&got), "cookie {cookie}");
    }
    for cookie in [300, 1 << 32, u64::MAX >> 1, u64::MAX - 1, u64::MAX] {
        assert_eq!(call(&mut world, 3, 600, cookie), Ok(vec![]), "cookie {cookie}");
        assert!(all(&mut world, 3, 600) == whole, "after cookie {cookie}");
    }
    // A cookie that nobody gave, on a descriptor that has read nothing.
    let fresh = open(&mut world, 3, ".", DIRECTORY, READ).unwrap();
    assert_eq!(parse(&call(&mut world, fresh, 400, 2).unwrap())[0], whole[2]);
    let fresh = open(&mut world, 3, ".", DIRECTORY, READ).unwrap();
    assert_eq!(call(&mut world, fresh, 400, u64::MAX), Ok(vec![]));
}

#[test]
fn names_that_are_no_text_come_as_they_are() {
    let dir = TempDir::new();
    let odd: [&[u8]; 4] = [b"\xff", b"\xc3\x28", b"a\xed\xa0\x80b", b"line\nbreak\x1b[0m"];
    for name in odd {
        std::fs::write(dir.0.join(OsStr::from_bytes(name)), "").unwrap();
    }
    std::fs::create_dir(dir.0.join(OsStr::from_bytes(b"\xfe"))).unwrap();
    std::os::unix::fs::symlink("x", dir.0.join("sym")).unwrap();
    let mut world = world_with(&Limits::default(), &[(&dir.0, true)]);
    let whole = all(&mut world, 3, 1_000);
    let kind = |name: &[u8]| whole.iter().find(|entry| entry.name == name).map(|entry| entry.kind);
    for name in odd {
        assert_eq!(kind(name), Some(4));
    }
    assert_eq!((kind(b"\xfe"), kind(b"sym"), kind(b".."), whole.len()), (Some(3), Some(7), Some(3), 8));
}

#[test]
fn what_changes_in_between_neither_repeats_nor_hides_the_rest() {
    let dir = TempDir::new();
    for i in 0..400 {
        dir.write(&format!("stays-{i}"), "");
        dir.write(&format!("goes-{i}"), "");
    }
    let mut world = world_with(&Limits::default(), &[(&dir.0, true)]);
    let mut got = parse(&call(&mut world, 3, 4_000, 0).unwrap());
    for i in 0..400 {
        std::fs::remove_file(dir.0.join(format!("goes-{i}"))).unwrap();
        dir.write(&format!("new-{i}"), "");
    }
    loop {
        let more = parse(&call(&mut world, 3, 4_000, got.last().unwrap().next).unwrap());
        if more.is_empty() {
            break;
        }
        got.extend(more);
    }
    let seen = names(&got);
    for i in 0..400 {
        assert!(seen.contains(format!("stays-{i}").as_bytes()), "{i}");
    }
    // From the beginning, it is as it is now.
    let again = names(&all(&mut world, 3, 4_000));
    assert_eq!(again.len(), 802);
    assert!(again.iter().all(|name| !name.starts_with(b"goes")));
    // A directory that is gone altogether.
    std::fs::create_dir(dir.0.join("sub")).unwrap();
    let sub = open(&mut world, 3, "sub", DIRECTORY, READ).unwrap();
    std::fs::remove_dir(dir.0.join("sub")).unwrap();
    for cookie in [0, 1, 2, 3, u64::MAX] {
        let answer = call(&mut world, sub, 100, cookie);
        assert!(matches!(answer, Ok(_) | Err(Fault::Errno(Errno::Noent))), "{answer:?}");
    }
}

#[test]
fn three_thousand_entries_come_in_order_when_runs_are_reproducible() {
    let dir = TempDir::new();
    for i in (0..3_000).rev() {
        dir.write(&format!("{i:04}"), "");
    }
    let mut world = world_with(&Limits::default(), &[(&dir.0, true)]);
    assert_eq!(names(&all(&mut world, 3, 1_000)).len(), 3_002);
    let mut world = reproducible(&dir);
    let sorted = all(&mut world, 3, 1_000);
    assert!(sorted.len() == 3_002 && sorted.is_sorted_by(|a, b| a.name < b.name));
}

/// Each of them would hold all the names.
#[test]
fn many_descriptors_do_not_hold_the_same_names_many_times() {
    let dir = TempDir::new();
    for i in 0..2_000 {
        dir.write(&format!("{i:0255}"), "");
    }
    let mut world = reproducible(&dir);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..40 {
        let number = open(&mut world, 3, ".", DIRECTORY, READ).unwrap();
        match call(&mut world, number, 1_000, 0) {
            Ok(_) => read += 1,
            Err(Fault::Errno(Errno::Nomem)) => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    // 2,000 names of 255 bytes are 0.6 MB, of 8 MiB in all.
    assert!(read >= 10 && refused >= 20, "{read} read, {refused} refused");
    // Closing gives the room back.
    for number in 4..44 {
        world.call(|c| fd::fd_close(c, number)).unwrap();
    }
    assert!(call(&mut world, 3, 1_000, 0).is_ok());
}

#[test]
fn to_sort_a_directory_is_paid_for_each_time() {
    let dir = TempDir::new();
    for i in 0..1_000 {
        dir.write(&format!("{i}"), "");
    }
    let mut world = reproducible(&dir);
    for _ in 0..3 {
        world.ctx.extra_fuel = 0;
        call(&mut world, 3, 24, 0).unwrap();
        assert!(world.ctx.extra_fuel >= 1_000 * 20, "{}", world.ctx.extra_fuel);
    }
}

#[test]
fn wrong_buffers_are_refused_before_anything_is_read() {
    let dir = lengths();
    let mut world = world_with(&Limits::default(), &[(&dir.0, true)]);
    for bad in bad_pointers(100) {
        fails(&mut world, Errno::Fault, |c| readdir::fd_readdir(c, 3, bad, 100, 0, OUT));
    }
    for bad in bad_pointers(4) {
        fails(&mut world, Errno::Fault, |c| readdir::fd_readdir(c, 3, BUFFER, 100, 0, bad));
    }
    for len in [MEMORY_BYTES as u32, 1 << 20, u32::MAX, u32::MAX - BUFFER] {
        fails(&mut world, Errno::Fault, |c| readdir::fd_readdir(c, 3, BUFFER, len, 0, OUT));
    }
    world.memory.resize(2 << 20, b'?');
    fails(&mut world, Errno::Inval, |c| readdir::fd_readdir(c, 3, 0, (1 << 20) + 1, 0, OUT));
    // The answer may lie in the buffer.
    let overlaps: Answer = world.call(|c| readdir::fd_readdir(c, 3, OUT, 100, 0, OUT + 50));
    assert_eq!(overlaps, Ok(()));
    assert_eq!(world.memory[OUT as usize + 50..OUT as usize + 54], 100_u32.to_le_bytes());
}

/// The host looks at its limits now and then, so that a large directory passes no deadline.
#[test]
fn far_entries_are_reached_in_steps() {
    let dir = TempDir::new();
    for i in 0..6_000 {
        dir.write(&format!("{i}"), "");
    }
    let mut world = world_with(&Limits::default(), &[(&dir.0, true)]);
    for (cookie, is_there) in [(6_001, true), (6_002, false), (u64::MAX, false)] {
        let number = open(&mut world, 3, ".", DIRECTORY, READ).unwrap();
        let mut steps = 0;
        let answer = loop {
            match call(&mut world, number, 300, cookie) {
                Err(Fault::Wait(wait)) => assert!(wait.until.is_some() && !wait.stdin),
                answer => break answer,
            }
            steps += 1;
            assert!(steps < 10, "it gets no further");
        };
        assert_eq!(parse(&answer.unwrap()).len(), usize::from(is_there));
        assert!(steps > 0);
    }
}

/// Nor does one that has to be put in order first.
#[test]
fn a_large_directory_is_put_in_order_in_steps() {
    for (files, steps_expected) in [(4_095, 0), (4_096, 1), (4_097, 1), (9_000, 2)] {
        let dir = TempDir::new();
        for i in 0..files {
            dir.write(&format!("{}", (i * 7_919) % files), "");
        }
        let mut world = reproducible(&dir);
        for _ in 0..2 {
            let mut steps = 0;
            world.ctx.extra_fuel = 0;
            let first = loop {
                match call(&mut world, 3, 1_000, 0) {
                    Err(Fault::Wait(wait)) => assert!(wait.until.is_some() && !wait.stdin),
                    answer => break parse(&answer.unwrap()),
                }
                steps += 1;
                assert!(steps < 10, "it gets no further");
            };
            assert_eq!(steps, steps_expected, "of {files} files");
            assert!(world.ctx.extra_fuel >= files * 20, "of {files} files: {} fuel", world.ctx.extra_fuel);
            assert_eq!(first[2].name, b"0");
            assert!(first[2..].is_sorted_by(|a, b| a.name < b.name));
        }
        // All the others are there, each once.
        let (mut cookie, mut names) = (0, std::collections::BTreeSet::new());
        loop {
            let got = match call(&mut world, 3, 4_096, cookie) {
                Err(Fault::Wait(_)) => continue,
                answer => parse(&answer.unwrap()),
            };
            let Some(last) = got.last() else { break };
            cookie = last.next;
            names.extend(got.into_iter().map(|entry| entry.name));
        }
        assert_eq!(names.len() as u64, files + 2);
    }
}

/// Descriptors that this process has open on `dir` or below.
#[cfg(target_os = "linux")]
fn open_on(dir: &std::path::Path) -> usize {
    let all = std::fs::read_dir("/proc/self/fd").unwrap();
    all.filter(|entry| {
        let target = std::fs::read_link(entry.as_ref().unwrap().path());
        target.is_ok_and(|target| target.starts_with(dir))
    })
    .count()
}

/// To read a directory takes a second descriptor of the host.
#[cfg(target_os = "linux")]
#[test]
fn the_cap_bounds_the_hosts_descriptors_too() {
    let dir = TempDir::new();
    dir.write("entry", "");
    let limits = Limits { descriptors: 20, ..Limits::default() };
    let mut world = world_with(&limits, &[(&dir.0, false)]);
    let read = |c: &mut Call<'_>, number| readdir::fd_readdir(c, number, 20_000, 300, 0, 64);
    let mut refused = 0;
    for number in 4..20 {
        let opened = open(&mut world, 3, ".", DIRECTORY, READ);
        refused += usize::from(opened.is_err());
        if opened == Ok(number) {
            refused += usize::from(world.call(|c| read(c, number)).is_err());
        }
    }
    assert!(refused > 0);
    let held = open_on(&dir.0);
    assert!((10..=17).contains(&held), "{held} descriptors of the host");
    // One that has ended its work makes room for two.
    assert_eq!(world.call(|c| fd::fd_close(c, 5)), Ok(()));
    assert_eq!(open(&mut world, 3, ".", DIRECTORY, READ), Ok(5));
    assert_eq!(world.call(|c| read(c, 5)), Ok(()));
    drop(world);
    assert_eq!(open_on(&dir.0), 0, "nothing is left open after a run");
}

/// Runs of the same program share the directory that they are given, but not where they are in it.
#[test]
fn runs_do_not_move_each_other() {
    let dir = lengths();
    let preopen = Preopen::open(&dir.0, "/", false).unwrap();
    let given = || fuelbox::GuestEnv { dirs: vec![preopen.clone()], ..fuelbox::GuestEnv::default() };
    let mut worlds = [(); 2].map(|()| World::with(Stdin::Empty, &Limits::default(), given()));
    let whole = all(&mut worlds[0], 3, 40_000);
    let mut cookies = [0, 0];
    let mut got = [vec![], vec![]];
    for turn in 0..1_000 {
        let i = usize::from(turn % 3 == 0);
        let more = parse(&call(&mut worlds[i], 3, 700, cookies[i]).unwrap());
        cookies[i] = more.last().map_or(cookies[i], |entry| entry.next);
        got[i].extend(more);
    }
    assert!(got[0] == whole && got[1] == whole);
    assert_eq!(worlds[0].call(|c| fd::fd_close(c, 3)), Ok(()));
    assert!(all(&mut worlds[1], 3, 1_000) == whole, "closed in one, it is open in the other");
}
