//! Every function of the table with every pointer and length that a guest can get wrong: an errno, nothing
//! else in memory, and nothing done to files or descriptors.

use crate::support::TempDir;
use crate::wasi_dirs::{READ, WRITE, furnished, open, tree, world_with};
use crate::wasi_world::{Answer, MEMORY_BYTES, World, bad_pointers};
use fuelbox::Limits;
use fuelbox::host::wasi::abi::{Errno, Fault};
use fuelbox::host::wasi::{
    Call, TABLE, args, clock, fd, path, poll, prestat, proc, random, readdir, sched, sock, stat,
};
use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;

/// Calls the function `name` with numbers, as a guest does.
#[rustfmt::skip]
pub fn invoke(c: &mut Call<'_>, name: &str, n: &[u64]) -> Answer {
    let i = |at: usize| n[at] as u32;
    match name {
        "args_get" => args::args_get(c, i(0), i(1)),
        "args_sizes_get" => args::args_sizes_get(c, i(0), i(1)),
        "environ_get" => args::environ_get(c, i(0), i(1)),
        "environ_sizes_get" => args::environ_sizes_get(c, i(0), i(1)),
        "clock_res_get" => clock::clock_res_get(c, i(0), i(1)),
        "clock_time_get" => clock::clock_time_get(c, i(0), n[1], i(2)),
        "fd_advise" => fd::fd_advise(c, i(0), n[1], n[2], i(3)),
        "fd_allocate" => fd::fd_allocate(c, i(0), n[1], n[2]),
        "fd_close" => fd::fd_close(c, i(0)),
        "fd_datasync" => fd::fd_datasync(c, i(0)),
        "fd_fdstat_get" => stat::fd_fdstat_get(c, i(0), i(1)),
        "fd_fdstat_set_flags" => fd::fd_fdstat_set_flags(c, i(0), i(1)),
        "fd_fdstat_set_rights" => stat::fd_fdstat_set_rights(c, i(0), n[1], n[2]),
        "fd_filestat_get" => stat::fd_filestat_get(c, i(0), i(1)),
        "fd_filestat_set_size" => stat::fd_filestat_set_size(c, i(0), n[1]),
        "fd_filestat_set_times" => stat::fd_filestat_set_times(c, i(0), n[1], n[2], i(3)),
        "fd_pread" => fd::fd_pread(c, i(0), i(1), i(2), n[3], i(4)),
        "fd_prestat_get" => prestat::fd_prestat_get(c, i(0), i(1)),
        "fd_prestat_dir_name" => prestat::fd_prestat_dir_name(c, i(0), i(1), i(2)),
        "fd_pwrite" => fd::fd_pwrite(c, i(0), i(1), i(2), n[3], i(4)),
        "fd_read" => fd::fd_read(c, i(0), i(1), i(2), i(3)),
        "fd_readdir" => readdir::fd_readdir(c, i(0), i(1), i(2), n[3], i(4)),
        "fd_renumber" => fd::fd_renumber(c, i(0), i(1)),
        "fd_seek" => fd::fd_seek(c, i(0), n[1], i(2), i(3)),
        "fd_sync" => fd::fd_sync(c, i(0)),
        "fd_tell" => fd::fd_tell(c, i(0), i(1)),
        "fd_write" => fd::fd_write(c, i(0), i(1), i(2), i(3)),
        "path_create_directory" => path::path_create_directory(c, i(0), i(1), i(2)),
        "path_filestat_get" => path::path_filestat_get(c, i(0), i(1), i(2), i(3), i(4)),
        "path_filestat_set_times" => path::path_filestat_set_times(c, i(0), i(1), i(2), i(3), n[4], n[5], i(6)),
        "path_link" => path::path_link(c, i(0), i(1), i(2), i(3), i(4), i(5), i(6)),
        "path_open" => path::path_open(c, i(0), i(1), i(2), i(3), i(4), n[5], n[6], i(7), i(8)),
        "path_readlink" => path::path_readlink(c, i(0), i(1), i(2), i(3), i(4), i(5)),
        "path_remove_directory" => path::path_remove_directory(c, i(0), i(1), i(2)),
        "path_rename" => path::path_rename(c, i(0), i(1), i(2), i(3), i(4), i(5)),
        "path_symlink" => path::path_symlink(c, i(0), i(1), i(2), i(3), i(4)),
        "path_unlink_file" => path::path_unlink_file(c, i(0), i(1), i(2)),
        "poll_oneoff" => poll::poll_oneoff(c, i(0), i(1), i(2), i(3)),
        "proc_exit" => proc::proc_exit(c, i(0)),
        "proc_raise" => proc::proc_raise(c, i(0)),
        "sched_yield" => sched::sched_yield(c),
        "random_get" => random::random_get(c, i(0), i(1)),
        "sock_accept" => sock::sock_accept(c, i(0), i(1), i(2)),
        "sock_recv" => sock::sock_recv(c, i(0), i(1), i(2), i(3), i(4), i(5)),
        "sock_send" => sock::sock_send(c, i(0), i(1), i(2), i(3), i(4)),
        "sock_shutdown" => sock::sock_shutdown(c, i(0), i(1)),
        other => panic!("{other} is not called"),
    }
}

