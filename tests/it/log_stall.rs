//! A log that nobody reads holds nothing up: no deadline, no request, no end. What could not be kept is counted, and
//! said once somebody reads again.

use crate::support::{Client, TempDir, fuelbox_program, job, program, wat};
use fuelbox::abi::{Job, numeric};
use fuelbox::host::streams::SinkTo;
use fuelbox::{Limits, Value};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long something takes at most that must not wait for the log; it is far more than it needs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A packed guest that writes a megabyte to standard error, `times` times, and then does `after`.
fn loud(times: u32, after: &str) -> Vec<u8> {
    wat(&format!(
        r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 20)
        (func (export "allocate") (param i32) (result i32) i32.const 65536)
        (func (export "greet") (param i32 i32) (result i64) (local $n i32)
            (memory.fill (i32.const 65536) (i32.const 97) (i32.const 1000000))
            (local.set $n (i32.const {times}))
            (loop $l
                (i32.store (i32.const 0) (i32.const 65536)) (i32.store (i32.const 4) (i32.const 1000000))
                (loop $rest
                    (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
                    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.load (i32.const 8))))
                    (i32.store (i32.const 4) (i32.sub (i32.load (i32.const 4)) (i32.load (i32.const 8))))
                    (br_if $rest (i32.load (i32.const 4))))
                (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            {after}
            (i64.const 0)))"#
    ))
}

struct Running {
    child: Child,
    dir: TempDir,
}

impl Running {
    /// `fuelbox ARGS`, of whose standard error nothing is read.
    fn start(wasm: &[u8], args: &[&str]) -> Running {
        let dir = TempDir::new();
        std::fs::create_dir(dir.0.join("plugins")).unwrap();
        // Each may log no more than about what is buffered.
        for name in ["loud", "loud-2", "loud-3"] {
            dir.write(&format!("plugins/{name}.wasm"), wasm);
        }
        dir.write("plugins/quiet.wasm", wat(r#"(module (func (export "greet") (result i32) i32.const 7))"#));
        let child = Command::new(fuelbox_program())
            .args(args)
            .current_dir(&dir.0)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Running { child, dir }
    }

    /// The exit code; none if it does not end by itself.
    fn code(&mut self) -> Option<i32> {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }

    /// A gateway that is ready, with its log as far as nobody has read it.
    fn serve(wasm: &[u8]) -> (Running, SocketAddr, BufReader<std::process::ChildStderr>) {
        let args = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--workers",
            "2",
            "--access-log",
            "on",
            "--max-output",
            "8MiB",
        ];
        let mut running = Running::start(wasm, &args);
        let mut log = BufReader::new(running.child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("on http://") {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "it serves");
        }
        let address = line.trim_end().split_once("on http://").unwrap().1.parse().unwrap();
        (running, address, log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = &self.dir;
    }
}

#[test]
fn a_call_ends_at_its_deadline() {
    let spins = loud(4, "(loop (br 0))");
    let mut running = Running::start(
        &spins,
        &["call", "loud", "greet", "--timeout", "200ms", "--max-output", "8MiB", "--data", "x"],
    );
    assert_eq!(running.code(), Some(124));
}

#[test]
fn a_call_that_succeeds_does_so() {
    let mut running =
        Running::start(&loud(1, ""), &["call", "loud", "greet", "--timeout", "20s", "--data", "x"]);
    assert_eq!(running.code(), Some(0));
}

#[test]
fn a_run_that_traps_says_so_to_nobody_and_ends() {
    // Its own output fills the pipe, so the message after it has no room.
    let program = wat(r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 2) (data (i32.const 0) "\40\00\00\00\00\00\01\00")
        (func (export "_start")
            (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 32))) unreachable))"#);
    let mut running = Running::start(&program, &["run", "--timeout", "200ms", "loud"]);
    assert_eq!(running.code(), Some(121));
}

