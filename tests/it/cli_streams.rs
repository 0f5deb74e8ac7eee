//! Standard streams of `fuelbox run`: output comes as it is written and in order, a reader that stops does not
//! hold the deadline up, nothing is taken from an input that the guest does not read.

use crate::skip::skip;
use crate::support::{TempDir, fuelbox_program, wat};
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Writes `> `, reads, writes what it read to standard error and then `done` to standard output.
const PROMPT: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\40\00\00\00\02\00\00\00") (data (i32.const 64) "> ")
    (data (i32.const 8) "\80\00\00\00\40\00\00\00")
    (data (i32.const 16) "\50\00\00\00\04\00\00\00") (data (i32.const 80) "done")
    (func (export "_start")
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))
        (drop (call $read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 12)))
        (drop (call $write (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 32)))
        (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 32)))))"#;

/// Writes kilobytes without end, whatever the answer.
const SPEW: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1) (data (i32.const 0) "\40\00\00\00\00\04\00\00")
    (func (export "_start")
        (loop (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32))) (br 0))))"#;

/// Writes `tick`, works for a while, and so on.
const TICKS: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1) (data (i32.const 0) "\40\00\00\00\04\00\00\00") (data (i32.const 64) "tick")
    (func (export "_start") (local $i i32)
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))
        (loop (br 0))))"#;

struct Running {
    child: Child,
    _dir: TempDir,
}

