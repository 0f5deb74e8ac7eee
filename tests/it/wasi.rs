//! The WASI functions as plain functions, without wasm: what they write, that they write nothing else, and
//! every pointer, length and descriptor that a guest may get wrong.

use fuelbox::wasi::abi::{Errno, Fault};
use fuelbox::wasi::ctx::{Clock, Entropy, WasiCtx};
use fuelbox::wasi::files::SinkTo;
use fuelbox::wasi::{Call, clock, fd, process};
use fuelbox::{Limits, Stdin};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

type Answer = Result<(), Fault>;

const MEMORY_BYTES: usize = 65_536;

/// A context and a memory full of `?`.
struct World {
    ctx: WasiCtx,
    memory: Vec<u8>,
}

impl World {
    fn new(stdin: Stdin) -> World {
        let keep = || SinkTo::Buffer(Vec::new());
        let mut ctx = WasiCtx::new(Limits::default().output_bytes, stdin, keep(), keep());
        ctx.clock = Clock::Fixed(0x0102_0304_0506_0708);
        ctx.entropy = Entropy::Fixed(b'r');
        ctx.args = [&b"prog"[..], b"", b"two"].map(<[u8]>::to_vec).to_vec();
        ctx.env = vec![b"K=V".to_vec()];
        World { ctx, memory: vec![b'?'; MEMORY_BYTES] }
    }

