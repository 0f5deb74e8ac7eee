//! The packed convention: bytes through memory, with every pointer and length that a guest may get wrong.

use crate::guest::{bytes, trap};
use crate::support::{job, program};
use fuelbox::abi::{Convention, call_bytes, packed};
use fuelbox::{Error, Limits, Stop};

/// Gives its input back. `pt` is the type of pointers and lengths, `at` where the input goes.
fn echo(allocate: &str, func: &str, at: u64) -> String {
    let wide = |name: &str, ty: &str| match ty {
        "i64" => format!("(local.get {name})"),
        _ => format!("(i64.extend_i32_u (local.get {name}))"),
    };
    format!(
        r#"(module (memory (export "memory") 32)
             (func (export "allocate") (param {allocate}) (result {allocate}) ({allocate}.const {at}))
             (func (export "f") (param $p {func}) (param $n {func}) (result i64)
               (i64.or (i64.shl {} (i64.const 32)) {})))"#,
        wide("$p", func),
        wide("$n", func)
    )
}

/// A guest whose `allocate` gives `pointer` and whose `f` gives `packed`, with one page of memory.
fn fixed(pointer: u32, packed: u64) -> String {
    format!(
        r#"(module (memory (export "memory") 1)
             (func (export "allocate") (param i32) (result i32) (i32.const {pointer}))
             (func (export "f") (param i32 i32) (result i64) (i64.const {packed})))"#
    )
}

#[track_caller]
fn breaks(source: &str, input: &[u8], expected: &str) {
    let report = bytes(source, &Limits::default(), "f", input);
    let Err(stop @ Stop::Convention(_)) = &report.result else { panic!("{report:?}") };
    assert!(stop.to_string().contains(expected), "{stop}");
}

#[test]
fn every_byte_goes_in_and_out_by_all_forms() {
    let all: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
    for allocate in ["i32", "i64"] {
        for func in ["i32", "i64"] {
            for at in [0, 8, 65_535] {
                let report = bytes(&echo(allocate, func, at), &Limits::default(), "f", &all);
                assert_eq!(report.result.as_deref(), Ok(&all[..]), "{allocate} {func} {at}");
            }
        }
    }
}

#[test]
fn empty_input_gives_empty_output() {
    assert_eq!(bytes(&echo("i32", "i32", 8), &Limits::default(), "f", b"").result, Ok(vec![]));
}

#[test]
fn nul_bytes_are_bytes() {
    let report = bytes(&echo("i32", "i32", 8), &Limits::default(), "f", b"a\0b\0");
    assert_eq!(report.result.as_deref(), Ok(&b"a\0b\0"[..]));
}

#[test]
fn input_may_reach_the_cap_and_not_pass_it() {
    let limits = Limits { input_bytes: 100, ..Limits::default() };
    for size in [99, 100] {
        let report = bytes(&echo("i32", "i32", 8), &limits, "f", &vec![7; size]);
        assert_eq!(report.result, Ok(vec![7; size]));
    }
    let program = program(&echo("i32", "i32", 8), &limits);
    for error in [
        packed::run(job(&program, &limits), "f", &[7; 101]).unwrap_err(),
        call_bytes(job(&program, &limits), "f", &[7; 101], None).unwrap_err(),
    ] {
        assert!(matches!(error, Error::InputTooLarge { size: 101, limit: 100 }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("101") && text.contains("100") && text.contains("--max-input"), "{text}");
    }
}

#[test]
fn output_may_reach_the_cap_and_not_pass_it() {
    let limits = Limits { output_bytes: 100, ..Limits::default() };
    for size in [99, 100] {
        assert_eq!(bytes(&fixed(0, size), &limits, "f", b"").result, Ok(vec![0; size as usize]));
    }
    let report = bytes(&fixed(0, 101), &limits, "f", b"");
    assert_eq!(report.result, Err(Stop::OutputFull { stream: "result", limit: 100 }));
    let text = report.result.unwrap_err().to_string();
    assert!(text.contains("100 bytes of result (--max-output"), "{text}");
}

#[test]
fn a_pointer_from_allocate_must_lie_in_memory() {
    assert_eq!(bytes(&fixed(65_531, 0), &Limits::default(), "f", b"12345").result, Ok(vec![]));
    for pointer in [65_532, 65_536, 0x7fff_ffff, 0x8000_0000, 0xffff_fffb, 0xffff_ffff] {
        breaks(&fixed(pointer, 0), b"12345", &format!("`allocate(5)` gave pointer {pointer}, outside"));
    }
    // With nothing to write, the end of memory itself will do, and not a byte more.
    assert_eq!(bytes(&fixed(65_536, 0), &Limits::default(), "f", b"").result, Ok(vec![]));
    breaks(&fixed(65_537, 0), b"", "memory of 65536 bytes");
}

#[test]
fn a_64_bit_pointer_is_not_cut_to_32_bits() {
    for pointer in ["4294967296", "4294967304", "-1", "-9223372036854775808"] {
        let source = format!(
            r#"(module (memory (export "memory") 1)
                 (func (export "allocate") (param i64) (result i64) (i64.const {pointer}))
                 (func (export "f") (param i32 i32) (result i64) (i64.const 0)))"#
        );
        breaks(&source, b"x", "outside its memory");
    }
}

