//! The `fuelbox` program: results alone on stdout, an exit code for each end, errors that say what to do.

use crate::support::{Ran, TempDir, fuelbox, fuelbox_in, prebuilt};
use std::path::Path;

fn guest(name: &str) -> String {
    prebuilt(name).to_str().unwrap().to_string()
}

/// Runs a guest from text, in a folder of its own.
fn run_text(source: &str, args: &[&str]) -> Ran {
    let dir = TempDir::new();
    dir.write("guest.wat", source);
    fuelbox_in(&dir.0, args, b"")
}

/// Asserts that it failed with one line on stderr, which holds `expected`, and nothing on stdout.
#[track_caller]
fn fails(ran: Ran, code: i32, expected: &str) {
    let ran = ran.expect(code);
    assert!(ran.stdout.is_empty() && ran.stderr.contains(expected), "{ran:#?}");
    let own = ran.stderr.lines().filter(|line| line.starts_with("fuelbox: ")).count();
    assert!(own >= 1 && ran.stderr.lines().count() <= 2, "{ran:#?}");
}

#[test]
fn the_examples_of_gowasmrunner_give_the_same() {
    assert_eq!(fuelbox(&["run", &guest("add.wasm"), "add", "10", "20"]).expect(0).text(), "30\n");
    let greet = fuelbox(&["call", &guest("greet.wasm"), "greet", "--data", "World"]).expect(0);
    assert_eq!(greet.stdout, b"Hello, World", "nothing added");
    assert!(greet.stderr.is_empty(), "{greet:#?}");
    let fibonacci = fuelbox(&["run", &guest("fibonacci.wasm"), "fibonacci", "20"]).expect(0);
    assert_eq!(fibonacci.text(), "6765\n");
}

#[test]
fn results_alone_go_to_stdout() {
    let ran = fuelbox(&["run", "--report", "add", "add", "-1", "-2"]).expect(0);
    assert_eq!(ran.text(), "-3\n");
    assert!(ran.stderr.contains("example guests built into fuelbox"), "{ran:#?}");
    assert!(ran.stderr.contains(" fuel, 0 pages, instantiate "), "{ran:#?}");
}

#[test]
fn help_and_version_are_results() {
    let all = fuelbox(&["--help"]).expect(0);
    assert!(all.stderr.is_empty() && all.text().contains("inspect FILE"), "{all:#?}");
    for command in ["run", "call", "serve", "list", "inspect"] {
        let help = fuelbox(&[command, "--help"]).expect(0);
        assert!(help.text().contains(&format!("Usage: fuelbox {command}")), "{help:#?}");
        assert!(help.text().contains("--memory-pages") && help.text().contains("Exit codes"), "{help:#?}");
        assert_eq!(fuelbox(&["help", command]).expect(0).stdout, help.stdout);
    }
    let version = concat!("fuelbox ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(fuelbox(&["--version"]).expect(0).text(), version);
}

#[test]
fn a_wrong_command_line_exits_2() {
    fails(fuelbox(&["run", "--fly", "x"]), 2, "unknown flag --fly");
    fails(fuelbox(&["fly"]), 2, "the commands are run, call");
    fails(fuelbox(&["run", "add", "add", "1", "x"]), 2, "argument 2 of `add`: `x`");
    fails(fuelbox(&["run", "add", "add", "1"]), 2, "it takes 2 arguments, 1 given");
    fails(
        fuelbox(&["run", "greet"]),
        2,
        "greet is not a program: it has no `_start`. Give FUNC, one of: greet",
    );
    fails(fuelbox(&["run", "--fuel=0", "add"]), 2, "--fuel 0: less than 1");
    fails(
        fuelbox(&["call", "greet", "greet", "--max-input=4", "--data", "World"]),
        2,
        "--max-input raises it",
    );
    fails(fuelbox(&["run", "--env", "=x", "hello-c"]), 2, "no name for an environment variable");
}

#[test]
fn what_does_not_load_exits_120() {
    fails(fuelbox(&["run", "no/such.wasm", "f"]), 120, "no/such.wasm: No such file");
    fails(fuelbox(&["run", "nothing", "f"]), 120, "no plug-in `nothing`; there is: add, fibonacci");
    fails(fuelbox(&["run", "add", "sub", "1"]), 120, "no exported function `sub`; there is: add");
    fails(fuelbox(&["list", "--plugins", "no/folder"]), 120, "--plugins no/folder: no such folder");
    let text = run_text("(module (func", &["run", "guest.wat", "f"]).expect(120);
    assert!(
        text.stderr.starts_with("fuelbox: guest.wat: not a WebAssembly module: expected `)`"),
        "{text:#?}"
    );
    assert!(text.stderr.contains(":1:14"), "the place is shown too: {text:#?}");
    fails(run_text("(module)", &["run", "./", "f"]), 120, "");
    let greedy = run_text("(module (memory 400))", &["run", "guest.wat", "f"]);
    fails(greedy, 120, "declares 400 pages of memory, more than the 320 allowed (--memory-pages raises it)");
    let allowed = run_text(
        "(module (memory 400) (func (export \"f\")))",
        &["run", "--memory-pages", "400", "guest.wat", "f"],
    );
    allowed.expect(0);
    let small = run_text("(module)", &["run", "--max-module=3", "guest.wat", "f"]);
    fails(small, 120, "8 bytes, more than the 3 allowed (--max-module");
    // A program has no functions for `call`.
    fails(fuelbox(&["call", "hello-c", "Ada"]), 120, "`fuelbox run` passes it arguments");
}

#[test]
fn a_stopped_guest_has_an_exit_code_of_its_own() {
    let run = |body: &str, flags: &[&str]| {
        let source = format!(r#"(module (memory 1) (func $f (export "f") {body}))"#);
        run_text(&source, &[&["run"], flags, &["guest.wat", "f"]].concat())
    };
    fails(run("(unreachable)", &[]), 121, "guest trapped: ");
    fails(run("(call $f) (call $f)", &[]), 121, "--max-recursion");
    fails(run("(loop $l (br $l))", &["--fuel=1000"]), 122, "the budget of 1000 is spent (--fuel raises it)");
    let grow = "(drop (memory.grow (i32.const 999))) (unreachable)";
    fails(run(grow, &[]), 123, "denied growth to 1000 pages (limit 320; --memory-pages raises it)");
    fails(
        run("(loop $l (br $l))", &["--timeout=50ms"]),
        124,
        "deadline of 50ms passed (--timeout raises it)",
    );
    let output = fuelbox(&["call", "greet", "greet", "--data=World", "--max-output=5"]);
    fails(output, 126, "more than 5 bytes of result (--max-output raises it)");
}

#[test]
fn a_programs_own_exit_code_is_passed_through() {
    for (code, shown) in [("0", 0), ("1", 1), ("42", 42), ("255", 255), ("256", 255), ("-1", 255)] {
        let source = format!(
            r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                 (func (export "_start") (call $exit (i32.const {code}))))"#
        );
        let ran = run_text(&source, &["run", "guest.wat"]).expect(shown);
        assert_eq!(ran.stderr, "", "it speaks for itself");
    }
    // These could be fuelbox's own.
    for code in [2, 120, 126] {
        let source = format!(
            r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                 (func (export "_start") (call $exit (i32.const {code}))))"#
        );
        let ran = run_text(&source, &["run", "guest.wat"]).expect(code);
        assert_eq!(ran.stderr, format!("fuelbox: guest exited with code {code}\n"));
    }
}

