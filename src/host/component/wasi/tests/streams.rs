//! Streams: the standard ones, and the rules of all.

use super::{FOR_INPUT, World, borrow, closed, ok, rep, traps};
use crate::base::limits::{HOST_CALL_BYTES_MAX, LOG_CALL_BYTES_MAX, Limits, STREAM_READ_BYTES_MAX};
use crate::base::outcome::Stop;
use crate::host::component::function::Fail;
use crate::host::component::value::Value;
use crate::host::streams::{SinkTo, Stdin};
use crate::host::wasi::abi::{Errno, Wait};
use crate::host::wasi::ctx::{GuestEnv, WasiCtx};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

fn stdin(world: &mut World) -> Value {
    world.get("wasi:cli/stdin", "get-stdin", &[])
}

fn stdout(world: &mut World) -> Value {
    world.get("wasi:cli/stdout", "get-stdout", &[])
}

fn bytes(bytes: &[u8]) -> Value {
    Value::ok(Value::Bytes(bytes.to_vec()))
}

fn number(number: u64) -> Value {
    Value::ok(Value::U64(number))
}

const READS: [&str; 2] = ["input-stream.read", "input-stream.blocking-read"];
const SKIPS: [&str; 2] = ["input-stream.skip", "input-stream.blocking-skip"];

#[test]
fn a_read_gives_what_is_there_and_then_the_end() {
    for read in READS {
        let mut world = World::new(Stdin::Bytes(b"ab\xff".to_vec()));
        let (one, other) = (stdin(&mut world), stdin(&mut world));
        assert_eq!(world.of_stream(read, &[one.clone(), Value::U64(0)]), bytes(b""));
        assert_eq!(world.of_stream(read, &[one.clone(), Value::U64(2)]), bytes(b"ab"));
        // Each handle is of the same input.
        assert_eq!(world.of_stream(read, &[other, Value::U64(u64::MAX)]), bytes(b"\xff"));
        assert_eq!(world.ctx.moved_bytes, 3);
        for len in [0, 1] {
            assert_eq!(world.of_stream(read, &[one.clone(), Value::U64(len)]), closed());
        }
    }
}

#[test]
fn a_read_gives_at_most_so_much() {
    let most = STREAM_READ_BYTES_MAX;
    for (len, n) in [(most - 1, most - 1), (most, most), (most + 1, most), (usize::MAX, most)] {
        for name in READS {
            let mut world = World::new(Stdin::Bytes(vec![b'i'; most + 5]));
            let stdin = stdin(&mut world);
            assert!(
                world.of_stream(name, &[stdin, Value::U64(len as u64)]) == bytes(&vec![b'i'; n]),
                "{len}"
            );
        }
        for name in SKIPS {
            let mut world = World::new(Stdin::Bytes(vec![b'i'; most + 5]));
            let stdin = stdin(&mut world);
            assert_eq!(world.of_stream(name, &[stdin, Value::U64(len as u64)]), number(n as u64));
        }
    }
}

#[test]
fn only_blocking_reads_wait() {
    let (send, receive) = channel();
    let mut world = World::new(Stdin::Pipe(receive));
    let one = |stdin: &Value| [stdin.clone(), Value::U64(5)];
    let stdin = stdin(&mut world);
    assert_eq!(world.of_stream("input-stream.read", &one(&stdin)), bytes(b""));
    assert_eq!(world.of_stream("input-stream.skip", &one(&stdin)), number(0));
    for name in ["input-stream.blocking-read", "input-stream.blocking-skip"] {
        assert_eq!(world.stream(name, &one(&stdin)), FOR_INPUT);
    }
    let nothing = [stdin.clone(), Value::U64(0)];
    assert_eq!(world.of_stream("input-stream.blocking-read", &nothing), bytes(b""));
    send.send(b"1234".to_vec()).unwrap();
    send.send(b"5".to_vec()).unwrap();
    drop(send);
    assert_eq!(world.of_stream("input-stream.blocking-read", &one(&stdin)), bytes(b"1234"));
    assert_eq!(world.of_stream("input-stream.blocking-skip", &one(&stdin)), number(1));
    assert_eq!(world.of_stream("input-stream.blocking-read", &one(&stdin)), closed());
    assert_eq!(world.of_stream("input-stream.skip", &one(&stdin)), closed());
}