#[test]
fn a_result_must_lie_in_memory() {
    let packed = |pointer: u64, len: u64| pointer << 32 | len;
    for (pointer, len) in [(0, 65_536), (65_535, 1), (65_536, 0)] {
        let report = bytes(&fixed(0, packed(pointer, len)), &Limits::default(), "f", b"");
        assert_eq!(report.result, Ok(vec![0; len as usize]), "{pointer} {len}");
    }
    let max = 0xffff_ffff;
    for (pointer, len) in [
        (0, 65_537),
        (1, 65_536),
        (65_536, 1),
        (65_537, 0),
        (max, 0),
        (0, max),
        (max, 1),
        (max, max),
        (0x8000_0000, 0x8000_0000),
        (1, 0x8001_0000),
        (0, 0x8001_0001),
    ] {
        // The top bit of a length is that of an error.
        let length =
            if len < 1 << 31 { format!("length {len}") } else { format!("error length {}", len - (1 << 31)) };
        breaks(
            &fixed(0, packed(pointer, len)),
            b"",
            &format!("`f` gave pointer {pointer} and {length}, outside its memory of 65536 bytes"),
        );
    }
}

#[test]
fn memory_may_grow_while_it_is_used() {
    let source = r#"(module (memory (export "memory") 1)
        (func (export "allocate") (param i32) (result i32)
          (i32.shl (memory.grow (i32.const 1)) (i32.const 16)))
        (func (export "f") (param $p i32) (param $n i32) (result i64) (local $out i32)
          (local.set $out (i32.shl (memory.grow (i32.const 2)) (i32.const 16)))
          (memory.copy (local.get $out) (local.get $p) (local.get $n))
          (i64.or (i64.shl (i64.extend_i32_u (local.get $out)) (i64.const 32))
                  (i64.extend_i32_u (local.get $n)))))"#;
    let report = bytes(source, &Limits::default(), "f", b"growing");
    assert_eq!(report.result.as_deref(), Ok(&b"growing"[..]));
    assert_eq!(report.usage.peak_pages, 4);
}

/// A guest whose `deallocate` does `body` after it has checked that it is called for the output first and
/// for the input then; anything else runs for ever.
fn with_deallocate(ty: &str, body: &str) -> String {
    format!(
        r#"(module (memory (export "memory") 1) (global $calls (mut i32) (i32.const 0))
             (func (export "allocate") (param i32) (result i32) (i32.const 64))
             (func (export "f") (param i32 i32) (result i64) (i64.const 0x100_0000_0003))
             (func (export "deallocate") (param $p {ty}) (param $n {ty})
               (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
               (if (i32.eq (global.get $calls) (i32.const 1)) (then
                 (if ({ty}.ne (local.get $p) ({ty}.const 256)) (then (loop $l (br $l))))
                 (if ({ty}.ne (local.get $n) ({ty}.const 3)) (then (loop $l (br $l))))))
               (if (i32.eq (global.get $calls) (i32.const 2)) (then
                 (if ({ty}.ne (local.get $p) ({ty}.const 64)) (then (loop $l (br $l))))
                 (if ({ty}.ne (local.get $n) ({ty}.const 5)) (then (loop $l (br $l))))
                 {body}))
               (if (i32.gt_u (global.get $calls) (i32.const 2)) (then (loop $l (br $l))))))"#
    )
}

