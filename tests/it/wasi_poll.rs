//! `poll_oneoff`: what happens, when, and that no wait passes the deadline.

use crate::guest::{LONG, start};
use crate::support::{TempDir, deadline_ms};
use crate::wasi_dirs::{READ, open, world_with};
use crate::wasi_world::{World, fails};
use fuelbox::host::wasi::abi::{Errno, Fault, Wait};
use fuelbox::host::wasi::poll::poll_oneoff;
use fuelbox::host::wasi::time::Clock;
use fuelbox::{Invocation, Limits, Stdin, Stop};
use std::sync::mpsc::channel;

const EVENTS: u32 = 50_000;
const COUNT_OUT: u32 = 60_001;
/// A fixed time of the harness, in nanoseconds.
const NOW: u64 = 0x0102_0304_0506_0708;

/// A subscription by its fields: for a clock (id, time, flags), else a descriptor.
enum Sub {
    Clock(u32, u64, u16),
    Read(u32),
    Write(u32),
}

fn put(world: &mut World, subs: &[Sub]) {
    for (i, sub) in subs.iter().enumerate() {
        let bytes = &mut world.memory[48 * i..48 * i + 48];
        bytes.fill(0);
        bytes[..8].copy_from_slice(&(i as u64 + 7).to_le_bytes());
        match *sub {
            Sub::Clock(id, time, flags) => {
                bytes[16..20].copy_from_slice(&id.to_le_bytes());
                bytes[24..32].copy_from_slice(&time.to_le_bytes());
                bytes[32..40].fill(0xff);
                bytes[40..42].copy_from_slice(&flags.to_le_bytes());
            }
            Sub::Read(fd) | Sub::Write(fd) => {
                bytes[8] = if matches!(sub, Sub::Read(_)) { 1 } else { 2 };
                bytes[16..20].copy_from_slice(&fd.to_le_bytes());
            }
        }
    }
}

/// (userdata, type, bytes, flags) of each event; checks that nothing else in memory changed.
fn poll(world: &mut World, subs: &[Sub]) -> Result<Vec<(u64, u8, u64, u16)>, Fault> {
    put(world, subs);
    let before = world.memory.clone();
    let answer = world.call(|c| poll_oneoff(c, 0, EVENTS, subs.len() as u32, COUNT_OUT));
    if let Err(fault) = answer {
        assert!(world.memory == before, "memory changed");
        return Err(fault);
    }
    let at = COUNT_OUT as usize;
    let n = u32::from_le_bytes(world.memory[at..at + 4].try_into().unwrap()) as usize;
    let events: Vec<_> = world.memory[EVENTS as usize..][..32 * n]
        .chunks_exact(32)
        .map(|e| {
            let word = |at: usize| u64::from_le_bytes(e[at..at + 8].try_into().unwrap());
            assert_eq!((e[8], e[9]), (0, 0), "the errno of an event");
            (word(0), e[10], word(16), u16::from_le_bytes([e[24], e[25]]))
        })
        .collect();
    let mut expected = before;
    expected[at..at + 4].copy_from_slice(&(n as u32).to_le_bytes());
    let range = EVENTS as usize..EVENTS as usize + 32 * n;
    expected[range.clone()].copy_from_slice(&world.memory[range]);
    assert!(world.memory == expected, "something else was written");
    Ok(events)
}

#[test]
fn times_that_are_over_happen_at_once_whatever_their_clock() {
    let mut world = World::new(Stdin::Empty);
    for id in [0, 1] {
        for (time, flags) in [(0, 0), (0, 1), (NOW, 1), (NOW - 1, 1)] {
            assert_eq!(poll(&mut world, &[Sub::Clock(id, time, flags)]), Ok(vec![(7, 0, 0, 0)]));
        }
        // One that is over and one that is not: only the first.
        let two = [Sub::Clock(id, u64::MAX, 0), Sub::Clock(id, 0, 0)];
        assert_eq!(poll(&mut world, &two), Ok(vec![(8, 0, 0, 0)]));
    }
    for (id, flags) in [(2, 0), (3, 0), (4, 0), (u32::MAX, 0), (0, 2), (1, 3), (1, u16::MAX)] {
        assert_eq!(poll(&mut world, &[Sub::Clock(id, 0, flags)]), Err(Errno::Inval.into()));
    }
}

#[test]
fn times_to_come_are_waited_for_and_no_time_is_too_far() {
    let mut world = World::new(Stdin::Empty);
    for (time, flags) in [(1, 0), (u64::MAX, 0), (NOW + 1, 1), (u64::MAX, 1), (u64::MAX - 1, 0)] {
        for id in [0, 1] {
            let answer = poll(&mut world, &[Sub::Clock(id, time, flags)]);
            assert!(matches!(answer, Err(Fault::Wait(Wait { stdin: false, .. }))), "{answer:?}");
            world.ctx.polled_since = None;
        }
    }
    // A span counts from the first time that the call is made.
    assert!(poll(&mut world, &[Sub::Clock(1, 100, 0)]).is_err());
    world.ctx.clock = Clock::Fixed(NOW + 99);
    assert!(poll(&mut world, &[Sub::Clock(1, 100, 0)]).is_err());
    world.ctx.clock = Clock::Fixed(NOW + 100);
    assert_eq!(poll(&mut world, &[Sub::Clock(1, 100, 0)]), Ok(vec![(7, 0, 0, 0)]));
    assert!(poll(&mut world, &[Sub::Clock(1, 100, 0)]).is_err(), "and the next call's from its own");
}