    fn call(&mut self, f: impl FnOnce(&mut Call<'_>) -> Answer) -> Answer {
        f(&mut Call { ctx: &mut self.ctx, memory: &mut self.memory })
    }

    fn put(&mut self, at: usize, words: &[u32]) {
        for (i, word) in words.iter().enumerate() {
            self.memory[at + 4 * i..at + 4 * i + 4].copy_from_slice(&word.to_le_bytes());
        }
    }
}

/// Calls `f` and asserts that it succeeds, writes `expected` pieces, and changes nothing else.
#[track_caller]
fn writes(world: &mut World, expected: &[(usize, &[u8])], f: impl FnOnce(&mut Call<'_>) -> Answer) {
    let mut wanted = world.memory.clone();
    for (at, bytes) in expected {
        wanted[*at..*at + bytes.len()].copy_from_slice(bytes);
    }
    assert_eq!(world.call(f), Ok(()));
    let differs = wanted.iter().zip(&world.memory).position(|(a, b)| a != b);
    assert_eq!(differs, None, "first wrong byte");
}

/// Calls `f` and asserts that it gives `errno` and changes nothing.
#[track_caller]
fn fails(world: &mut World, errno: Errno, f: impl FnOnce(&mut Call<'_>) -> Answer) {
    let before = world.memory.clone();
    assert_eq!(world.call(f), Err(Fault::Errno(errno)));
    assert!(world.memory == before, "memory changed");
}

/// Pointers at which `bytes` bytes do not fit.
fn bad_pointers(bytes: u32) -> [u32; 5] {
    let end = MEMORY_BYTES as u32;
    [end - bytes + 1, end, end + 1, u32::MAX - bytes + 1, u32::MAX]
}

#[test]
fn sizes_and_strings_go_where_they_are_asked_for() {
    let mut world = World::new(Stdin::Empty);
    writes(&mut world, &[(0, &[3, 0, 0, 0]), (9, &[10, 0, 0, 0])], |c| process::args_sizes_get(c, 0, 9));
    let pointers = [[21, 0, 0, 0], [26, 0, 0, 0], [27, 0, 0, 0]].concat();
    writes(&mut world, &[(1, &pointers), (21, b"prog\0\0two\0")], |c| process::args_get(c, 1, 21));
    let mut world = World::new(Stdin::Empty);
    writes(&mut world, &[(4, &[1, 0, 0, 0]), (0, &[4, 0, 0, 0])], |c| process::environ_sizes_get(c, 4, 0));
    let mut world = World::new(Stdin::Empty);
    let end = MEMORY_BYTES - 4;
    writes(&mut world, &[(0, &[0xfc, 0xff, 0, 0]), (end, b"K=V\0")], |c| {
        process::environ_get(c, 0, end as u32)
    });
}

#[test]
fn sizes_and_strings_that_do_not_fit_are_faults() {
    let mut world = World::new(Stdin::Empty);
    for bad in bad_pointers(4) {
        fails(&mut world, Errno::Fault, |c| process::args_sizes_get(c, bad, 0));
        fails(&mut world, Errno::Fault, |c| process::args_sizes_get(c, 0, bad));
        fails(&mut world, Errno::Fault, |c| process::environ_sizes_get(c, bad, 0));
        fails(&mut world, Errno::Fault, |c| process::environ_sizes_get(c, 0, bad));
        fails(&mut world, Errno::Fault, |c| process::environ_get(c, bad, 0));
        fails(&mut world, Errno::Fault, |c| process::environ_get(c, 0, bad));
    }
    for bad in bad_pointers(12) {
        fails(&mut world, Errno::Fault, |c| process::args_get(c, bad, 0));
    }
    for bad in bad_pointers(10) {
        fails(&mut world, Errno::Fault, |c| process::args_get(c, 0, bad));
    }
}

#[test]
fn a_guest_without_memory_gets_faults() {
    let mut world = World::new(Stdin::Empty);
    world.memory.clear();
    fails(&mut world, Errno::Fault, |c| process::args_sizes_get(c, 0, 0));
    fails(&mut world, Errno::Fault, |c| clock::clock_time_get(c, 0, 0, 0));
    fails(&mut world, Errno::Fault, |c| fd::fd_write(c, 1, 0, 0, 0));
    assert_eq!(world.call(|c| process::random_get(c, 0, 0)), Ok(()));
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
    world.ctx.clock = Clock::System;
    let first = world.ctx.monotonic_ns();
    assert!(world.ctx.monotonic_ns() >= first);
    assert!(world.ctx.realtime_ns() > 1_600_000_000_000_000_000, "later than 2020");
}

#[test]
fn random_bytes_fill_what_is_asked_for() {
    let mut world = World::new(Stdin::Empty);
    writes(&mut world, &[(7, &[b'r'; 100])], |c| process::random_get(c, 7, 100));
    writes(&mut world, &[], |c| process::random_get(c, MEMORY_BYTES as u32, 0));
    for bad in bad_pointers(4) {
        fails(&mut world, Errno::Fault, |c| process::random_get(c, bad, 4));
    }
    fails(&mut world, Errno::Fault, |c| process::random_get(c, 0, 1 << 20));
    fails(&mut world, Errno::Inval, |c| process::random_get(c, 0, (1 << 20) + 1));
    fails(&mut world, Errno::Inval, |c| process::random_get(c, 0, u32::MAX));
    world.ctx.entropy = Entropy::System;
    assert_eq!(world.call(|c| process::random_get(c, 0, 64)), Ok(()));
    assert_ne!(world.memory[..32], world.memory[32..64]);
}

#[test]
fn exit_ends_the_run_and_yield_does_nothing() {
    let mut world = World::new(Stdin::Empty);
    for code in [0, 1, u32::MAX] {
        assert_eq!(world.call(|c| process::proc_exit(c, code)), Err(Fault::Exit(code)));
    }
    writes(&mut world, &[], process::sched_yield);
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
fn a_pipe_that_gives_nothing_is_waited_for_until_the_deadline() {
    let (send, receive) = channel::<Vec<u8>>();
    let mut world = World::new(Stdin::Pipe(receive));
    world.ctx.start(Instant::now(), Some(Duration::from_millis(20)));
    world.put(0, &[100, 3]);
    assert_eq!(world.call(|c| fd::fd_read(c, 0, 0, 1, 64)), Err(Fault::Deadline));
    drop(send);
}

#[test]
fn descriptors_that_are_not_open_are_refused_everywhere() {
    let mut world = World::new(Stdin::Empty);
    assert_eq!(world.call(|c| fd::fd_close(c, 2)), Ok(()));
    for bad in [2, 3, 4, 1000, u32::MAX] {
        fails(&mut world, Errno::Badf, |c| fd::fd_close(c, bad));
        fails(&mut world, Errno::Badf, |c| fd::fd_read(c, bad, 0, 1, 64));
        fails(&mut world, Errno::Badf, |c| fd::fd_write(c, bad, 0, 1, 64));
        fails(&mut world, Errno::Badf, |c| fd::fd_fdstat_get(c, bad, 64));
        fails(&mut world, Errno::Badf, |c| fd::fd_fdstat_set_flags(c, bad, 0));
        fails(&mut world, Errno::Badf, |c| fd::fd_filestat_get(c, bad, 64));
        fails(&mut world, Errno::Badf, |c| fd::fd_seek(c, bad, 0, 0, 64));
        fails(&mut world, Errno::Badf, |c| fd::fd_tell(c, bad, 64));
        fails(&mut world, Errno::Badf, |c| fd::fd_pread(c, bad, 0, 1, 0, 64));
        fails(&mut world, Errno::Badf, |c| fd::fd_pwrite(c, bad, 0, 1, 0, 64));
    }
    for any in 0..5 {
        fails(&mut world, Errno::Badf, |c| fd::fd_prestat_get(c, any, 64));
        fails(&mut world, Errno::Badf, |c| fd::fd_prestat_dir_name(c, any, 64, 4));
    }
    // The wrong direction.
    fails(&mut world, Errno::Badf, |c| fd::fd_write(c, 0, 0, 1, 64));
    fails(&mut world, Errno::Badf, |c| fd::fd_read(c, 1, 0, 1, 64));
}

#[test]
fn streams_are_character_devices_that_cannot_seek() {
    let mut world = World::new(Stdin::Empty);
    let mut stat = [0; 24];
    stat[0] = 2;
    for (number, flags, direction) in [(0, 0, 1_u64 << 1), (1, 1, 1 << 6), (2, 1, 1 << 6)] {
        stat[2] = flags;
        stat[8..16].copy_from_slice(&(direction | 1 << 21 | 1 << 27).to_le_bytes());
        writes(&mut world, &[(50, &stat)], |c| fd::fd_fdstat_get(c, number, 50));
        let mut file = [0; 64];
        file[16] = 2;
        writes(&mut world, &[(128, &file)], |c| fd::fd_filestat_get(c, number, 128));
        fails(&mut world, Errno::Spipe, |c| fd::fd_seek(c, number, 0, 0, 64));
        fails(&mut world, Errno::Spipe, |c| fd::fd_tell(c, number, 64));
        fails(&mut world, Errno::Spipe, |c| fd::fd_pread(c, number, 0, 1, 0, 64));
        fails(&mut world, Errno::Spipe, |c| fd::fd_pwrite(c, number, 0, 1, 0, 64));
        writes(&mut world, &[], |c| fd::fd_fdstat_set_flags(c, number, 0x1f));
        fails(&mut world, Errno::Inval, |c| fd::fd_fdstat_set_flags(c, number, 0x20));
    }
    for bad in bad_pointers(24) {
        fails(&mut world, Errno::Fault, |c| fd::fd_fdstat_get(c, 0, bad));
    }
    for bad in bad_pointers(64) {
        fails(&mut world, Errno::Fault, |c| fd::fd_filestat_get(c, 0, bad));
    }
}