/// A stdin of which the guest gets nothing before all of it is there.
fn whole(pieces: &'static [&'static str], limit: usize) -> Stdin {
    let (send, receive) = channel();
    pieces.iter().for_each(|piece| send.send(piece.as_bytes().to_vec()).unwrap());
    Stdin::Whole { begin: Box::new(move || receive), limit }
}

#[test]
fn a_reproducible_run_has_its_input_as_a_whole() {
    for name in READS.into_iter().chain(SKIPS) {
        let mut world = World::reproducible(whole(&["one ", "two"], 7));
        let stdin = stdin(&mut world);
        let args = [stdin, Value::U64(100)];
        assert_eq!(world.stream(name, &args), FOR_INPUT);
        world.ctx.wait(Wait { until: None, stdin: true }, None);
        let expected = if SKIPS.contains(&name) { number(7) } else { bytes(b"one two") };
        assert_eq!(world.of_stream(name, &args), expected);
    }
}

#[test]
fn too_much_input_stops_the_guest() {
    let too_large = Err(Fail::Stop(Stop::InputTooLarge { limit: 6 }));
    for name in READS {
        let mut world = World::reproducible(whole(&["one ", "two"], 6));
        let stdin = stdin(&mut world);
        assert_eq!(world.stream(name, &[stdin.clone(), Value::U64(1)]), FOR_INPUT);
        world.ctx.wait(Wait { until: None, stdin: true }, None);
        assert_eq!(world.stream(name, &[stdin.clone(), Value::U64(1)]), too_large);
        let input = world.of_stream("input-stream.subscribe", &[stdin]);
        assert_eq!(world.call("wasi:io/poll", "[method]pollable.block", &[input]), too_large);
    }
}

#[test]
fn what_is_written_comes_out_unchanged() {
    let mut world = World::new(Stdin::Empty);
    let (one, other) = (stdout(&mut world), stdout(&mut world));
    let room = HOST_CALL_BYTES_MAX as u64;
    assert_eq!(world.of_stream("output-stream.check-write", std::slice::from_ref(&one)), number(room));
    let write = |stream: &Value, text: &[u8]| [stream.clone(), Value::Bytes(text.to_vec())];
    assert_eq!(world.of_stream("output-stream.write", &write(&one, b"a\xff\0")), Value::ok(None));
    assert_eq!(world.of_stream("output-stream.write", &write(&one, b"b")), Value::ok(None));
    let zeroes = [one.clone(), Value::U64(3)];
    assert_eq!(world.of_stream("output-stream.write-zeroes", &zeroes), Value::ok(None));
    for name in ["output-stream.flush", "output-stream.blocking-flush"] {
        assert_eq!(world.of_stream(name, std::slice::from_ref(&one)), Value::ok(None));
    }
    let flushed = write(&other, b"c");
    assert_eq!(world.of_stream("output-stream.blocking-write-and-flush", &flushed), Value::ok(None));
    let zeroes = [other, Value::U64(2)];
    assert_eq!(world.of_stream("output-stream.blocking-write-zeroes-and-flush", &zeroes), Value::ok(None));
    assert_eq!(world.ctx.moved_bytes, 10);
    assert_eq!(world.stdout(), b"a\xff\0b\0\0\0c\0\0");
}

#[test]
fn standard_error_is_another_output() {
    let mut world = World::new(Stdin::Empty);
    let stderr = world.get("wasi:cli/stderr", "get-stderr", &[]);
    world.of_stream("output-stream.blocking-write-and-flush", &[stderr, Value::Bytes(b"err".to_vec())]);
    assert_eq!(world.ctx.files.stderr.room(), Limits::default().output_bytes - 3);
    assert_eq!(world.ctx.files.stdout.room(), Limits::default().output_bytes);
}

