//! The WASI functions as plain functions, without wasm: what they write, that they write nothing else, and
//! every pointer, length and descriptor that a guest may get wrong.

use crate::wasi_world::{MEMORY_BYTES, World, bad_pointers, fails, writes};
use fuelbox::Stdin;
use fuelbox::host::wasi::abi::{Errno, Fault, Wait};
use fuelbox::host::wasi::entropy::Entropy;
use fuelbox::host::wasi::time::Clock;
use fuelbox::host::wasi::{args, clock, fd, prestat, proc, random, sched, sock, stat};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

#[test]
fn sizes_and_strings_go_where_they_are_asked_for() {
    let mut world = World::new(Stdin::Empty);
    writes(&mut world, &[(0, &[3, 0, 0, 0]), (9, &[10, 0, 0, 0])], |c| args::args_sizes_get(c, 0, 9));
    let pointers = [[21, 0, 0, 0], [26, 0, 0, 0], [27, 0, 0, 0]].concat();
    writes(&mut world, &[(1, &pointers), (21, b"prog\0\0two\0")], |c| args::args_get(c, 1, 21));
    let mut world = World::new(Stdin::Empty);
    writes(&mut world, &[(4, &[1, 0, 0, 0]), (0, &[4, 0, 0, 0])], |c| args::environ_sizes_get(c, 4, 0));
    let mut world = World::new(Stdin::Empty);
    let end = MEMORY_BYTES - 4;
    writes(&mut world, &[(0, &[0xfc, 0xff, 0, 0]), (end, b"K=V\0")], |c| args::environ_get(c, 0, end as u32));
}

#[test]
fn sizes_and_strings_that_do_not_fit_are_faults() {
    let mut world = World::new(Stdin::Empty);
    for bad in bad_pointers(4) {
        fails(&mut world, Errno::Fault, |c| args::args_sizes_get(c, bad, 0));
        fails(&mut world, Errno::Fault, |c| args::args_sizes_get(c, 0, bad));
        fails(&mut world, Errno::Fault, |c| args::environ_sizes_get(c, bad, 0));
        fails(&mut world, Errno::Fault, |c| args::environ_sizes_get(c, 0, bad));
        fails(&mut world, Errno::Fault, |c| args::environ_get(c, bad, 0));
        fails(&mut world, Errno::Fault, |c| args::environ_get(c, 0, bad));
    }
    for bad in bad_pointers(12) {
        fails(&mut world, Errno::Fault, |c| args::args_get(c, bad, 0));
    }
    for bad in bad_pointers(10) {
        fails(&mut world, Errno::Fault, |c| args::args_get(c, 0, bad));
    }
}

#[test]
fn a_guest_without_memory_gets_faults() {
    let mut world = World::new(Stdin::Empty);
    world.memory.clear();
    fails(&mut world, Errno::Fault, |c| args::args_sizes_get(c, 0, 0));
    fails(&mut world, Errno::Fault, |c| clock::clock_time_get(c, 0, 0, 0));
    fails(&mut world, Errno::Fault, |c| fd::fd_write(c, 1, 0, 0, 0));
    assert_eq!(world.call(|c| random::random_get(c, 0, 0)), Ok(()));
}

#[test]
fn clocks_tell_the_time_they_are_given() {
    let now = [8, 7, 6, 5, 4, 3, 2, 1];
    let mut world = World::new(Stdin::Empty);
    for id in 0..4 {
        writes(&mut world, &[(33, &now)], |c| clock::clock_time_get(c, id, u64::MAX, 33));
        writes(&mut world, &[(0, &[1, 0, 0, 0, 0, 0, 0, 0])], |c| clock::clock_res_get(c, id, 0));
    }
    for id in [4, 5, u32::MAX] {
        fails(&mut world, Errno::Inval, |c| clock::clock_time_get(c, id, 0, 0));
        fails(&mut world, Errno::Inval, |c| clock::clock_res_get(c, id, 0));
    }
    for bad in bad_pointers(8) {
        fails(&mut world, Errno::Fault, |c| clock::clock_time_get(c, 0, 0, bad));
        fails(&mut world, Errno::Fault, |c| clock::clock_res_get(c, 1, bad));
    }
}