/// A parameter of a call that succeeds.
#[derive(Debug, Clone, Copy)]
enum Arg {
    /// A number.
    N(u64),
    /// A pointer to this many bytes that are read.
    In(u32, u32),
    /// A pointer to this many bytes that are written.
    Out(u32, u32),
    /// The length of what the parameter before points to, in units of this many bytes.
    Len(u32, u32),
}
use Arg::{In, Len, N, Out};

// What is where in memory, all of it at odd addresses.
const FILE: u32 = 1_001;
const NEW: u32 = 1_011;
const FOLDER: u32 = 1_021;
const SYMLINK: u32 = 1_031;
const SUB: u32 = 1_041;
const LIST: u32 = 1_101;
const SUBSCRIPTIONS: u32 = 1_201;
const BYTES: u32 = 2_001;
const A: u32 = 3_001;
const B: u32 = 4_001;

/// A world with the folder as 3, its file `f` as 4, and `d` as 5.
fn given(dir: &Path) -> World {
    let mut world = world_with(&Limits::default(), &[(dir, false)]);
    assert_eq!(open(&mut world, 3, "f", 0, READ | WRITE), Ok(4));
    assert_eq!(open(&mut world, 3, "d", 0, READ), Ok(5));
    world.memory.fill(b'?');
    for (at, text) in [(FILE, "f"), (NEW, "new"), (FOLDER, "d"), (SYMLINK, "link"), (SUB, "d/sub")] {
        world.memory[at as usize..at as usize + text.len()].copy_from_slice(text.as_bytes());
    }
    world.put(LIST as usize, &[BYTES, 4, BYTES + 100, 2]);
    world.memory[SUBSCRIPTIONS as usize..SUBSCRIPTIONS as usize + 96].fill(0);
    world
}

/// A function's name, its parameters, what it answers, and what it writes beside its answers.
type Good = (&'static str, Vec<Arg>, Answer, &'static [Range<u32>]);