#[test]
fn input_wakes_and_its_end_hangs_up() {
    let (send, receive) = channel();
    let mut world = World::new(Stdin::Pipe(receive));
    let wait = |world: &mut World| match poll(world, &[Sub::Read(0)]) {
        Err(Fault::Wait(wait)) => wait,
        other => panic!("{other:?}"),
    };
    assert_eq!(wait(&mut world), Wait { until: None, stdin: true });
    let with_end = poll(&mut world, &[Sub::Read(0), Sub::Clock(1, 1_000, 0)]);
    assert!(matches!(with_end, Err(Fault::Wait(Wait { until: Some(_), stdin: true }))));
    send.send(b"bytes".to_vec()).unwrap();
    for _ in 0..2 {
        assert_eq!(poll(&mut world, &[Sub::Read(0)]), Ok(vec![(7, 1, 5, 0)]), "nothing is taken");
    }
    world.put(0, &[100, 5]);
    assert_eq!(world.call(|c| fuelbox::host::wasi::fd::fd_read(c, 0, 0, 1, 64)), Ok(()));
    send.send(vec![]).unwrap();
    assert!(wait(&mut world).stdin, "an empty chunk is no input");
    drop(send);
    assert_eq!(poll(&mut world, &[Sub::Read(0), Sub::Read(0)]), Ok(vec![(7, 1, 0, 1), (8, 1, 0, 1)]));
    assert_eq!(poll(&mut World::new(Stdin::Empty), &[Sub::Read(0)]), Ok(vec![(7, 1, 0, 1)]));
}

#[test]
fn outputs_and_files_are_always_ready_and_the_rest_cannot_be_waited_for() {
    let dir = TempDir::new();
    dir.write("file", "content");
    let mut world = world_with(&Limits { dir_quota: 99, ..Limits::default() }, &[(&dir.0, false)]);
    assert_eq!(open(&mut world, 3, "file", 0, READ), Ok(4));
    let room = Limits::default().output_bytes as u64;
    let subs = [Sub::Write(1), Sub::Write(2), Sub::Read(4), Sub::Write(4)];
    let expected = vec![(7, 2, room, 0), (8, 2, room, 0), (9, 1, 7, 0), (10, 2, 99, 0)];
    assert_eq!(poll(&mut world, &subs), Ok(expected));
    for bad in [Sub::Read(1), Sub::Write(0), Sub::Read(3), Sub::Write(3), Sub::Read(5), Sub::Write(u32::MAX)]
    {
        assert_eq!(poll(&mut world, &[bad]), Err(Errno::Badf.into()));
    }
}

#[test]
fn a_thousand_and_twenty_four_subscriptions_are_the_most() {
    let mut world = World::new(Stdin::Empty);
    world.memory.resize(200_000, b'?');
    let many: Vec<Sub> = (0..1025).map(|_| Sub::Clock(1, 0, 0)).collect();
    put(&mut world, &many);
    assert_eq!(world.call(|c| poll_oneoff(c, 0, 100_000, 1024, 190_000)), Ok(()));
    assert_eq!(world.memory[190_000..190_004], 1024_u32.to_le_bytes());
    for count in [0, 1025, u32::MAX, u32::MAX / 48 + 2, 1 << 31] {
        fails(&mut world, Errno::Inval, |c| poll_oneoff(c, 0, 100_000, count, 190_000));
    }
    fails(&mut world, Errno::Fault, |c| poll_oneoff(c, 190_000, 0, 1024, 190_000));
    fails(&mut world, Errno::Fault, |c| poll_oneoff(c, 0, 190_000, 1024, 190_000));
    for out in [199_997, 200_000, u32::MAX] {
        fails(&mut world, Errno::Fault, |c| poll_oneoff(c, 0, 100_000, 1024, out));
    }
}

/// A guest's call that looks at many files, and then fails, must not be had for the price of a small one.
#[test]
fn a_call_that_fails_at_its_last_subscription_is_paid_for() {
    let dir = TempDir::new();
    dir.write("file", "content");
    let mut world = world_with(&Limits::default(), &[(&dir.0, false)]);
    assert_eq!(open(&mut world, 3, "file", 0, READ), Ok(4));
    (world.ctx.moved_bytes, world.ctx.may_have_waited) = (0, false);
    world.memory.resize(100_000, b'?');
    let mut subs: Vec<Sub> = (0..900).map(|_| Sub::Read(4)).collect();
    subs.push(Sub::Read(9));
    assert_eq!(poll(&mut world, &subs), Err(Errno::Badf.into()));
    assert!(world.ctx.moved_bytes >= 900 * 48, "{}", world.ctx.moved_bytes);
    assert!(world.ctx.may_have_waited, "the deadline is looked at after it");
    // To wait is no second call.
    let mut world = World::new(Stdin::Empty);
    assert!(poll(&mut world, &[Sub::Clock(1, 9, 0)]).is_err());
    assert_eq!(world.ctx.moved_bytes, 0);
}