#[test]
fn the_systems_clock_goes_on() {
    let mut world = World::new(Stdin::Empty);
    world.ctx.clock = Clock::system();
    world.ctx.start(Instant::now(), true);
    for clock in 1..4 {
        let first = world.ctx.clock.now(clock).unwrap();
        assert!(world.ctx.clock.now(clock).unwrap() >= first, "clock {clock}");
        assert!(first < 1_000_000_000, "clock {clock} counts from the start of the run");
    }
    assert!(world.ctx.clock.now(0).unwrap() > 1_600_000_000_000_000_000, "later than 2020");
    for clock in 0..4 {
        let resolution = world.ctx.clock.resolution(clock).unwrap();
        assert!((1..1_000_000_000).contains(&resolution), "clock {clock}: {resolution}");
    }
}

#[test]
fn cpu_time_is_time_at_work() {
    let mut world = World::new(Stdin::Empty);
    world.ctx.clock = Clock::system();
    world.ctx.start(Instant::now(), true);
    std::thread::sleep(Duration::from_millis(50));
    let (real, cpu) = (world.ctx.clock.now(1).unwrap(), world.ctx.clock.now(3).unwrap());
    assert!(real >= 50_000_000);
    assert!(cpu < real, "{cpu} of {real}: sleeping takes no CPU time");
}

#[test]
fn random_bytes_fill_what_is_asked_for() {
    let mut world = World::new(Stdin::Empty);
    writes(&mut world, &[(7, &[b'r'; 100])], |c| random::random_get(c, 7, 100));
    writes(&mut world, &[], |c| random::random_get(c, MEMORY_BYTES as u32, 0));
    for bad in bad_pointers(4) {
        fails(&mut world, Errno::Fault, |c| random::random_get(c, bad, 4));
    }
    fails(&mut world, Errno::Fault, |c| random::random_get(c, 0, 1 << 20));
    fails(&mut world, Errno::Fault, |c| random::random_get(c, 0, (1 << 20) + 1));
    fails(&mut world, Errno::Fault, |c| random::random_get(c, 0, u32::MAX));
    world.ctx.entropy = Entropy::System;
    assert_eq!(world.call(|c| random::random_get(c, 0, 64)), Ok(()));
    assert_ne!(world.memory[..32], world.memory[32..64]);
}

#[test]
fn random_bytes_beyond_a_mebibyte_are_filled_piece_by_piece() {
    const MIB: usize = 1 << 20;
    for (len, waits) in [(MIB - 1, 0), (MIB, 0), (MIB + 1, 1), (2 * MIB, 1), (3 * MIB + 7, 3)] {
        let mut world = World::new(Stdin::Empty);
        world.memory = vec![b'?'; 4 * MIB];
        let mut waited = 0;
        while let Err(fault) = world.call(|c| random::random_get(c, 9, len as u32)) {
            assert!(matches!(fault, Fault::Wait(_)), "{fault:?}");
            waited += 1;
        }
        assert_eq!(waited, waits, "{len}");
        assert!(world.memory[..9].iter().chain(&world.memory[9 + len..]).all(|byte| *byte == b'?'));
        assert!(world.memory[9..9 + len].iter().all(|byte| *byte == b'r'));
        assert_eq!(world.ctx.moved_bytes, 16 * len as u64, "all of it is paid for");
        // The next call begins anew.
        writes(&mut world, &[(0, b"rr")], |c| random::random_get(c, 0, 2));
    }
}

#[test]
fn exit_ends_the_run_and_yield_does_nothing() {
    let mut world = World::new(Stdin::Empty);
    for code in [0, 1, u32::MAX] {
        assert_eq!(world.call(|c| proc::proc_exit(c, code)), Err(Fault::Exit(code)));
    }
    writes(&mut world, &[], sched::sched_yield);
}

#[test]
fn write_gathers_its_buffers_in_order() {
    let mut world = World::new(Stdin::Empty);
    world.memory[100..106].copy_from_slice(b"abcdef");
    // Overlapping, empty, one byte, and at the end of memory.
    world.put(3, &[100, 4, 102, 4, 0, 0, 105, 1, MEMORY_BYTES as u32 - 1, 1, MEMORY_BYTES as u32, 0]);
    writes(&mut world, &[(64, &[10, 0, 0, 0])], |c| fd::fd_write(c, 1, 3, 6, 64));
    writes(&mut world, &[(64, &[0, 0, 0, 0])], |c| fd::fd_write(c, 2, 3, 0, 64));
    assert_eq!(world.ctx.files.stdout.into_bytes(), b"abcdcdeff?");
}