#[test]
fn a_program_gets_arguments_environment_and_stdin() {
    let dir = TempDir::new();
    let count =
        |args: &[&str], stdin: &[u8]| fuelbox_in(&dir.0, &[&["run", "wordcount"], args].concat(), stdin);
    assert_eq!(count(&[], b"one two\nthree").expect(0).text(), "1 3 13\n");
    assert_eq!(count(&["--", "-w"], b"one two").expect(0).text(), "2\n");
    assert_eq!(count(&["-w"], b"one two").expect(0).text(), "2\n");
    let large = vec![b'x'; 5 << 20];
    assert_eq!(count(&["--", "-c"], &large).expect(0).text(), "5242880\n", "stdin has no cap of its own");
    let wrong = count(&["--", "-x"], b"").expect(2);
    assert!(wrong.stderr.contains("wordcount: unknown argument '-x'"), "{wrong:#?}");
    let hello = fuelbox(&["run", "--env", "GREETING=Hi=", "hello-c", "Ada", "--fuel"]).expect(0);
    assert_eq!(hello.text(), "Hi=, Ada\nHi=, --fuel\n");
    // The environment of this process is not the guest's, unless it is passed on.
    let path = fuelbox(&["run", "--env", "GREETING", "hello-c"]).expect(0);
    assert_eq!(path.text(), "Hello, World\n");
}

#[test]
fn call_takes_its_input_from_text_file_or_stdin() {
    let dir = TempDir::new();
    dir.write("in.bin", b"\0\xff\n");
    let call = |args: &[&str], stdin: &[u8]| {
        fuelbox_in(&dir.0, &[&["call", "greet", "greet"], args].concat(), stdin).expect(0).stdout
    };
    assert_eq!(call(&["--data-file", "in.bin"], b""), b"Hello, \0\xff\n");
    assert_eq!(call(&["-"], b"\0piped\xff"), b"Hello, \0piped\xff");
    assert_eq!(call(&["-"], b""), b"Hello, ");
    assert_eq!(call(&[], b"piped"), b"Hello, piped");
    assert_eq!(call(&["--data", "given"], b"ignored"), b"Hello, given");
    assert_eq!(call(&["--data", "\"quoted\""], b""), b"Hello, \"quoted\"");
    fails(fuelbox(&["call", "greet", "greet", "--data-file", "none.bin"]), 120, "none.bin: No such file");
    let large = vec![b'x'; (1 << 20) + 1];
    let ran = fuelbox_in(&dir.0, &["call", "greet", "greet", "-"], &large);
    fails(ran, 2, "more than the 1048576 allowed (--max-input raises it)");
}

