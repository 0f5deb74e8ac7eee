//! What is loaded and what is refused: by content, by size, by what is imported, by feature.

use crate::guest::refusal;
use crate::support::{job, wat};
use fuelbox::abi::numeric;
use fuelbox::{Limits, LoadProblem, Program};

#[track_caller]
fn not_wasm(bytes: &[u8], expected: &str) {
    let problem = refusal(bytes, &Limits::default());
    assert!(matches!(problem, LoadProblem::NotWasm(_)), "{problem:?}");
    assert!(problem.to_string().contains(expected), "{problem}");
}

#[track_caller]
fn invalid(source: &str, expected: &str) {
    let problem = refusal(&wat(source), &Limits::default());
    assert!(matches!(problem, LoadProblem::Invalid(_)), "{problem:?}");
    assert!(problem.to_string().contains(expected), "{problem}");
}

fn loads(source: &str) -> Program {
    Program::compile("test", &wat(source), &Limits::default()).unwrap()
}

#[test]
fn what_is_no_module_is_named() {
    not_wasm(b"", "the file is empty");
    not_wasm(b"\0", "does not begin with");
    not_wasm(b"hello", "\\0asm");
    not_wasm(b"\x7fELF\x02\x01\x01", "native ELF program");
    if !cfg!(feature = "component") {
        not_wasm(b"\0asm\x0d\0\x01\0", "wasm32-wasip1");
    }
    not_wasm(&[0xff; 1000], "does not begin with");
}

#[test]
fn text_is_translated_and_its_errors_are_located() {
    for text in ["(module)", "  \n\t(module)", ";; a comment\n(module)", "(; another ;) (module)"] {
        assert!(Program::compile("test", text.as_bytes(), &Limits::default()).is_ok(), "{text}");
    }
    not_wasm(b"(module\n  (func (export \"f\") (i32.ad)))", "i32.ad");
    not_wasm(b"(module", "expected");
    not_wasm(b"(\xff)", "");
    not_wasm(";; nothing".as_bytes(), "");
}

#[test]
fn deep_text_is_refused_without_harm() {
    let nested = format!("(module (func {}{}))", "(block ".repeat(100_000), ")".repeat(100_000));
    let error = Program::compile("test", nested.as_bytes(), &Limits::default()).unwrap_err().to_string();
    assert!(error.contains("nested blocks"), "{error}");
    not_wasm("(".repeat(1_000_000).as_bytes(), "");
}

#[test]
fn the_name_is_in_the_error() {
    let error = Program::compile("some/file.wasm", b"", &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "some/file.wasm: not a WebAssembly module: the file is empty");
}

