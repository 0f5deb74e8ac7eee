//! Too little memory is an error of the one who asked for it, and the process lives: each test limits the address space
//! of a process (`ulimit -v`), and has guests and clients ask for more than that.

use crate::support::{Client, Serve, TempDir, fuelbox_program, wat};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Barrier;

/// What a process may take, in KiB. Threads' stacks and the program itself are a good part of it.
const SPACE_KB: usize = 160 * 1024;

/// `fuelbox ARGS` in `dir` with as little memory as this.
fn limited(dir: &TempDir, space_kb: usize, args: &str) -> Command {
    let mut shell = Command::new("sh");
    let line = format!("ulimit -v {space_kb}; exec '{}' {args}", fuelbox_program().display());
    // An arena of the allocator for each thread would take more address space than there is.
    shell.args(["-c", &line]).current_dir(&dir.0).env_remove("RUST_LOG").env("MALLOC_ARENA_MAX", "1");
    shell
}

/// A program that takes all the memory that it can get and prints megabytes.
const GREEDY: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 17)
    (func (export "_start") (local $n i32)
        (loop $grow (br_if $grow (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (local.set $n (i32.const 3000000))
        (loop $wait (br_if $wait (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (i32.store (i32.const 0) (i32.const 65536)) (i32.store (i32.const 4) (i32.const 100000))
        (local.set $n (i32.const 80))
        (loop $print
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
            (drop (memory.grow (i32.const 1)))
            (br_if $print (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))"#;

/// A packed guest whose answer is 20 MB of its memory, taken as far as it can be had.
const LARGE: &str = r#"(module (memory (export "memory") 17)
    (func (export "allocate") (param i32) (result i32) (i32.const 1024))
    (func (export "greet") (param i32 i32) (result i64) (local $n i32)
        (drop (memory.grow (i32.const 303)))
        (local.set $n (i32.const 3000000))
        (loop $wait (br_if $wait (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (i64.extend_i32_u (i32.mul (memory.size) (i32.const 65536)))))"#;

/// The status of the answer. The gateway may give it, and end, before it has the whole request, as it has no memory for it.
fn status(address: SocketAddr, path: &str, body: &[u8]) -> u16 {
    let mut client = Client::connect(address);
    let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
    let sent = client.0.write_all(&[head.as_bytes(), body].concat());
    let reply = client.reply(false);
    assert!(sent.is_err() || reply.is_some(), "no answer to a whole request");
    reply.map_or(503, |reply| reply.status)
}

#[test]
fn a_gateway_lives_on_when_guests_take_all_there_is() {
    let dir = TempDir::new();
    std::fs::create_dir(dir.0.join("plugins")).unwrap();
    dir.write("plugins/greedy.wasm", wat(GREEDY));
    dir.write("plugins/large.wasm", wat(LARGE));
    dir.write("plugins/small.wasm", wat(r#"(module (func (export "greet") (result i32) i32.const 7))"#));
    let flags = "serve --listen 127.0.0.1:0 --workers 8 --max-output 32MiB --body-budget 1GiB";
    let server = Serve::spawn(limited(&dir, SPACE_KB, flags));
    let begin = Barrier::new(16);
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let ask = |path: &'static str, body: Vec<u8>| {
            let begin = &begin;
            scope.spawn(move || {
                begin.wait();
                let send = |_| status(server.address, path, &body);
                (0..4).map(send).collect::<Vec<u16>>()
            })
        };
        let clients: Vec<_> = (0..8)
            .flat_map(|_| [ask("/execute/greedy", vec![]), ask("/execute/large", vec![b'x'; 900_000])])
            .collect();
        clients.into_iter().flat_map(|client| client.join().expect("every request is answered")).collect()
    });
    // All of it at once does not fit, and it is said to whom: 200, or 503 with `no-memory` or `busy`. What the guest
    // says of memory that it was denied by its own limit is 500.
    assert!(answers.contains(&503), "{answers:?}");
    assert!(answers.iter().all(|status| matches!(status, 200 | 503)), "{answers:?}");
    let reply = Client::connect(server.address).send("POST", "/execute/small", b"");
    assert_eq!((reply.status, reply.text().as_str()), (200, "7\n"));
}

#[test]
fn a_gateway_says_at_its_start_what_it_may_take_and_what_there_is() {
    let dir = TempDir::new();
    for (flags, expected) in [
        ("--workers 8", "the address space (ulimit -v) has only 160 MiB: lower --workers, --memory-pages; "),
        (
            "--workers 1 --max-connections 8 --memory-pages 64 --body-budget 1MiB",
            "the address space (ulimit -v) has 160 MiB",
        ),
    ] {
        let mut command = limited(&dir, SPACE_KB, &format!("serve --listen 127.0.0.1:0 {flags}"));
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap()).lines().map(|line| line.unwrap());
        let said: Vec<String> = said.take_while(|line| !line.contains("on http://")).collect();
        let _ = (child.kill(), child.wait());
        let said: Vec<_> = said.iter().filter(|line| line.contains("memory: at most ")).collect();
        assert_eq!(said.len(), 1, "{said:?}");
        let level = if flags == "--workers 8" { "WARN" } else { "INFO" };
        assert!(said[0].contains(expected) && said[0].contains(level), "{said:?}");
    }
}

#[test]
fn a_body_that_there_is_no_memory_for_is_told_so() {
    let dir = TempDir::new();
    let flags =
        "serve --listen 127.0.0.1:0 --workers 1 --max-body 400MiB --max-input 400MiB --body-budget 1GiB";
    let server = Serve::spawn(limited(&dir, SPACE_KB, flags));
    for _ in 0..2 {
        let mut client = Client::connect(server.address);
        let head = "POST /execute/greet HTTP/1.1\r\nHost: a\r\nContent-Length: 300000000\r\n\r\n";
        client.0.write_all(head.as_bytes()).unwrap();
        // The gateway answers and ends before it has all of it.
        let piece = vec![b'x'; 1_000_000];
        while client.0.write_all(&piece).is_ok() {}
        if let Some(reply) = client.reply(false) {
            assert_eq!((reply.status, reply.problem().as_str()), (503, "no-memory"));
            assert_eq!(reply.header("retry-after"), Some("1"));
        }
        assert_eq!(
            Client::connect(server.address).send("POST", "/execute/greet", b"you").text(),
            "Hello, you"
        );
    }
}

#[test]
fn a_command_line_says_that_there_is_too_little_memory() {
    let dir = TempDir::new();
    dir.write("large.wasm", wat(&LARGE.replace("(i32.const 303)", "(i32.const 1600)")));
    let flags = "call large.wasm greet --memory-pages 2000 --max-output 1GiB --timeout none";
    let output = limited(&dir, SPACE_KB, flags).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(125), "{stderr}");
    assert!(stderr.contains("the system has no memory for the result"), "{stderr}");

    dir.write("input", vec![b'x'; 200_000_000]);
    let flags = "call greet greet --data-file input --max-input 1GiB";
    let output = limited(&dir, SPACE_KB, flags).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(120), "{stderr}");
    assert!(stderr.contains("input: out of memory") || stderr.contains("cannot allocate memory"), "{stderr}");
}

#[test]
fn a_growth_that_the_system_denies_is_an_error_of_its_own() {
    let dir = TempDir::new();
    let trap = r#"(module (memory (export "memory") 1) (func (export "_start")
        (if (i32.eq (memory.grow (i32.const 8000)) (i32.const -1)) (then unreachable))))"#;
    dir.write("large.wasm", wat(trap));
    let flags = "run --memory-pages 10000 --timeout none large.wasm";
    let output = limited(&dir, SPACE_KB, flags).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(123), "{stderr}");
    assert!(stderr.contains("growth to 8001 pages (the system has no memory for them)"), "{stderr}");
}

/// A module decides what is kept of it while it is read, rewritten and compiled.
#[test]
fn a_module_that_there_is_no_memory_to_compile_is_told_so() {
    let dir = TempDir::new();
    let selects = "local.get 0 local.get 0 select ".repeat(400_000);
    let values = "i64.const 0x7fffffffffffffff local.set 1 ".repeat(300_000);
    // With less, the program itself does not start.
    let starts = |kb: &usize| limited(&dir, *kb, "--version").output().unwrap().status.success();
    let least = (16_000..60_000).step_by(1_000).find(starts).unwrap();
    for (name, body) in [("selects", format!("local.get 0 {selects} drop")), ("values", values)] {
        dir.write(&format!("{name}.wasm"), wat(&format!("(module (func (param i32) (local i64) {body}))")));
        let mut told = 0;
        for space_kb in (least..least + 52_000).step_by(4_000) {
            let ran = limited(&dir, space_kb, &format!("inspect {name}.wasm")).output().unwrap();
            let said =
                String::from_utf8_lossy(&ran.stderr).into_owned() + &String::from_utf8_lossy(&ran.stdout);
            assert!(ran.status.code().is_some_and(|code| code != 134), "{name}, {space_kb}: {said}");
            told += usize::from(said.contains("no memory to compile"));
        }
        assert!(told > 0, "{name}: there always was enough");
    }
}

/// Values of components are many small allocations, which cannot fail one by one.
#[test]
fn a_component_that_there_is_no_memory_for_is_told_so() {
    let dir = TempDir::new();
    let passes = |param: &str, encoding: &str, len: u32| {
        wat(&format!(
            r#"(component
              (component $c
                (core module $m (memory (export "mem") 400) (func (export "f") (param i32 i32))
                  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
                (core instance $m (instantiate $m))
                (func (export "f") (param "s" {param}) (canon lift (core func $m "f") {encoding}
                  (memory (core memory $m "mem")) (realloc (core func $m "realloc")))))
              (instance $c (instantiate $c))
              (core module $a (memory (export "mem") 200))
              (core instance $a (instantiate $a))
              (core func $f (canon lower (func $c "f") (memory (core memory $a "mem"))))
              (core module $m (import "" "f" (func $f (param i32 i32)))
                (func (export "f") (call $f (i32.const 0) (i32.const {len}))))
              (core instance $m (instantiate $m (with "" (instance (export "f" (func $f))))))
              (func (export "f") (canon lift (core func $m "f")))
              (func (export "take") (param "s" {param}) (canon lift (core func $a2 "f") {encoding}
                (memory (core memory $a "mem")) (realloc (core func $a2 "realloc")))))"#
        )
        .replace(
            "(core module $m (import",
            r#"(core module $a2 (func (export "f") (param i32 i32))
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
              (core instance $a2 (instantiate $a2))
              (core module $m (import"#,
        ))
    };
    dir.write("tuples.wasm", passes("(list (tuple u8))", "", 400_000));
    dir.write("text.wasm", passes("string", "string-encoding=utf16", 12_000_000));
    dir.write("args.json", format!("[[{}]]", vec!["[1]"; 240_000].join(",")));
    let mut told = 0;
    for line in [
        "run --memory-pages 2000 --invoke f() tuples.wasm",
        "run --memory-pages 2000 --invoke f() text.wasm",
        "call --memory-pages 2000 --data-file args.json tuples.wasm take",
    ] {
        let line = line.replace("f()", "'f()'");
        for space_kb in (48_000..140_000).step_by(4_000) {
            let ran = limited(&dir, space_kb, &line).output().unwrap();
            let said = String::from_utf8_lossy(&ran.stderr);
            assert!(!said.contains("memory allocation of"), "{line}, {space_kb}: {said}");
            told += usize::from(said.contains("the system has no memory for"));
        }
    }
    assert!(told > 0, "there always was enough");
}