/// For each function a call that succeeds, or what it says instead.
#[rustfmt::skip]
fn calls() -> Vec<Good> {
    let all = u64::MAX;
    let errno = |errno: Errno| Err(Fault::Errno(errno));
    const BUFFERS: &[Range<u32>] = &[BYTES..BYTES + 4, BYTES + 100..BYTES + 102];
    vec![
        ("args_get", vec![Out(A, 12), Out(B, 10)], Ok(()), &[]),
        ("args_sizes_get", vec![Out(A, 4), Out(B, 4)], Ok(()), &[]),
        ("environ_get", vec![Out(A, 4), Out(B, 4)], Ok(()), &[]),
        ("environ_sizes_get", vec![Out(A, 4), Out(B, 4)], Ok(()), &[]),
        ("clock_res_get", vec![N(0), Out(A, 8)], Ok(()), &[]),
        ("clock_time_get", vec![N(1), N(all), Out(A, 8)], Ok(()), &[]),
        ("fd_advise", vec![N(4), N(0), N(9), N(2)], Ok(()), &[]),
        ("fd_allocate", vec![N(4), N(0), N(100)], Ok(()), &[]),
        ("fd_close", vec![N(4)], Ok(()), &[]),
        ("fd_datasync", vec![N(4)], Ok(()), &[]),
        ("fd_fdstat_get", vec![N(4), Out(A, 24)], Ok(()), &[]),
        ("fd_fdstat_set_flags", vec![N(4), N(1)], Ok(()), &[]),
        ("fd_fdstat_set_rights", vec![N(4), N(2), N(0)], Ok(()), &[]),
        ("fd_filestat_get", vec![N(4), Out(A, 64)], Ok(()), &[]),
        ("fd_filestat_set_size", vec![N(4), N(5)], Ok(()), &[]),
        ("fd_filestat_set_times", vec![N(4), N(1), N(1), N(5)], Ok(()), &[]),
        ("fd_pread", vec![N(4), In(LIST, 16), Len(2, 8), N(3), Out(A, 4)], Ok(()), BUFFERS),
        ("fd_prestat_get", vec![N(3), Out(A, 8)], Ok(()), &[]),
        ("fd_prestat_dir_name", vec![N(3), Out(A, 2), N(2)], Ok(()), &[]),
        ("fd_pwrite", vec![N(4), In(LIST, 16), Len(2, 8), N(3), Out(A, 4)], Ok(()), &[]),
        ("fd_read", vec![N(4), In(LIST, 16), Len(2, 8), Out(A, 4)], Ok(()), BUFFERS),
        ("fd_readdir", vec![N(3), Out(B, 100), Len(100, 1), N(0), Out(A, 4)], Ok(()), &[]),
        ("fd_renumber", vec![N(4), N(5)], Ok(()), &[]),
        ("fd_seek", vec![N(4), N(5), N(0), Out(A, 8)], Ok(()), &[]),
        ("fd_sync", vec![N(4)], Ok(()), &[]),
        ("fd_tell", vec![N(4), Out(A, 8)], Ok(()), &[]),
        ("fd_write", vec![N(4), In(LIST, 16), Len(2, 8), Out(A, 4)], Ok(()), &[]),
        ("path_create_directory", vec![N(3), In(NEW, 3), Len(3, 1)], Ok(()), &[]),
        ("path_filestat_get", vec![N(3), N(1), In(SYMLINK, 4), Len(4, 1), Out(A, 64)], Ok(()), &[]),
        ("path_filestat_set_times", vec![N(3), N(1), In(FILE, 1), Len(1, 1), N(1), N(1), N(5)], Ok(()), &[]),
        ("path_link", vec![N(3), N(0), In(FILE, 1), Len(1, 1), N(5), In(NEW, 3), Len(3, 1)], Ok(()), &[]),
        ("path_open", vec![N(3), N(0), In(NEW, 3), Len(3, 1), N(1), N(66), N(all), N(0), Out(A, 4)], Ok(()), &[]),
        ("path_readlink", vec![N(3), In(SYMLINK, 4), Len(4, 1), Out(B, 9), Len(9, 1), Out(A, 4)], Ok(()), &[]),
        ("path_remove_directory", vec![N(3), In(SUB, 5), Len(5, 1)], Ok(()), &[]),
        ("path_rename", vec![N(3), In(FILE, 1), Len(1, 1), N(5), In(NEW, 3), Len(3, 1)], Ok(()), &[]),
        ("path_symlink", vec![In(FILE, 1), Len(1, 1), N(5), In(NEW, 3), Len(3, 1)], Ok(()), &[]),
        ("path_unlink_file", vec![N(3), In(FILE, 1), Len(1, 1)], Ok(()), &[]),
        ("poll_oneoff", vec![In(SUBSCRIPTIONS, 96), Out(B, 64), Len(2, 48), Out(A, 4)], Ok(()), &[]),
        ("proc_exit", vec![N(3)], Err(Fault::Exit(3)), &[]),
        ("proc_raise", vec![N(9)], errno(Errno::Nosys), &[]),
        ("sched_yield", vec![], Ok(()), &[]),
        ("random_get", vec![Out(A, 50), Len(50, 1)], Ok(()), &[]),
        // A socket is never open, so no pointer is looked at.
        ("sock_accept", vec![N(4), N(0), N(all)], errno(Errno::Notsock), &[]),
        ("sock_recv", vec![N(4), N(all), N(all), N(0), N(all), N(all)], errno(Errno::Notsock), &[]),
        ("sock_send", vec![N(4), N(all), N(all), N(0), N(all)], errno(Errno::Notsock), &[]),
        ("sock_shutdown", vec![N(4), N(3)], errno(Errno::Notsock), &[]),
    ]
}

fn numbers(args: &[Arg]) -> Vec<u64> {
    args.iter()
        .map(|arg| match *arg {
            N(n) => n,
            In(at, _) | Out(at, _) | Len(at, _) => at.into(),
        })
        .collect()
}

/// The first changed byte outside of `allowed`.
fn stray(before: &[u8], after: &[u8], allowed: &[Range<u32>]) -> Option<usize> {
    before
        .iter()
        .zip(after)
        .enumerate()
        .position(|(at, (a, b))| a != b && !allowed.iter().any(|range| range.contains(&(at as u32))))
}

/// What is open, by number: as a guest can tell.
fn open_descriptors(world: &mut World) -> Vec<u32> {
    (0..20).filter(|number| world.ctx.files.get(*number).is_ok()).collect()
}

#[test]
fn every_function_is_called_and_writes_only_where_it_is_told() {
    let names: HashSet<_> = calls().iter().map(|call| call.0).collect();
    assert_eq!(names, TABLE.iter().map(|row| row.name).collect());
    for (name, args, expected, also) in calls() {
        let params = fuelbox::host::wasi::find(name).unwrap().signature().params.len();
        assert_eq!(args.len(), params, "{name}");
        // As it is, all at odd addresses, and with each answer at 0 and at the end of memory.
        let outs = (0..args.len()).filter(|at| matches!(args[*at], Out(..)));
        let moved = outs.flat_map(|at| [Some((at, false)), Some((at, true))]);
        for change in [None].into_iter().chain(moved) {
            let dir = furnished();
            let mut world = given(&dir.0);
            let mut args = args.clone();
            if let Some((at, to_end)) = change {
                let Out(_, size) = args[at] else { unreachable!() };
                args[at] = Out(if to_end { MEMORY_BYTES as u32 - size } else { 0 }, size);
            }
            let before = world.memory.clone();
            let answer = world.call(|c| invoke(c, name, &numbers(&args)));
            assert_eq!(answer, expected, "{name} {args:?}");
            let mut allowed = also.to_vec();
            allowed.extend(args.iter().filter_map(|arg| match *arg {
                Out(at, size) => Some(at..at + size),
                _ => None,
            }));
            assert_eq!(stray(&before, &world.memory, &allowed), None, "{name} {args:?}");
        }
    }
}