#[test]
fn a_gateway_answers_all_and_says_later_what_the_log_lacks() {
    let (mut running, address, mut log) = Running::serve(&loud(4, ""));
    for _ in 0..3 {
        for (plugin, answer) in [("loud", ""), ("loud-2", ""), ("loud-3", ""), ("quiet", "7\n")] {
            let mut client = Client::connect(address);
            let reply = client.send("POST", &format!("/execute/{plugin}"), b"");
            assert_eq!((reply.status, reply.text().as_str()), (200, answer));
        }
    }
    let metrics = Client::connect(address).send("GET", "/metrics", b"").text();
    let dropped = metrics.lines().find_map(|line| line.strip_prefix("fuelbox_log_lines_dropped_total "));
    assert!(dropped.unwrap().parse::<u64>().unwrap() > 100, "{metrics}");

    // A reader again: what was kept comes, and then how much is missing, before what is said next.
    let mut line = String::new();
    while !line.contains("lines of the log were dropped") {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "the log goes on");
    }
    assert!(Client::connect(address).send("GET", "/healthz", b"").status == 200);
    while !line.contains("GET /healthz 200") {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "the log goes on");
    }
    assert!(running.child.try_wait().unwrap().is_none());
}

#[test]
fn a_gateway_that_is_told_to_end_does_so() {
    let (mut running, address, _log) = Running::serve(&loud(4, ""));
    assert_eq!(Client::connect(address).send("POST", "/execute/loud", b"").status, 200);
    let id = running.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(running.code(), Some(0));
}

#[test]
fn a_reader_that_is_slow_gets_all_of_it_before_the_end() {
    let args = ["call", "loud", "greet", "--timeout", "20s", "--data", "x"];
    let mut running = Running::start(&loud(1, ""), &args);
    let mut stderr = running.child.stderr.take().unwrap();
    let (mut all, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    loop {
        let n = stderr.read(&mut buffer).unwrap();
        if n == 0 {
            break;
        }
        all.extend_from_slice(&buffer[..n]);
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(running.code(), Some(0));
    assert_eq!(all.iter().filter(|byte| **byte == b'\n').count(), 1_000_000_usize.div_ceil(4096));
    assert!(all.len() > 1_000_000 && all.ends_with(b"a\n"), "{} bytes", all.len());
}

#[test]
fn many_notes_reach_a_reader_who_takes_them() {
    let dir = TempDir::new();
    let bad = format!("(module (import \"m\" \"{}\" (func)))", "x".repeat(1_000));
    for number in 0..2_000 {
        dir.write(&format!("bad{number:04}.wat"), &bad);
    }
    let said = crate::support::fuelbox_in(&dir.0, &["check", "."], b"").expect(120).stderr;
    assert_eq!(said.lines().filter(|line| line.contains("imports `m.xxx")).count(), 2_000);
}

/// Nothing interrupts a call, and to escape a byte takes long; so a log takes little at once.
#[test]
fn one_call_logs_no_more_than_its_share() {
    // What the write gave, for a write of so many bytes to standard error, in two buffers.
    let wrote = |bytes: u32| {
        let source = format!(
            r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 20)
            (func (export "f") (result i32)
                (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 100))
                (i32.store (i32.const 8) (i32.const 64)) (i32.store (i32.const 12) (i32.const {}))
                (drop (call $write (i32.const 2) (i32.const 0) (i32.const 2) (i32.const 16)))
                (i32.load (i32.const 16))))"#,
            bytes - 100
        );
        let (limits, log) = (Limits::default(), || SinkTo::log("test"));
        let program = program(&source, &limits);
        let job = Job { stdout: log(), stderr: log(), ..job(&program, &limits) };
        numeric::run(job, "f", &[]).unwrap().result.unwrap()
    };
    for (bytes, taken) in
        [(100, 100), (65_535, 65_535), (65_536, 65_536), (65_537, 65_536), (1_000_000, 65_536)]
    {
        assert_eq!(wrote(bytes), [Value::I32(taken)], "{bytes} bytes");
    }
}