#[test]
fn a_wrong_buffer_writes_nothing_at_all() {
    let mut world = World::new(Stdin::Empty);
    for (base, len) in [(65_535, 2), (65_536, 1), (u32::MAX, 1), (1, u32::MAX), (u32::MAX, u32::MAX)] {
        world.put(0, &[100, 4, base, len]);
        fails(&mut world, Errno::Fault, |c| fd::fd_write(c, 1, 0, 2, 64));
    }
    world.put(0, &[100, 4]);
    for bad in bad_pointers(8) {
        fails(&mut world, Errno::Fault, |c| fd::fd_write(c, 1, bad, 1, 64));
    }
    for bad in bad_pointers(4) {
        fails(&mut world, Errno::Fault, |c| fd::fd_write(c, 1, 0, 1, bad));
    }
    assert_eq!(world.ctx.files.stdout.into_bytes(), b"");
}

#[test]
fn a_thousand_and_twenty_four_buffers_are_the_most() {
    let mut world = World::new(Stdin::Bytes(vec![b'i'; 2000]));
    for i in 0..1025 {
        world.put(8 * i, &[60_000, 1]);
    }
    writes(&mut world, &[(61_000, &[0, 4, 0, 0])], |c| fd::fd_write(c, 1, 0, 1024, 61_000));
    for count in [1025, u32::MAX, u32::MAX / 8 + 2] {
        fails(&mut world, Errno::Inval, |c| fd::fd_write(c, 1, 0, count, 61_000));
        fails(&mut world, Errno::Inval, |c| fd::fd_read(c, 0, 0, count, 61_000));
    }
    writes(&mut world, &[(60_000, b"i"), (61_000, &[0, 4, 0, 0])], |c| fd::fd_read(c, 0, 0, 1024, 61_000));
    assert_eq!(world.ctx.files.stdout.into_bytes(), vec![b'?'; 1024]);
}

#[test]
fn one_write_moves_at_most_a_mebibyte() {
    let mut world = World::new(Stdin::Empty);
    let many: Vec<u32> = [0, 65_536].repeat(17);
    world.put(0, &many);
    writes(&mut world, &[(1000, &[0, 0, 16, 0])], |c| fd::fd_write(c, 1, 0, 17, 1000));
    assert_eq!(world.ctx.files.stdout.into_bytes().len(), 1 << 20);
}

#[test]
fn read_scatters_into_its_buffers_in_order() {
    let mut world = World::new(Stdin::Bytes(b"abcdefgh".to_vec()));
    world.put(0, &[101, 3, 0, 0, 65_534, 2]);
    writes(&mut world, &[(101, b"abc"), (65_534, b"de"), (64, &[5, 0, 0, 0])], |c| {
        fd::fd_read(c, 0, 0, 3, 64)
    });
    // The rest, and then the end.
    writes(&mut world, &[(101, b"fgh"), (64, &[3, 0, 0, 0])], |c| fd::fd_read(c, 0, 0, 3, 64));
    writes(&mut world, &[(64, &[0, 0, 0, 0])], |c| fd::fd_read(c, 0, 0, 3, 64));
}

#[test]
fn a_wrong_buffer_reads_nothing_at_all() {
    let mut world = World::new(Stdin::Bytes(b"abcdefgh".to_vec()));
    world.put(0, &[101, 3, 65_535, 2]);
    fails(&mut world, Errno::Fault, |c| fd::fd_read(c, 0, 0, 2, 64));
    for bad in bad_pointers(4) {
        fails(&mut world, Errno::Fault, |c| fd::fd_read(c, 0, 0, 1, bad));
    }
    writes(&mut world, &[(101, b"abc"), (64, &[3, 0, 0, 0])], |c| fd::fd_read(c, 0, 0, 1, 64));
}