#[test]
fn deallocate_gets_the_output_and_then_the_input() {
    let limits = Limits { fuel: 100_000, ..Limits::default() };
    for ty in ["i32", "i64"] {
        assert_eq!(bytes(&with_deallocate(ty, ""), &limits, "f", b"12345").result, Ok(vec![0; 3]));
        // That it was called at all shows by what it may not do the second time.
        let spins = bytes(&with_deallocate(ty, "(loop $l (br $l))"), &limits, "f", b"12345");
        assert_eq!(spins.result, Err(Stop::OutOfFuel { limit: 100_000 }));
        let differs = bytes(&with_deallocate(ty, ""), &limits, "f", b"1234");
        assert_eq!(differs.result, Err(Stop::OutOfFuel { limit: 100_000 }), "the check checks");
    }
}

#[test]
fn a_trap_in_deallocate_does_not_take_the_answer() {
    let report = bytes(&with_deallocate("i32", "(unreachable)"), &Limits::default(), "f", b"12345");
    assert_eq!(report.result, Ok(vec![0; 3]));
}

#[test]
fn a_deallocate_of_another_type_is_not_called() {
    for signature in ["(param i32)", "(param i32 i32) (result i32)", "(param i32 f32)", ""] {
        let source = format!(
            r#"(module (memory (export "memory") 1)
                 (func (export "allocate") (param i32) (result i32) (i32.const 0))
                 (func (export "f") (param i32 i32) (result i64) (i64.const 2))
                 (func (export "deallocate") {signature} (loop $l (br $l)) (unreachable)))"#
        );
        assert_eq!(bytes(&source, &Limits::default(), "f", b"").result, Ok(vec![0, 0]), "{signature}");
    }
}

#[test]
fn a_guest_may_exit_inside_a_function() {
    for code in [0, 1, 42] {
        // Code 0 is no success where a result was expected.
        let end = match code {
            0 => Stop::Convention("it exited with code 0 before it gave a result".into()),
            code => Stop::Exit(code),
        };
        let source = format!(
            r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                 (memory (export "memory") 1)
                 (func (export "allocate") (param i32) (result i32) (i32.const 0))
                 (func (export "f") (param i32 i32) (result i64) (call $exit (i32.const {code})) (i64.const 0)))"#
        );
        assert_eq!(bytes(&source, &Limits::default(), "f", b"").result, Err(end));
    }
}

#[test]
fn a_trap_in_allocate_or_the_function_is_told() {
    let source = |allocate: &str, func: &str| {
        format!(
            r#"(module (memory (export "memory") 1)
                 (func (export "allocate") (param i32) (result i32) {allocate} (i32.const 0))
                 (func (export "f") (param i32 i32) (result i64) {func} (i64.const 0)))"#
        )
    };
    for text in [source("(unreachable)", ""), source("", "(unreachable)")] {
        assert!(trap(&bytes(&text, &Limits::default(), "f", b"")).contains("unreachable"));
    }
}

#[test]
fn what_does_not_fit_is_refused_and_says_what_would() {
    let limits = Limits::default();
    let exports =
        r#"(memory (export "memory") 1) (func (export "allocate") (param i32) (result i32) (i32.const 0))"#;
    let function = r#"(func (export "f") (param i32 i32) (result i64) (i64.const 0))"#;
    for (source, convention) in [
        (format!("(module {exports} {function})"), Some(Convention::Packed)),
        (format!("(module (memory 1) {function})"), Some(Convention::Numeric)),
        (format!(r#"(module (memory (export "memory") 1) {function})"#), Some(Convention::Numeric)),
        (format!(r#"(module {exports} (func (export "f") (param i32 i32)))"#), Some(Convention::Numeric)),
        (format!(r#"(module {exports} (func (export "f") (param i32 externref)))"#), None),
    ] {
        let program = program(&source, &limits);
        assert_eq!(Convention::of(program.info(), "f"), convention, "{source}");
        if convention == Some(Convention::Packed) {
            continue;
        }
        let error = packed::run(job(&program, &limits), "f", b"").unwrap_err();
        assert!(matches!(error, Error::Input(_)), "{error:?}");
        assert!(error.to_string().contains("allocate(len) -> ptr"), "{error}");
    }
}
