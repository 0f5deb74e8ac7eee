//! Names and texts that a guest or a file's owner chose, where the command line shows them: none ends a line, drives a
//! terminal or looks like another; and what is said of a run that ended shows nothing of the host's.

use crate::support::{Ran, TempDir, fuelbox_in, job, program, wat};
use fuelbox::abi::numeric;
use fuelbox::{Limits, Stop};

/// A name with line ends, an escape, Arabic's letter mark, an override, and a character without width.
const NAME: &str = "f\nfuelbox: forged\r\u{1b}[31m\u{61c}\u{202e}\u{200b}";

fn text_of(name: &str) -> String {
    name.bytes().map(|byte| format!("\\{byte:02x}")).collect()
}

/// A module that exports a function by that name, of numbers or of none that fits.
fn named(extra: &str) -> Vec<u8> {
    let name = text_of(NAME);
    wat(&format!(r#"(module {extra} (func (export "{name}") (result i32) unreachable))"#))
}

#[track_caller]
fn is_clean(ran: &Ran) {
    for line in ran.text().lines().chain(ran.stderr.lines()) {
        assert!(!line.starts_with("fuelbox: forged"), "{ran:#?}");
        let is_shown = |c: char| !c.is_control() && !"\u{61c}\u{202e}\u{200b}".contains(c);
        assert!(line.chars().all(is_shown), "{line:?}");
    }
    let both = ran.text() + &ran.stderr;
    assert!(both.contains("forged") && !both.contains('\r'), "{both:?}");
}

#[test]
fn names_of_exports_and_imports_are_escaped_in_every_command() {
    let dir = TempDir::new();
    std::fs::create_dir(dir.0.join("plugins")).unwrap();
    dir.write("plugins/m.wasm", named(""));
    is_clean(&fuelbox_in(&dir.0, &["list"], b"").expect(0));
    is_clean(&fuelbox_in(&dir.0, &["inspect", "m"], b"").expect(0));
    is_clean(&fuelbox_in(&dir.0, &["run", "m"], b"").expect(2));
    is_clean(&fuelbox_in(&dir.0, &["call", "m", "nothing"], b"").expect(120));
    is_clean(&fuelbox_in(&dir.0, &["call", "m", NAME, "--data", "1"], b"").expect(2));
    is_clean(&fuelbox_in(&dir.0, &["call", "m", NAME, "--abi", "packed"], b"").expect(2));
    let import = format!(r#"(import "{0}" "{0}" (func))"#, text_of(NAME));
    dir.write("plugins/m.wasm", named(&import));
    is_clean(&fuelbox_in(&dir.0, &["inspect", "m"], b"").expect(120));
    is_clean(&fuelbox_in(&dir.0, &["run", "m"], b"").expect(120));
    is_clean(&fuelbox_in(&dir.0, &["check", "plugins"], b"").expect(120));
    is_clean(&fuelbox_in(&dir.0, &["list"], b"").expect(0));
}

#[test]
fn what_a_text_that_does_not_parse_says_is_no_line_of_its_own() {
    let dir = TempDir::new();
    dir.write("m.wat", format!(r#"(module (func (call $"{}")))"#, text_of(NAME)));
    let ran = fuelbox_in(&dir.0, &["run", "m.wat"], b"").expect(120);
    assert!(ran.stderr.lines().skip(1).all(|line| line.starts_with("    ")), "{ran:#?}");
    is_clean(&ran);
}

#[test]
fn names_of_files_are_escaped() {
    let dir = TempDir::new();
    std::fs::create_dir(dir.0.join("plugins")).unwrap();
    let good = wat(r#"(module (func (export "f") (result i32) i32.const 1))"#);
    for (name, bytes) in [("good", &good[..]), ("bad", b"rubbish")] {
        dir.write(&format!("plugins/{name}{NAME}.wasm"), bytes);
    }
    is_clean(&fuelbox_in(&dir.0, &["list"], b"").expect(0));
    is_clean(&fuelbox_in(&dir.0, &["check", "plugins"], b"").expect(120));
    let path = format!("plugins/good{NAME}.wasm");
    is_clean(&fuelbox_in(&dir.0, &["inspect", &path], b"").expect(0));
    is_clean(&fuelbox_in(&dir.0, &["run", &path], b"").expect(2));
    is_clean(&fuelbox_in(&dir.0, &["run", &format!("plugins/bad{NAME}.wasm")], b"").expect(120));
    is_clean(&fuelbox_in(&dir.0, &["run", &format!("plugins/none{NAME}.wasm")], b"").expect(120));
}

#[test]
fn an_abort_message_is_one_line() {
    let units: String =
        NAME.encode_utf16().flat_map(u16::to_le_bytes).map(|b| format!("\\{b:02x}")).collect();
    let length = NAME.encode_utf16().count() * 2;
    let dir = TempDir::new();
    dir.write(
        "m.wasm",
        wat(&format!(
            r#"(module (import "env" "abort" (func $abort (param i32 i32 i32 i32)))
             (memory (export "memory") 1) (data (i32.const 0) "\{length:02x}\00\00\00{units}")
             (func (export "f") (call $abort (i32.const 4) (i32.const 4) (i32.const 1) (i32.const 1))))"#
        )),
    );
    is_clean(&fuelbox_in(&dir.0, &["run", "m.wasm", "f"], b"").expect(121));
}

/// Every way in which a run or an instance can fail that a module can bring about.
#[test]
fn what_is_said_of_a_trap_shows_nothing_of_the_hosts() {
    let sources = [
        (
            "(elem (i32.const 5) $f) (table 1 funcref)",
            "",
            "out of bounds table access: 1 elements from 5 on do not fit",
        ),
        (r#"(memory 1) (data (i32.const 65535) "ab")"#, "", "out of bounds memory access"),
        ("(table 1 funcref)", "(call_indirect (i32.const 9))", "undefined element"),
        ("(table 1 funcref)", "(call_indirect (i32.const 0))", "uninitialized element"),
        (
            "(table 1 funcref) (type $t (func (param i32))) (elem (i32.const 0) $f)",
            "(call_indirect (type $t) (i32.const 1) (i32.const 0))",
            "indirect call type mismatch",
        ),
        ("(memory 1)", "(drop (i32.load (i32.const -1)))", "out of bounds memory access"),
        ("", "(drop (i32.div_s (i32.const 1) (i32.const 0)))", "integer divide by zero"),
        ("", "(drop (i32.trunc_f32_s (f32.const nan)))", "invalid conversion to integer"),
        ("", "(call $f)", "call stack exhausted"),
        (
            "(table 1 funcref) (elem $e func $f)",
            "(table.init $e (i32.const 0) (i32.const 0) (i32.const 9))",
            "out of bounds table access",
        ),
    ];
    let limits = Limits::default();
    for (fields, code, expected) in sources {
        let source = format!(r#"(module {fields} (func $f (export "f") {code}))"#);
        let program = program(&source, &limits);
        let Err(Stop::Trap(text)) = numeric::run(job(&program, &limits), "f", &[]).unwrap().result else {
            panic!("{source} does not trap")
        };
        assert!(text.contains(expected), "{text}: {source}");
        for sign in ["Store", "Raw", "key", "marker", "wasmi", "{", "0x"] {
            assert!(!text.contains(sign), "{text}: {source}");
        }
    }
}