impl Running {
    fn start(source: &str, flags: &[&str]) -> Running {
        let dir = TempDir::new();
        dir.write("guest.wasm", wat(source));
        let child = Command::new(fuelbox_program())
            .arg("run")
            .args(flags)
            .arg("guest.wasm")
            .current_dir(&dir.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Running { child, _dir: dir }
    }

    /// The next `n` bytes of standard output.
    fn read(&mut self, n: usize) -> Vec<u8> {
        let mut bytes = vec![0; n];
        self.child.stdout.as_mut().unwrap().read_exact(&mut bytes).unwrap();
        bytes
    }

    /// The exit code, for which nothing is read meanwhile; none if it does not end by itself.
    fn code(&mut self) -> Option<i32> {
        let patience = Instant::now() + Duration::from_secs(60);
        while Instant::now() < patience {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_prompt_without_line_end_is_there_before_the_answer() {
    let mut running = Running::start(PROMPT, &["--timeout", "60s"]);
    assert_eq!(running.read(2), b"> ");
    running.child.stdin.take().unwrap().write_all(b"answer").unwrap();
    assert_eq!(running.read(4), b"done");
    assert_eq!(running.code(), Some(0));
}

#[test]
fn what_a_guest_at_work_has_written_is_there_before_it_ends() {
    let mut running = Running::start(TICKS, &["--timeout", "none", "--fuel", "1000000000000"]);
    assert_eq!(running.read(4), b"tick");
}

#[test]
fn both_outputs_into_one_pipe_keep_their_order() {
    let dir = TempDir::new();
    dir.write("guest.wasm", wat(PROMPT));
    let script = format!("echo -n answer | '{}' run guest.wasm 2>&1", fuelbox_program().display());
    let output = Command::new("sh").args(["-c", &script]).current_dir(&dir.0).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "> answerdone");
}

#[test]
fn a_reader_that_stops_reading_does_not_hold_the_deadline_up() {
    let mut running = Running::start(SPEW, &["--timeout", "200ms", "--max-output", "1GiB"]);
    assert_eq!(running.code(), Some(124));
}

#[test]
fn a_reader_that_comes_late_gets_all_of_a_guest_that_ended() {
    let mut running = Running::start(PROMPT, &["--timeout", "60s"]);
    running.child.stdin.take().unwrap().write_all(b"answer").unwrap();
    assert_eq!(running.code(), Some(0));
    assert_eq!(running.read(6), b"> done");
}

#[test]
fn output_that_the_disk_does_not_take_is_a_failure() {
    if !std::path::Path::new("/dev/full").exists() {
        skip("there is no /dev/full");
        return;
    }
    let dir = TempDir::new();
    dir.write("guest.wasm", wat(PROMPT));
    let script = format!("'{}' run guest.wasm > /dev/full < /dev/null", fuelbox_program().display());
    let output = Command::new("sh").args(["-c", &script]).current_dir(&dir.0).output().unwrap();
    assert_eq!(output.status.code(), Some(125), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write to stdout"), "{output:?}");
}

#[test]
fn a_guest_that_reads_nothing_takes_nothing_from_the_input() {
    let dir = TempDir::new();
    dir.write("guest.wasm", wat(r#"(module (memory (export "memory") 1) (func (export "_start")))"#));
    let script = format!("'{}' run guest.wasm; cat", fuelbox_program().display());
    let mut shell = Command::new("sh")
        .args(["-c", &script])
        .current_dir(&dir.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(b"for the next").unwrap();
    assert_eq!(shell.wait_with_output().unwrap().stdout, b"for the next");
}

/// Reads a byte at a time until the end, and writes how much each read gave, as a digit.
const PIECES: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\40\00\00\00\09\00\00\00") (data (i32.const 8) "\80\00\00\00\01\00\00\00")
    (func (export "_start")
        (loop $l
            (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
            (i32.store8 (i32.const 128) (i32.add (i32.const 48) (i32.load (i32.const 16))))
            (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 20)))
            (br_if $l (i32.load (i32.const 16))))))"#;

/// Asks whether there is input, or ten milliseconds are over, and writes how many events there were and the first's
/// type; reads nothing.
const POLLS: &str = r#"(module
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\40\01\00\00\02\00\00\00")
    (data (i32.const 72) "\01\00\00\00\00\00\00\00\00")
    (func (export "_start")
        (i32.store8 (i32.const 24) (i32.const 0)) (i32.store (i32.const 32) (i32.const 1))
        (i64.store (i32.const 40) (i64.const 10000000))
        (drop (call $poll (i32.const 16) (i32.const 400) (i32.const 2) (i32.const 312)))
        (i32.store8 (i32.const 320) (i32.add (i32.const 48) (i32.load (i32.const 312))))
        (i32.store8 (i32.const 321) (i32.add (i32.const 48) (i32.load8_u (i32.const 410))))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)))))"#;

/// What a reproducible run prints, and the fuel that it says it used, with `input` in pieces that come now and then.
fn reproducible(source: &str, input: &[&[u8]]) -> (Vec<u8>, String) {
    let mut running = Running::start(source, &["--deterministic", "--report", "--timeout", "60s"]);
    let mut stdin = running.child.stdin.take().unwrap();
    for piece in input {
        stdin.write_all(piece).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(stdin);
    assert_eq!(running.code(), Some(0));
    let (mut stdout, mut stderr) = (Vec::new(), String::new());
    running.child.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
    running.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    let fuel = stderr.split(" fuel").next().unwrap().to_string();
    (stdout, fuel)
}

#[test]
fn a_reproducible_run_does_not_see_in_which_pieces_its_input_comes() {
    for (source, expected) in [(PIECES, &b"9920"[..]), (POLLS, b"11")] {
        let whole = reproducible(source, &[b"twenty bytes of it.."]);
        assert_eq!(whole, reproducible(source, &[b"twenty ", b"b", b"", b"ytes of it.."]));
        assert_eq!(whole.0, expected, "{}", String::from_utf8_lossy(&whole.0));
    }
}

#[test]
fn a_reproducible_run_whose_input_never_ends_is_stopped_at_its_deadline() {
    for source in [PIECES, POLLS] {
        let mut running = Running::start(source, &["--deterministic", "--timeout", "300ms"]);
        running.child.stdin.as_mut().unwrap().write_all(b"and so on").unwrap();
        assert_eq!(running.code(), Some(124));
    }
    // One that always has more is stopped by whichever comes first.
    let mut running =
        Running::start(PIECES, &["--deterministic", "--timeout", "300ms", "--max-input", "1000GiB"]);
    let mut stdin = running.child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        while stdin.write_all(&[b'y'; 512]).is_ok() {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    assert_eq!(running.code(), Some(124));
    writer.join().unwrap();
}

#[test]
fn a_reproducible_run_that_reads_nothing_waits_for_nothing() {
    let nothing = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
    assert_eq!(Running::start(nothing, &["--deterministic", "--timeout", "60s"]).code(), Some(0));
}

#[test]
fn the_input_of_a_reproducible_run_has_its_limit() {
    for (length, code) in [(19, 0), (20, 0), (21, 2)] {
        let mut running =
            Running::start(PIECES, &["--deterministic", "--timeout", "60s", "--max-input", "20"]);
        running.child.stdin.take().unwrap().write_all(&vec![b'x'; length]).unwrap();
        assert_eq!(running.code(), Some(code), "{length}");
    }
}