#[test]
fn nothing_is_written_beyond_the_permit() {
    let mut world = World::new(Stdin::Empty);
    let stdout = stdout(&mut world);
    let write = |n| [stdout.clone(), Value::Bytes(vec![b'o'; n])];
    traps(world.stream("output-stream.write", &write(1)), "`check-write` allowed 0");
    traps(world.stream("output-stream.write-zeroes", &[stdout.clone(), Value::U64(1)]), "allowed 0");
    assert_eq!(world.of_stream("output-stream.write", &write(0)), Value::ok(None));
    let check =
        |world: &mut World| ok(world.of_stream("output-stream.check-write", std::slice::from_ref(&stdout)));
    let most = HOST_CALL_BYTES_MAX;
    check(&mut world);
    traps(world.stream("output-stream.write", &write(most + 1)), "are written");
    assert_eq!(world.of_stream("output-stream.write", &write(most - 1)), Value::ok(None));
    traps(world.stream("output-stream.write", &write(2)), "allowed 1");
    assert_eq!(world.of_stream("output-stream.write", &write(1)), Value::ok(None));
    check(&mut world);
    traps(world.stream("output-stream.write-zeroes", &[stdout.clone(), Value::U64(u64::MAX)]), "allowed");
    assert_eq!(world.stdout().len(), most);
}

#[test]
fn a_blocking_write_takes_4096_bytes() {
    for (n, is_allowed) in [(4095, true), (4096, true), (4097, false)] {
        let mut world = World::new(Stdin::Empty);
        let stdout = stdout(&mut world);
        let answers = [
            world.stream(
                "output-stream.blocking-write-and-flush",
                &[stdout.clone(), Value::Bytes(vec![0; n])],
            ),
            world.stream("output-stream.blocking-write-zeroes-and-flush", &[stdout, Value::U64(n as u64)]),
        ];
        for answer in answers {
            match is_allowed {
                true => assert_eq!(answer, Ok(Some(Value::ok(None)))),
                false => traps(answer, "written and flushed at once"),
            }
        }
        let written = if is_allowed { 2 * n } else { 0 };
        assert_eq!(world.stdout(), vec![0; written]);
    }
}

#[test]
fn a_full_output_stops_the_guest() {
    let limits = Limits { output_bytes: 10, ..Limits::default() };
    let mut world = World::with(Stdin::Empty, &limits, GuestEnv::default());
    let stdout = stdout(&mut world);
    let write = |n| [stdout.clone(), Value::Bytes(vec![b'o'; n])];
    assert_eq!(world.of_stream("output-stream.blocking-write-and-flush", &write(10)), Value::ok(None));
    // It may write, to be told why it ends.
    let most = number(HOST_CALL_BYTES_MAX as u64);
    assert_eq!(world.of_stream("output-stream.check-write", std::slice::from_ref(&stdout)), most);
    let full = Err(Fail::Stop(Stop::OutputFull { stream: "stdout", limit: 10 }));
    assert_eq!(world.stream("output-stream.write", &write(1)), full);
    assert_eq!(world.stdout().len(), 10);
}

#[test]
fn a_log_takes_less_at_once() {
    let keep = SinkTo::Buffer(Vec::new());
    let ctx = WasiCtx::new(&Limits::default(), GuestEnv::default(), Stdin::Empty, keep, SinkTo::log("test"))
        .unwrap();
    let mut world = World { ctx, ..World::new(Stdin::Empty) };
    let stderr = world.get("wasi:cli/stderr", "get-stderr", &[]);
    assert_eq!(world.of_stream("output-stream.check-write", &[stderr]), number(LOG_CALL_BYTES_MAX.into()));
}

/// A reader that has gone away.
struct Gone;

