//! `ulimit -f`: a file that may not grow is an error of who writes it, and ends neither the gateway nor a run.

use crate::site::{DEPLOY, token_file};
use crate::support::{Client, Reply, TempDir, fuelbox_program, prebuilt, wat};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Blocks of `ulimit -f`, which are 512 bytes in some shells and 1,024 in others.
const BLOCKS: usize = 32;
const BYTES_MAX: usize = BLOCKS * 1024;

/// A gateway that may write no file larger than that; its log is such a file.
struct Limited {
    child: Child,
    dir: TempDir,
    address: SocketAddr,
}

impl Limited {
    fn start() -> Limited {
        let dir = TempDir::new();
        std::fs::create_dir(dir.0.join("plugins")).unwrap();
        std::fs::copy(prebuilt("greet.wasm"), dir.0.join("plugins/greet.wasm")).unwrap();
        token_file(&dir, DEPLOY);
        let line = format!(
            "ulimit -f {BLOCKS}; exec '{}' serve --listen 127.0.0.1:0 --token-file tokens --access-log on 2>> log",
            fuelbox_program().display()
        );
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]).current_dir(&dir.0).env_remove("RUST_LOG").stdin(Stdio::null());
        let child = shell.spawn().unwrap();
        let mut limited = Limited { child, dir, address: "127.0.0.1:0".parse().unwrap() };
        limited.address = eventually("the address", || {
            let log = limited.log();
            log.lines().find_map(|line| line.split_once("on http://")?.1.parse().ok())
        });
        limited
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.0.join("log")).unwrap_or_default()
    }

    fn send(&self, method: &str, target: &str, body: &[u8]) -> Reply {
        let bearer = format!("Bearer {DEPLOY}");
        Client::connect(self.address).ask(method, target, &[("Authorization", &bearer)], body)
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir.0.join("plugins")).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn eventually<T>(what: &str, mut get: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(got) = get() {
            return got;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A module of more than `bytes`, whose `f` gives 1.
fn module_of(bytes: usize) -> Vec<u8> {
    wat(&format!(
        r#"(module (memory 4) (data (i32.const 0) "{}") (func (export "f") (result i32) (i32.const 1)))"#,
        "x".repeat(bytes)
    ))
}

#[test]
fn a_module_that_is_larger_is_refused_and_leaves_nothing() {
    let mut it = Limited::start();
    for (name, method) in [("large", "PUT"), ("greet", "PUT")] {
        let reply = it.send(method, &format!("/plugins/{name}"), &module_of(2 * BYTES_MAX));
        assert_eq!((reply.status, reply.problem()), (507, "storage-full".into()), "{}", reply.text());
        assert!(reply.text().contains("ulimit -f"), "{}", reply.text());
    }
    assert_eq!(it.files(), ["greet.wasm"]);
    let policy = format!("access = \"token\" # {}", "x".repeat(BYTES_MAX));
    assert_eq!(it.send("PUT", "/plugins/greet/policy", policy.as_bytes()).status, 507);
    let kept = std::fs::read_dir(it.dir.0.join("plugins/.fuelbox-versions/greet")).unwrap().count();
    assert_eq!(kept, 0, "what is not replaced needs no second copy");
    assert_eq!(it.files(), [".fuelbox-versions", "greet.wasm"]);
    assert!(it.child.try_wait().unwrap().is_none(), "it lives");
    assert_eq!(it.send("PUT", "/plugins/small", &module_of(1000)).status, 201);
    assert_eq!(it.send("POST", "/execute/small?func=f", b"").text(), "1\n");
    assert_eq!(it.send("POST", "/execute/greet", b"x").text(), "Hello, x");
}

#[test]
fn a_log_that_is_full_ends_nothing_and_what_it_lacks_is_counted_and_said() {
    let mut it = Limited::start();
    let long = format!("/execute/greet?{}", "x".repeat(1000));
    let dropped = || {
        let text = it.send("GET", "/metrics", b"").text();
        let name = "fuelbox_log_lines_dropped_total ";
        text.lines().find_map(|line| line.strip_prefix(name)?.parse::<u64>().ok()).unwrap()
    };
    for _ in 0..3 * BYTES_MAX / 1000 {
        assert_eq!(it.send("POST", &long, b"x").status, 200);
    }
    eventually("a count", || Some(dropped()).filter(|dropped| *dropped > 0));
    assert!(it.log().len() <= BYTES_MAX);
    // Whoever keeps logs makes room, as logrotate does by `copytruncate`.
    std::fs::File::options().write(true).open(it.dir.0.join("log")).unwrap().set_len(0).unwrap();
    let said = eventually("a word about it", || {
        it.send("POST", "/execute/greet", b"x");
        it.log().lines().find(|line| line.contains("lines of the log were dropped")).map(String::from)
    });
    // A line that was cut where the file was full is not continued by another.
    assert!(said.starts_with("20") && !said.contains(" 0 lines"), "{said}");
    assert!(it.child.try_wait().unwrap().is_none(), "it lives");
}

/// Runs `fuelbox` in a shell; gives the exit code, which is none after a signal, and what it said.
fn limited(dir: &Path, args: &str) -> (Option<i32>, String) {
    let line = format!("ulimit -f {BLOCKS}; exec '{}' {args}", fuelbox_program().display());
    let output = Command::new("sh").args(["-c", &line]).current_dir(dir).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// What cannot be said does not end it by a signal, whatever it was to do.
#[test]
fn an_error_that_fits_no_file_is_an_exit_code_all_the_same() {
    let dir = TempDir::new();
    let program = fuelbox_program();
    for (args, code) in [("run --nonsense", 2), ("nonsense", 2), ("run", 2), ("run nowhere.wasm", 120)] {
        let line = format!("ulimit -f 0; '{}' {args} 2> said; echo $?", program.display());
        let output = Command::new("sh").args(["-c", &line]).current_dir(&dir.0).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), code.to_string(), "{args}");
    }
}

#[test]
fn output_of_a_run_that_fits_no_file_is_an_error() {
    let dir = TempDir::new();
    // Writes 64 KiB to its standard output, ten times, and then to standard error.
    let source = |fd: u32| {
        format!(
            r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 2)
            (func (export "_start") (local $n i32)
                (i32.store (i32.const 4) (i32.const 65536)) (local.set $n (i32.const 10))
                (loop $l (drop (call $write (i32.const {fd}) (i32.const 0) (i32.const 1) (i32.const 8)))
                    (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))"#
        )
    };
    dir.write("out.wasm", wat(&source(1)));
    dir.write("err.wasm", wat(&source(2)));
    let (code, said) = limited(&dir.0, "run out.wasm > out");
    assert_eq!(code, Some(125), "{said}");
    assert!(said.to_lowercase().contains("cannot write to stdout: file too large"), "{said}");
    assert_eq!(limited(&dir.0, "run err.wasm 2> err").0, Some(125));
    // By `call`, too, whose answer is written at the end.
    let (code, said) = limited(&dir.0, "call out.wasm _start > out");
    assert_eq!(code, Some(125), "{said}");
    assert!(said.to_lowercase().contains("cannot write to stdout: file too large"), "{said}");
}