#[test]
fn the_size_may_reach_the_cap_and_not_pass_it() {
    let wasm = wat(r#"(module (func (export "f")))"#);
    for module_bytes in [wasm.len(), wasm.len() + 1] {
        let limits = Limits { module_bytes, ..Limits::default() };
        assert_eq!(Program::compile("test", &wasm, &limits).unwrap().size(), wasm.len());
    }
    let limit = wasm.len() - 1;
    let problem = refusal(&wasm, &Limits { module_bytes: limit, ..Limits::default() });
    assert_eq!(problem, LoadProblem::TooLarge { size: wasm.len() as u64, limit });
    let text = problem.to_string();
    assert!(text.contains(&format!("{} bytes", wasm.len())) && text.contains("--max-module"), "{text}");
}

#[test]
fn text_that_becomes_too_large_is_refused() {
    let text = format!("(module (memory 1) (data \"{}\"))", "a".repeat(2000));
    let limits = |module_bytes| Limits { module_bytes, ..Limits::default() };
    assert!(Program::compile("test", text.as_bytes(), &limits(text.len())).is_ok());
    // A short text whose binary is longer: each item takes more bytes than its own cap counts.
    let problem = refusal(text.as_bytes(), &limits(text.len() - 1));
    assert!(matches!(problem, LoadProblem::TooLarge { .. }), "{problem:?}");
}

#[track_caller]
fn import_refused(source: &str, name: &str, expected: &str) {
    let problem = refusal(&wat(source), &Limits::default());
    let LoadProblem::Import { import, why } = &problem else { panic!("{problem:?}") };
    assert_eq!(import, name);
    assert!(why.contains(expected), "{why}");
    assert!(problem.to_string().contains(name), "{problem}");
}

#[test]
fn imports_that_are_not_provided_are_refused() {
    import_refused(r#"(module (import "env" "print" (func)))"#, "env.print", "does not provide");
    import_refused(r#"(module (import "" "" (func)))"#, ".", "does not provide");
    let unknown = r#"(module (import "wasi_snapshot_preview1" "fd_fly" (func)))"#;
    import_refused(unknown, "wasi_snapshot_preview1.fd_fly", "does not provide");
    let new = r#"(module (import "wasi_unstable" "sock_accept" (func (param i32 i32 i32) (result i32))))"#;
    import_refused(new, "wasi_unstable.sock_accept", "does not provide");
    import_refused(r#"(module (import "env" "x" (memory 1)))"#, "env.x", "which a dynamic linker provides");
    let shared = r#"(module (import "env" "f" (func)) (import "env" "__memory_base" (global i32)))"#;
    import_refused(shared, "env.f", "it is a shared library");
    for item in ["(table 1 funcref)", "(global i32)", "(global (mut i64))"] {
        import_refused(&format!(r#"(module (import "env" "x" {item}))"#), "env.x", "does not provide");
    }
}

#[test]
fn imports_of_another_type_are_refused_with_both() {
    let wrong = r#"(module (import "wasi_snapshot_preview1" "fd_write" (func (param i64))))"#;
    let name = "wasi_snapshot_preview1.fd_write";
    import_refused(wrong, name, "as (i64), but it is (i32, i32, i32, i32) -> i32");
    let memory = r#"(module (import "wasi_snapshot_preview1" "fd_write" (memory 1)))"#;
    import_refused(memory, name, "as a memory, but it is a function");
    import_refused(r#"(module (import "env" "abort" (func)))"#, "env.abort", "as (), but it is (i32");
}

#[test]
fn the_same_import_may_come_twice() {
    let import = r#"(import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))"#;
    assert_eq!(loads(&format!("(module {import} {import})")).info().imports.len(), 2);
}

#[test]
fn counts_may_reach_their_cap_and_not_pass_it() {
    // Each list stays cheap to read, whatever it announces.
    let import = r#"(import "env" "abort" (func (param i32 i32 i32 i32)))"#;
    let imports = |n: usize| format!("(module {})", import.repeat(n));
    let exports = |n: usize| {
        let list: String = (0..n).map(|i| format!(r#"(export "{i}" (func 0))"#)).collect();
        format!("(module (func) {list})")
    };
    let many = |first: &str, item: &str, n: usize| format!("(module {first} {})", item.repeat(n));
    loads(&imports(1_000));
    invalid(&imports(1_001), "1001 imports, more than the 1000 supported");
    loads(&exports(10_000));
    invalid(&exports(10_001), "10001 exports, more than the 10000 supported");
    for (what, max, first, item) in [
        ("types", 10_000, "", "(type (func))"),
        ("globals", 1_000, "", "(global i32 (i32.const 0))"),
        ("tables", 100, "", "(table 0 funcref)"),
        ("element segments", 1_000, "(table 1 funcref)", "(elem (i32.const 0))"),
        ("data segments", 100_000, "(memory 1)", r#"(data (i32.const 0) "x")"#),
    ] {
        loads(&many(first, item, max));
        let refusal = format!("{} {what}, more than the {max} supported", max + 1);
        invalid(&many(first, item, max + 1), &refusal);
    }
}

#[test]
fn a_type_may_have_1000_parameters_and_32_results() {
    let ty = |params: usize, results: usize| {
        format!(
            "(module (type (func (param {}) (result {}))))",
            "i32 ".repeat(params),
            "i64 ".repeat(results)
        )
    };
    loads(&ty(1_000, 32));
    invalid(&ty(1_001, 0), "function params size is out of bounds");
    invalid(&ty(0, 33), "more than 1000 parameters or 32 results");
}

/// The data of programs that Go's linker made are in very many pieces; each instance must have all of them.
#[test]
fn every_one_of_many_data_segments_arrives() {
    let data: String = (0..50_000).map(|i| format!(r#"(data (i32.const {i}) "\{:02x}")"#, i % 251)).collect();
    let source = format!(
        r#"(module (memory 1) {data}
             (func (export "at") (param i32) (result i32) (i32.load8_u (local.get 0))))"#
    );
    let program = loads(&source);
    let limits = Limits::default();
    for at in [0, 1, 999, 1_000, 1_001, 31_234, 49_999, 50_000] {
        let values = numeric::run(job(&program, &limits), "at", &[at.into()]).unwrap().result.unwrap();
        assert_eq!(values, [(if at < 50_000 { at % 251 } else { 0 }).into()], "{at}");
    }
}

/// Sections that announce four billion entries and hold none.
#[test]
fn announced_counts_are_not_believed() {
    for section in [1_u8, 2, 3, 4, 5, 6, 7, 9, 10, 11] {
        let mut wasm = b"\0asm\x01\0\0\0".to_vec();
        wasm.extend([section, 5, 0xff, 0xff, 0xff, 0xff, 0x0f]);
        let problem = refusal(&wasm, &Limits::default());
        assert!(matches!(problem, LoadProblem::Invalid(_)), "section {section}: {problem:?}");
    }
}

#[test]
fn features_that_are_off_are_refused() {
    invalid("(module (memory 1) (memory 1))", "mem");
    invalid("(module (memory i64 1))", "memory64");
    let relaxed = "(module (func (result v128) (local v128) (i32x4.relaxed_trunc_f32x4_s (local.get 0))))";
    invalid(relaxed, if cfg!(feature = "simd") { "relaxed" } else { "cargo feature `simd`" });
    invalid("(module (global i32 (i32.add (i32.const 1) (i32.const 2))))", "constant expression");
    invalid("(module (func $f (return_call $f)))", "tail calls");
    invalid(
        "(module (memory 1 1 shared))",
        "it uses threads, which the interpreter does not have in any build",
    );
    invalid("(module (type (struct)))", "");
    invalid("(module (tag))", "it uses exceptions, which the interpreter does not have in any build");
    invalid(
        "(module (type (func (param exnref))))",
        "it uses exceptions, which the interpreter does not have in any build",
    );
}

#[test]
fn features_that_are_on_are_accepted() {
    let simd = "(module (func (result v128) (i32x4.splat (i32.const 1))))";
    if cfg!(feature = "simd") {
        loads(simd);
    } else {
        invalid(simd, "cargo feature `simd`");
    }
    loads("(module (func (result i32 i64) (i32.const 1) (i64.const 2)))");
    loads("(module (func (param i64) (result i64) (i64.extend8_s (local.get 0))))");
    loads("(module (func (param f32) (result i32) (i32.trunc_sat_f32_s (local.get 0))))");
    loads("(module (table 1 externref) (func (param externref) (table.set (i32.const 0) (local.get 0))))");
}

#[test]
fn what_is_valid_in_parts_but_not_as_a_whole_is_refused() {
    invalid("(module (func (result i32)))", "type mismatch");
    invalid(r#"(module (func) (start 1))"#, "");
    invalid(r#"(module (func (param i32)) (start 0))"#, "start");
    invalid(r#"(module (func) (export "a" (func 0)) (export "a" (func 0)))"#, "duplicate export");
    invalid(r#"(module (func) (export "a" (func 9)))"#, "unknown function 9");
}

/// A module with every kind of section.
fn varied() -> Vec<u8> {
    wat(r#"(module
        (type $t (func (param i32) (result i32)))
        (import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))
        (table 2 funcref) (memory (export "memory") 1) (global $g (mut i32) (i32.const 1))
        (export "f" (func $f)) (start $s) (elem (i32.const 0) $f $s)
        (func $f (type $t) (i32.add (local.get 0) (global.get $g)))
        (func $s (global.set $g (i32.const 2)))
        (data (i32.const 8) "some data"))"#)
}

#[test]
fn a_module_cut_at_any_byte_is_refused() {
    let wasm = varied();
    let limits = Limits::default();
    assert!(Program::compile("test", &wasm, &limits).is_ok());
    // A cut between two sections may leave a smaller module that is whole. All are below 128 bytes, so
    // that the byte after a section's number is its size.
    let mut borders = vec![8];
    while let Some(end) = borders.last().filter(|end| **end < wasm.len()) {
        borders.push(end + 2 + usize::from(wasm[end + 1]));
    }
    for n in (0..wasm.len()).filter(|n| !borders.contains(n)) {
        assert!(Program::compile("test", &wasm[..n], &limits).is_err(), "cut at byte {n}");
    }
}

#[test]
fn a_module_with_any_byte_changed_never_panics() {
    let wasm = varied();
    let limits = Limits { fuel: 10_000, ..Limits::default() };
    let (mut accepted, mut refused) = (0, 0);
    for at in 0..wasm.len() {
        for value in
            [0x00, 0x01, 0x7f, 0x80, 0xff, wasm[at] ^ 0x01, wasm[at] ^ 0x40, wasm[at].wrapping_add(1)]
        {
            let mut changed = wasm.clone();
            changed[at] = value;
            let Ok(program) = Program::compile("test", &changed, &limits) else {
                refused += 1;
                continue;
            };
            accepted += 1;
            let job = crate::support::job(&program, &limits);
            if let Err(error) = fuelbox::abi::call_bytes(job, "f", b"1", None) {
                assert!(!matches!(error, fuelbox::Error::Internal(_)), "byte {at} as {value}: {error}");
            }
        }
    }
    assert!(accepted > 100 && refused > 100, "{accepted} accepted, {refused} refused");
}