impl std::io::Write for Gone {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::Error::from_raw_os_error(rustix::io::Errno::PIPE.raw_os_error()))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stream_that_has_failed_is_closed() {
    let gone = SinkTo::Writer(Arc::new(Mutex::new(Gone)));
    let keep = SinkTo::Buffer(Vec::new());
    let ctx = WasiCtx::new(&Limits::default(), GuestEnv::default(), Stdin::Empty, gone, keep).unwrap();
    let mut world = World { ctx, ..World::new(Stdin::Empty) };
    let stdout = stdout(&mut world);
    let write = [stdout.clone(), Value::Bytes(b"x".to_vec())];
    let answer = world.of_stream("output-stream.blocking-write-and-flush", &write);
    let Value::Variant(1, Some(error)) = answer else { panic!("{answer:?}") };
    let Value::Variant(0, Some(error)) = *error else { panic!("{error:?}") };
    let error = borrow(rep(&error));
    let text = world.get("wasi:io/error", "[method]error.to-debug-string", std::slice::from_ref(&error));
    assert_eq!(text, Value::String(format!("{:?}", Errno::Pipe).to_lowercase()));
    assert_eq!(world.of_stream("output-stream.blocking-write-and-flush", &write), closed());
    for name in ["output-stream.check-write", "output-stream.flush", "output-stream.blocking-flush"] {
        assert_eq!(world.of_stream(name, std::slice::from_ref(&stdout)), closed());
    }
    let ready = world.of_stream("output-stream.subscribe", &[stdout]);
    assert_eq!(world.get("wasi:io/poll", "[method]pollable.ready", &[ready]), Value::Bool(true));
    traps(world.call("wasi:io/error", "[method]error.to-debug-string", &[borrow(0)]), "another type");
}

#[test]
fn splice_moves_bytes_from_one_stream_to_another() {
    for name in ["output-stream.splice", "output-stream.blocking-splice"] {
        let most = STREAM_READ_BYTES_MAX;
        let mut world = World::new(Stdin::Bytes(vec![b'i'; most + 8]));
        let (stdin, stdout) = (stdin(&mut world), stdout(&mut world));
        for (len, n) in [(0, 0), (3, 3), (u64::MAX, most as u64), (100, 5)] {
            let args = [stdout.clone(), stdin.clone(), Value::U64(len)];
            assert_eq!(world.of_stream(name, &args), number(n), "{len}");
        }
        let args = [stdout.clone(), stdin.clone(), Value::U64(1)];
        assert_eq!(world.of_stream(name, &args), closed());
        traps(world.stream(name, &[stdin, stdout, Value::U64(1)]), "another type");
        assert_eq!(world.stdout(), vec![b'i'; most + 8]);
    }
}

#[test]
fn only_a_blocking_splice_waits() {
    let (send, receive) = channel();
    let mut world = World::new(Stdin::Pipe(receive));
    let args = [stdout(&mut world), stdin(&mut world), Value::U64(9)];
    assert_eq!(world.of_stream("output-stream.splice", &args), number(0));
    assert_eq!(world.stream("output-stream.blocking-splice", &args), FOR_INPUT);
    send.send(b"in".to_vec()).unwrap();
    assert_eq!(world.of_stream("output-stream.blocking-splice", &args), number(2));
    assert_eq!(world.stdout(), b"in");
}

#[test]
fn a_stream_outlives_its_pollables() {
    let mut world = World::new(Stdin::Empty);
    let (stdin, stdout) = (stdin(&mut world), stdout(&mut world));
    let pollables = [
        (world.of_stream("input-stream.subscribe", std::slice::from_ref(&stdin)), stdin),
        (world.of_stream("output-stream.subscribe", std::slice::from_ref(&stdout)), stdout),
    ];
    for (pollable, stream) in pollables {
        let (pollable, stream) = (rep(&pollable), rep(&stream));
        assert_eq!(
            world.get("wasi:io/poll", "[method]pollable.ready", &[borrow(pollable)]),
            Value::Bool(true)
        );
        assert!(matches!(world.table.drop(stream, &mut world.ctx), Err(Fail::Trap(_))));
        world.table.drop(pollable, &mut world.ctx).unwrap();
        world.table.drop(stream, &mut world.ctx).unwrap();
    }
    assert!(world.table.is_empty());
}