#[test]
fn call_takes_numbers_and_commands_too() {
    assert_eq!(fuelbox(&["call", "add", "add", "--data", "[10, 20]"]).expect(0).text(), "30\n");
    let ran = fuelbox_in(&TempDir::new().0, &["call", "wordcount", "_start", "-"], b"a b");
    assert_eq!(ran.expect(0).text(), "0 2 3\n");
    fails(fuelbox(&["call", "add", "add", "--abi", "packed"]), 2, "does not fit the packed convention");
    let numbers = fuelbox(&["call", "greet", "greet", "--abi", "numeric", "--data", "16 0"]).expect(0);
    assert_eq!(numbers.text().lines().count(), 1);
}

#[test]
fn list_shows_the_folder_or_the_built_in_guests() {
    let built_in = fuelbox(&["list"]).expect(0);
    assert!(built_in.text().contains("  packed   greet(i32, i32) -> i64\n"), "{built_in:#?}");
    assert!(built_in.text().contains("  command  _start()\n"), "{built_in:#?}");
    assert!(built_in.stderr.contains("no folder ./plugins"), "{built_in:#?}");
    let dir = TempDir::new();
    std::fs::create_dir(dir.0.join("plugins")).unwrap();
    std::fs::copy(prebuilt("add.wasm"), dir.0.join("plugins/sum.wasm")).unwrap();
    std::fs::write(dir.0.join("plugins/bad.wasm"), "rubbish").unwrap();
    for args in [&["list"][..], &["list", "--plugins", "plugins"]] {
        let ran = fuelbox_in(&dir.0, args, b"").expect(0);
        assert_eq!(ran.text(), "sum  (41 bytes)\n  numeric  add(i32, i32) -> i32\n");
        assert!(ran.stderr.contains("not loaded: plugins/bad.wasm"), "{ran:#?}");
    }
    assert_eq!(fuelbox_in(&dir.0, &["run", "sum", "add", "1", "2"], b"").expect(0).text(), "3\n");
    fails(fuelbox_in(&dir.0, &["run", "add", "add", "1", "2"], b""), 120, "there is: bad, sum");
}

#[test]
fn inspect_shows_a_module_and_whether_it_loads() {
    let text = fuelbox(&["inspect", &guest("wordcount.wasm")]).expect(0).text();
    for part in [
        "wasi_snapshot_preview1.fd_write(i32, i32, i32, i32) -> i32",
        "_start()",
        "memory memory",
        "command: yes",
        "loads under these limits: yes",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let source = r#"(module (import "env" "x\1b[31m" (func)) (memory 400 500) (func $s) (start $s)
        (func (export "f") (param i64) (result f32 f64) (f32.const 0) (f64.const 0)))"#;
    let refused = run_text(source, &["inspect", "guest.wat"]).expect(120);
    let text = refused.text();
    for part in [
        "env.x\\u{1b}[31m()",
        "f(i64) -> (f32, f64)",
        "memory: 400 pages of 64 KiB, at most 500",
        "start function: yes",
        "numeric: f",
        "loads under these limits: no: the module declares 400 pages",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(refused.stderr.contains("--memory-pages"), "{refused:#?}");
    let other = run_text(source, &["inspect", "--memory-pages=400", "guest.wat"]).expect(120);
    assert!(other.text().contains("which fuelbox does not provide"), "{other:#?}");
    fails(run_text("rubbish", &["inspect", "guest.wat"]), 120, "not a WebAssembly module");
}

#[test]
fn a_guests_standard_error_is_not_its_result() {
    let source = r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "\08\00\00\00\06\00\00\00print\n")
        (func (export "_start") (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 32))))
        (func (export "allocate") (param i32) (result i32) (i32.const 0))
        (func (export "f") (param i32 i32) (result i64)
          (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32))) (i64.const 0x8_0000_0005)))"#;
    let program = run_text(source, &["run", "guest.wat"]).expect(0);
    assert_eq!((program.text().as_str(), program.stderr.as_str()), ("", "print\n"));
    // What a function prints beside its answer goes to the log.
    let function = run_text(source, &["call", "guest.wat", "f"]).expect(0);
    assert_eq!(function.text(), "print");
    assert!(function.stderr.contains("guest.wat: print"), "{function:#?}");
}

#[test]
fn files_are_preferred_to_plugins() {
    let dir = TempDir::new();
    std::fs::copy(prebuilt("greet.wasm"), dir.0.join("add")).unwrap();
    let ran = fuelbox_in(&dir.0, &["call", "add", "greet", "--data=x"], b"").expect(0);
    assert_eq!(ran.text(), "Hello, x");
    assert!(Path::new(&guest("add.wasm")).is_file());
}