#[test]
fn buffers_may_overlap_each_other_and_the_list() {
    let mut world = World::new(Stdin::Bytes(b"abcdefgh".to_vec()));
    world.put(0, &[0, 4, 2, 4]);
    let before = world.memory[6..].to_vec();
    assert_eq!(world.call(|c| fd::fd_read(c, 0, 0, 2, 64)), Ok(()));
    assert_eq!(&world.memory[..6], b"abefgh");
    assert_eq!(&world.memory[64..68], [8, 0, 0, 0]);
    assert_eq!(world.memory[6..64], before[..58]);
}

#[test]
fn a_pipe_gives_what_has_come_and_waits_only_for_the_first_byte() {
    let (send, receive) = channel();
    let mut world = World::new(Stdin::Pipe(receive));
    world.put(0, &[100, 3, 200, 100]);
    send.send(b"abcdef".to_vec()).unwrap();
    writes(&mut world, &[(100, b"abc"), (200, b"def"), (64, &[6, 0, 0, 0])], |c| fd::fd_read(c, 0, 0, 2, 64));
    send.send(b"xyz".to_vec()).unwrap();
    writes(&mut world, &[(100, b"xyz"), (64, &[3, 0, 0, 0])], |c| fd::fd_read(c, 0, 0, 2, 64));
    drop(send);
    for _ in 0..2 {
        writes(&mut world, &[(64, &[0, 0, 0, 0])], |c| fd::fd_read(c, 0, 0, 2, 64));
    }
}

#[test]
fn a_pipe_that_gives_nothing_is_to_be_waited_for() {
    let (send, receive) = channel::<Vec<u8>>();
    let mut world = World::new(Stdin::Pipe(receive));
    world.put(0, &[100, 3]);
    let wait = Err(Fault::Wait(Wait { until: None, stdin: true }));
    let before = world.memory.clone();
    assert_eq!(world.call(|c| fd::fd_read(c, 0, 0, 1, 64)), wait);
    assert!(world.memory == before);
    world.ctx.wait(Wait { until: None, stdin: true }, Some(Instant::now() + Duration::from_millis(5)));
    assert_eq!(world.call(|c| fd::fd_read(c, 0, 0, 1, 64)), wait, "a wait that ended without input");
    send.send(b"in".to_vec()).unwrap();
    world.ctx.wait(Wait { until: None, stdin: true }, None);
    writes(&mut world, &[(100, b"in"), (64, &[2, 0, 0, 0])], |c| fd::fd_read(c, 0, 0, 1, 64));
    // Nothing asked for is nothing to wait for.
    writes(&mut world, &[(64, &[0, 0, 0, 0])], |c| fd::fd_read(c, 0, 0, 0, 64));
}

#[test]
fn lazy_input_begins_with_the_first_read() {
    let (began, begun) = channel();
    let lazy = Stdin::Lazy(Box::new(move || {
        began.send(()).unwrap();
        let (send, receive) = channel();
        send.send(b"late".to_vec()).unwrap();
        receive
    }));
    let mut world = World::new(lazy);
    world.put(0, &[100, 10]);
    assert_eq!(world.call(|c| stat::fd_filestat_get(c, 0, 1000)), Ok(()));
    assert!(begun.try_recv().is_err(), "nobody has read yet");
    writes(&mut world, &[(100, b"late"), (64, &[4, 0, 0, 0])], |c| fd::fd_read(c, 0, 0, 1, 64));
    assert!(begun.try_recv().is_ok());
    writes(&mut world, &[(64, &[0, 0, 0, 0])], |c| fd::fd_read(c, 0, 0, 1, 64));
}

