//! Errors of functions of the packed convention: what the guests in Rust, C and AssemblyScript say arrives, and lengths at
//! every bound.

use crate::guest::bytes;
use crate::support::{Server, fuelbox, prebuilt, runner_config};
use fuelbox::{Limits, Runner, Stop};

/// A guest that gives these bytes of its memory as the message of an error. Its memory is `text` from byte 8.
fn failing(text: &str, pointer: u64, len: u64) -> String {
    let packed = pointer << 32 | 1 << 31 | len;
    format!(
        r#"(module (memory (export "memory") 1) (data (i32.const 8) "{text}")
             (func (export "allocate") (param i32) (result i32) (i32.const 1024))
             (func (export "deallocate") (param i32 i32) (unreachable))
             (func (export "f") (param i32 i32) (result i64) (i64.const {packed})))"#
    )
}

#[track_caller]
fn fails(source: &str, limits: &Limits, expected: &str) {
    let report = bytes(source, limits, "f", b"in");
    assert_eq!(report.result, Err(Stop::Failed { code: 1, message: expected.into() }));
}

#[test]
fn guests_in_three_languages_say_why() {
    for language in ["rust", "c", "as"] {
        let path = prebuilt(&format!("unhex-{language}.wasm"));
        let path = path.to_str().unwrap();
        let call = |data: &str| fuelbox(&["call", path, "unhex", "--data", data]);
        assert_eq!(call("48656c6C6f").expect(0).stdout, b"Hello", "{language}");
        assert_eq!(call("00ff80").expect(0).stdout, b"\0\xff\x80", "{language}");
        assert_eq!(call("").expect(0).stdout, b"", "{language}");
        for (data, expected) in [
            ("4", "1 digits, which is no even number"),
            ("4x", "no hexadecimal digit at byte 1"),
            ("48g0", "no hexadecimal digit at byte 2"),
        ] {
            let ran = call(data).expect(1);
            assert!(ran.stdout.is_empty(), "{language}");
            assert_eq!(ran.stderr, format!("fuelbox: plug-in failed: {expected}\n"), "{language}");
        }
    }
}

#[test]
fn over_http_the_message_is_the_detail() {
    let runner = Runner::new(runner_config()).unwrap();
    runner.load_plugins(prebuilt("unhex-c.wasm").parent().unwrap()).unwrap();
    let server = Server::with(runner);
    for language in ["rust", "c", "as"] {
        let target = format!("/execute/unhex-{language}?func=unhex");
        for _ in 0..3 {
            let fine = server.send("POST", &target, b"6f6b");
            assert_eq!((fine.status, fine.text()), (200, "ok".into()), "{language}");
            let failed = server.send("POST", &target, b"0g");
            assert_eq!(failed.status, 500, "{language}");
            let text = failed.text();
            assert!(text.contains("urn:fuelbox:problem:plugin-error"), "{text}");
            assert!(text.contains(r#""detail":"no hexadecimal digit at byte 1""#), "{text}");
        }
    }
}

#[test]
fn the_message_may_lie_anywhere_in_the_memory() {
    let limits = Limits::default();
    fails(&failing("no", 8, 2), &limits, "no");
    fails(&failing("no", 8, 0), &limits, "");
    fails(&failing("no", 65_536, 0), &limits, "");
    for (pointer, len) in [(65_535, 2), (65_536, 1), (65_537, 0), (0, 65_537), (0xffff_ffff, 0x7fff_ffff)] {
        let report = bytes(&failing("no", pointer, len), &limits, "f", b"in");
        let Err(Stop::Convention(what)) = &report.result else { panic!("{report:?}") };
        let expected =
            format!("`f` gave pointer {pointer} and error length {len}, outside its memory of 65536 bytes");
        assert_eq!(*what, expected);
    }
}

#[test]
fn a_message_is_shown_safely_whatever_it_is() {
    let limits = Limits::default();
    fails(&failing("\\ff\\fe", 8, 2), &limits, "\u{fffd}\u{fffd}");
    let report = bytes(&failing("\\1b[31mred\\00", 8, 9), &limits, "f", b"in");
    let Err(Stop::Failed { message, .. }) = &report.result else { panic!("{report:?}") };
    assert!(message.contains("red") && !message.contains(['\u{1b}', '\0']), "{message:?}");
    // A long one is cut; the limit on outputs is none of its.
    let small = Limits { output_bytes: 1, ..Limits::default() };
    let report = bytes(&failing("x", 0, 65_536), &small, "f", b"in");
    let Err(Stop::Failed { message, .. }) = &report.result else { panic!("{report:?}") };
    assert!(message.ends_with('…') && message.len() < 65_536, "{}", message.len());
}