/// A guest that polls `subs` once, in a loop if `again`, and exits with the number of events.
fn poller(subs: &str, count: u32, again: bool) -> String {
    let body =
        format!("(drop (call $poll (i32.const 0) (i32.const 4096) (i32.const {count}) (i32.const 2048)))");
    let body = if again { format!("(loop $l {body} (br $l))") } else { body };
    format!(
        r#"(module
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1) (data (i32.const 0) "{subs}")
        (func (export "_start") {body}
          (call $exit (i32.add (i32.const 10) (i32.load (i32.const 2048))))))"#
    )
}

/// The text of a clock subscription.
fn clock(id: u8, time: u64, flags: u8) -> String {
    let mut bytes = [0_u8; 48];
    (bytes[16], bytes[40]) = (id, flags);
    bytes[24..32].copy_from_slice(&time.to_le_bytes());
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}

const READ_STDIN: &str = "\\00\\00\\00\\00\\00\\00\\00\\00\\01\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\
    \\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00";

#[test]
fn no_wait_passes_the_deadline() {
    let (send, receive) = channel();
    let far = u64::MAX;
    let sources = [
        (poller(&clock(0, far, 0), 1, false), Stdin::Empty),
        (poller(&clock(1, far, 0), 1, false), Stdin::Empty),
        (poller(&clock(0, far, 1), 1, false), Stdin::Empty),
        (poller(&clock(1, far, 1), 1, true), Stdin::Empty),
        (poller(&clock(1, 60_000_000_000, 0), 1, false), Stdin::Empty),
        (poller(&clock(1, 1, 0), 1, true), Stdin::Empty),
        (poller(&clock(1, 0, 0), 1, true), Stdin::Empty),
        (poller(&(READ_STDIN.to_string() + &clock(1, far, 0)), 2, false), Stdin::Pipe(receive)),
    ];
    for (source, stdin) in sources {
        let invocation = Invocation { stdin, ..Invocation::default() };
        let report = start(&source, &deadline_ms(50), invocation);
        assert!(matches!(report.result, Err(Stop::Deadline { .. })), "{report:?}");
        println!("deadline 50 ms, ended after {:?}", report.usage.run);
        assert!(report.usage.run < LONG);
    }
    drop(send);
}

#[test]
fn input_that_comes_late_ends_the_wait() {
    for close in [false, true] {
        let (send, receive) = channel();
        let sender = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(20));
            if !close {
                send.send(b"late".to_vec()).unwrap();
            }
            send
        });
        let source = poller(&(READ_STDIN.to_string() + &clock(1, u64::MAX, 0)), 2, false);
        let invocation = Invocation { stdin: Stdin::Pipe(receive), ..Invocation::default() };
        let closer = close.then(|| std::thread::spawn(move || drop(sender.join().unwrap())));
        assert_eq!(start(&source, &deadline_ms(10_000), invocation).result, Err(Stop::Exit(11)));
        if let Some(thread) = closer {
            thread.join().unwrap();
        }
    }
}

/// Fills memory with subscriptions that end with one for no descriptor, and polls them for ever.
#[test]
fn calls_that_fail_late_do_not_pass_the_deadline() {
    let dir = TempDir::new();
    dir.write("f", "");
    for kind in [0, 1] {
        let source = format!(
            r#"(module
            (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "path_open"
              (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
            (memory (export "memory") 2) (data (i32.const 0) "f")
            (func (export "_start") (local $i i32)
              (if (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i64.const 2)
                    (i64.const 0) (i32.const 0) (i32.const 8)) (then (unreachable)))
              (local.set $i (i32.const 49104))
              (i32.store8 (i32.const 49112) (i32.const 1))
              (i32.store (i32.const 49120) (i32.const 99))
              (loop $fill
                (local.set $i (i32.sub (local.get $i) (i32.const 48)))
                (i32.store8 offset=8 (local.get $i) (i32.const {kind}))
                (i32.store offset=16 (local.get $i) (select (i32.const 4) (i32.const 0) (i32.const {kind})))
                (i64.store offset=24 (local.get $i) (i64.const -1))
                (br_if $fill (local.get $i)))
              (loop $l
                (br_if $l (i32.eq (i32.const 8) (call $poll (i32.const 0) (i32.const 65536) (i32.const 1024)
                  (i32.const 131000)))))))"#
        );
        let dirs = vec![fuelbox::Preopen::open(&dir.0, "/", false).unwrap()];
        let guest_env = fuelbox::GuestEnv { dirs, ..fuelbox::GuestEnv::default() };
        let report = start(&source, &deadline_ms(100), Invocation { guest_env, ..Invocation::default() });
        assert!(matches!(report.result, Err(Stop::Deadline { .. })), "{report:?}");
        println!("kind {kind}: deadline 100 ms, ended after {:?}", report.usage.run);
        assert!(report.usage.run < LONG);
    }
}