/// Calls `name` in a fresh world with these numbers, and asserts that it is refused without any effect.
fn refused(name: &str, n: &[u64], prepare: impl FnOnce(&mut World)) {
    thread_local!(static FOLDER_USED: TempDir = furnished());
    FOLDER_USED.with(|dir| {
        let mut world = given(&dir.0);
        prepare(&mut world);
        let (files, memory, quota) = (tree(&dir.0), world.memory.clone(), world.ctx.files.quota);
        let descriptors = open_descriptors(&mut world);
        let answer = world.call(|c| invoke(c, name, n));
        let possible = [Errno::Fault, Errno::Inval, Errno::Overflow, Errno::Nametoolong];
        let refused = possible.map(|errno| Err(Fault::Errno(errno)));
        assert!(refused.contains(&answer), "{name} {n:?}: {answer:?}");
        assert_eq!(stray(&memory, &world.memory, &[]), None, "{name} {n:?}");
        assert!(tree(&dir.0) == files, "{name} {n:?} changed a file");
        assert_eq!(open_descriptors(&mut world), descriptors, "{name} {n:?}");
        assert_eq!(world.ctx.files.quota, quota, "{name} {n:?}");
        // A refused call moves nothing, or the next one would read or write elsewhere.
        assert_eq!(world.call(|c| fd::fd_tell(c, 4, 0)), Ok(()));
        assert_eq!(world.memory[..8], [0; 8], "{name} {n:?} moved");
    });
}

#[test]
fn every_wrong_pointer_is_refused_without_any_effect() {
    let mut tried = 0;
    for (name, args, _, _) in calls() {
        let good = numbers(&args);
        for (at, arg) in args.iter().enumerate() {
            let (In(_, size) | Out(_, size)) = *arg else { continue };
            for bad in bad_pointers(size) {
                let mut n = good.clone();
                n[at] = bad.into();
                refused(name, &n, |_| {});
                tried += 1;
            }
        }
    }
    assert!(tried > 200, "{tried}");
}

#[test]
fn every_wrong_length_is_refused_without_any_effect() {
    let mut tried = 0;
    for (name, args, _, _) in calls() {
        let good = numbers(&args);
        for (at, arg) in args.iter().enumerate() {
            let Len(_, unit) = *arg else { continue };
            let start = good[at - 1] as u32;
            let fits = (MEMORY_BYTES as u32 - start) / unit;
            // Counted in 32 bits, the end comes round to a small number.
            let wraps = (u32::MAX - start) / unit + 1;
            for bad in [
                fits + 1,
                wraps,
                u32::MAX / unit,
                (u32::MAX / unit).saturating_add(1),
                1 << 31,
                u32::MAX - 1,
                u32::MAX,
            ] {
                let mut n = good.clone();
                n[at] = bad.into();
                refused(name, &n, |_| {});
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried}");
}

#[test]
fn every_wrong_buffer_in_a_list_is_refused_without_any_effect() {
    for name in ["fd_read", "fd_pread", "fd_write", "fd_pwrite"] {
        let (_, args, _, _) = calls().into_iter().find(|call| call.0 == name).unwrap();
        for bad in [[u32::MAX, 1], [65_536, 1], [65_535, 2], [1, u32::MAX], [u32::MAX, u32::MAX], [0, 65_537]]
        {
            for at in [0, 1] {
                let list = LIST as usize + 8 * at;
                refused(name, &numbers(&args), |world| world.put(list, &bad));
            }
        }
    }
}

#[test]
fn a_guest_without_memory_gets_faults_and_changes_nothing() {
    for (name, args, expected, _) in calls() {
        if !args.iter().any(|arg| matches!(arg, In(..) | Out(..))) {
            continue;
        }
        let dir = furnished();
        let mut world = given(&dir.0);
        let files = tree(&dir.0);
        world.memory.clear();
        let answer = world.call(|c| invoke(c, name, &numbers(&args)));
        assert_eq!(answer, Err(Fault::Errno(Errno::Fault)), "{name} ({expected:?})");
        assert!(tree(&dir.0) == files, "{name}");
    }
}