#[test]
fn descriptors_that_are_not_open_are_refused_everywhere() {
    let mut world = World::new(Stdin::Empty);
    assert_eq!(world.call(|c| fd::fd_close(c, 2)), Ok(()));
    for bad in [2, 3, 4, 1000, u32::MAX] {
        fails(&mut world, Errno::Badf, |c| fd::fd_close(c, bad));
        fails(&mut world, Errno::Badf, |c| fd::fd_read(c, bad, 0, 1, 64));
        fails(&mut world, Errno::Badf, |c| fd::fd_write(c, bad, 0, 1, 64));
        fails(&mut world, Errno::Badf, |c| stat::fd_fdstat_get(c, bad, 64));
        fails(&mut world, Errno::Badf, |c| fd::fd_fdstat_set_flags(c, bad, 0));
        fails(&mut world, Errno::Badf, |c| stat::fd_filestat_get(c, bad, 64));
        fails(&mut world, Errno::Badf, |c| fd::fd_seek(c, bad, 0, 0, 64));
        fails(&mut world, Errno::Badf, |c| fd::fd_tell(c, bad, 64));
        fails(&mut world, Errno::Badf, |c| fd::fd_pread(c, bad, 0, 1, 0, 64));
        fails(&mut world, Errno::Badf, |c| fd::fd_pwrite(c, bad, 0, 1, 0, 64));
    }
    for any in 0..5 {
        fails(&mut world, Errno::Badf, |c| prestat::fd_prestat_get(c, any, 64));
        let errno = if any < 2 { Errno::Notdir } else { Errno::Badf };
        fails(&mut world, errno, |c| prestat::fd_prestat_dir_name(c, any, 64, 4));
    }
    for (fd, errno) in [(0, Errno::Notsock), (1, Errno::Notsock), (2, Errno::Badf), (9, Errno::Badf)] {
        fails(&mut world, errno, |c| sock::sock_accept(c, fd, 0, 64));
        fails(&mut world, errno, |c| sock::sock_recv(c, fd, 0, 1, 0, 64, 68));
        fails(&mut world, errno, |c| sock::sock_send(c, fd, 0, 1, 0, 64));
        fails(&mut world, errno, |c| sock::sock_shutdown(c, fd, 3));
    }
    // The wrong direction.
    fails(&mut world, Errno::Badf, |c| fd::fd_write(c, 0, 0, 1, 64));
    fails(&mut world, Errno::Badf, |c| fd::fd_read(c, 1, 0, 1, 64));
}

#[test]
fn streams_are_what_they_are_said_to_be_and_cannot_seek() {
    let mut world = World::new(Stdin::Empty);
    world.ctx.stream_types = [2, 0, 2];
    let mut fdstat = [0; 24];
    for (number, flags, direction) in [(0, 0, 1_u64 << 1), (1, 1, 1 << 6), (2, 1, 1 << 6)] {
        let kind = if number == 1 { 0 } else { 2 };
        (fdstat[0], fdstat[2]) = (kind, flags);
        fdstat[8..16].copy_from_slice(&(direction | 1 << 3 | 1 << 21 | 1 << 27).to_le_bytes());
        writes(&mut world, &[(50, &fdstat)], |c| stat::fd_fdstat_get(c, number, 50));
        let mut file = [0; 64];
        file[16] = kind;
        writes(&mut world, &[(128, &file)], |c| stat::fd_filestat_get(c, number, 128));
        fails(&mut world, Errno::Spipe, |c| fd::fd_seek(c, number, 0, 0, 64));
        fails(&mut world, Errno::Spipe, |c| fd::fd_tell(c, number, 64));
        fails(&mut world, Errno::Spipe, |c| fd::fd_pread(c, number, 0, 1, 0, 64));
        fails(&mut world, Errno::Spipe, |c| fd::fd_pwrite(c, number, 0, 1, 0, 64));
        writes(&mut world, &[], |c| fd::fd_fdstat_set_flags(c, number, 0x1f));
        fails(&mut world, Errno::Inval, |c| fd::fd_fdstat_set_flags(c, number, 0x20));
    }
    for bad in bad_pointers(24) {
        fails(&mut world, Errno::Fault, |c| stat::fd_fdstat_get(c, 0, bad));
    }
    for bad in bad_pointers(64) {
        fails(&mut world, Errno::Fault, |c| stat::fd_filestat_get(c, 0, bad));
    }
}

/// To count them all takes long, if they are many; whoever asks pays for each.
#[test]
fn to_ask_for_the_sizes_of_arguments_is_paid_for() {
    let mut world = World::new(Stdin::Empty);
    for count in [0, 1, 1_000] {
        world.ctx.args = vec![b"a".to_vec(); count];
        world.ctx.extra_fuel = 0;
        world.call(|c| args::args_sizes_get(c, 0, 8)).unwrap();
        assert_eq!(world.ctx.extra_fuel, count as u64);
    }
}
