//! The `fuelbox` process and the world around it: signals, closed pipes, waiting for input, taken ports.

use crate::guest::LONG;
use crate::support::{TempDir, fuelbox, fuelbox_program, prebuilt};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A process, killed on drop.
struct Started(Child);

impl Started {
    fn new(args: &[&str]) -> Started {
        let mut command = Command::new(fuelbox_program());
        command.args(args).env_remove("RUST_LOG");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Started(child.unwrap())
    }

    /// Waits for its end, at most `LONG`.
    #[track_caller]
    fn ended(&mut self) -> ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                println!("ended after {:?}", begin.elapsed());
                return status;
            }
            assert!(begin.elapsed() < LONG, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn stderr(&mut self) -> String {
        let mut text = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[cfg(unix)]
fn an_interrupt_ends_a_run_at_once() {
    use std::os::unix::process::ExitStatusExt;
    for (name, number) in [("-INT", 2), ("-TERM", 15)] {
        let file = prebuilt("infinite-loop.wasm");
        let args = ["run", "--timeout=none", "--fuel=18446744073709551615", file.to_str().unwrap(), "spin"];
        let mut spinning = Started::new(&args);
        std::thread::sleep(Duration::from_millis(200));
        assert!(spinning.0.try_wait().unwrap().is_none(), "it runs");
        let id = spinning.0.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
        assert_eq!(spinning.ended().signal(), Some(number));
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let dir = TempDir::new();
    let input = dir.write("in", vec![b'x'; 1024 * 1024 - 7]);
    let greet = prebuilt("greet.wasm");
    let args = ["call", greet.to_str().unwrap(), "greet", "--data-file", input.to_str().unwrap()];
    let mut it = Started::new(&args);
    drop(it.0.stdout.take());
    assert_eq!(it.ended().code(), Some(0));
    assert_eq!(it.stderr(), "");
}

#[test]
fn a_program_whose_reader_is_gone_ends_without_a_panic() {
    let dir = TempDir::new();
    let source = r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1) (data (i32.const 0) "\08\00\00\00\02\00\00\00y\n")
        (func (export "_start") (local $errno i32) (loop $l
          (local.set $errno (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))
          (br_if $l (i32.eqz (local.get $errno)))
          (call $exit (local.get $errno)))))"#;
    let file = dir.write("yes.wat", source);
    let mut it = Started::new(&["run", "--max-output=1GiB", "--timeout=5s", file.to_str().unwrap()]);
    let mut first = [0; 2];
    it.0.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"y\n");
    drop(it.0.stdout.take());
    // The guest is told (EPIPE) and ends by itself.
    assert_eq!(it.ended().code(), Some(64));
    assert_eq!(it.stderr(), "");
}

#[test]
fn a_program_that_waits_for_input_meets_its_deadline() {
    let file = prebuilt("wordcount.wasm");
    let mut waiting = Started::new(&["run", "--timeout=100ms", file.to_str().unwrap()]);
    // Standard input stays open and gives nothing.
    assert_eq!(waiting.ended().code(), Some(124));
    assert!(waiting.stderr().contains("--timeout raises it"));
}

#[test]
fn input_through_a_pipe_is_read_as_it_comes() {
    let file = prebuilt("wordcount.wasm");
    let mut counting = Started::new(&["run", file.to_str().unwrap()]);
    let mut stdin = counting.0.stdin.take().unwrap();
    for chunk in [&b"one t"[..], b"wo\n", b"three"] {
        stdin.write_all(chunk).unwrap();
        stdin.flush().unwrap();
        std::thread::sleep(Duration::from_millis(10));
    }
    drop(stdin);
    assert_eq!(counting.ended().code(), Some(0));
    let mut text = String::new();
    counting.0.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "1 3 13\n");
}

#[test]
fn a_taken_port_is_one_line_and_a_code() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = fuelbox(&["serve", "--listen", &address]).expect(125);
    let errors: Vec<&str> = ran.stderr.lines().filter(|line| line.contains(&address)).collect();
    assert_eq!(errors.len(), 1, "{ran:#?}");
    assert!(errors[0].contains("--listen") && !ran.stderr.contains("panicked"), "{ran:#?}");
}

#[test]
fn the_log_is_silent_unless_asked() {
    let dir = TempDir::new();
    let run = |level: Option<&str>| {
        let mut command = Command::new(fuelbox_program());
        command.current_dir(&dir.0).env_remove("RUST_LOG").stdin(Stdio::null());
        command.envs(level.map(|level| ("RUST_LOG", level)));
        let output = command.arg("run").arg(prebuilt("add.wasm")).args(["add", "1", "2"]).output().unwrap();
        assert_eq!(output.stdout, b"3\n");
        output.stderr
    };
    assert_eq!(run(None), b"");
    assert_eq!(run(Some("off")), b"");
    // One that makes no sense changes no result either (`run` checks it).
    run(Some("not=a=level"));
}
