//! What runs leave for the next ones: a store that has had instances, and the zeroed memory of the last. A guest must
//! find nothing there that differs from what the first guest of a program found.

use crate::memory::resident_kib;
use crate::skip::skip;
use crate::support::{Chance, job, wat};
use fuelbox::abi::numeric;
use fuelbox::{CompileOptions, Denied, Limits, Program, Report, Stop, Translation, Value};
use std::time::Duration;

/// A guest that can leave something everywhere, and look for it everywhere. `looks` gives 0 if everything is as it was at
/// the start: its memory, size of memory, globals, table and segments.
fn guest(pages: u32) -> Vec<u8> {
    let source = r#"(module
        (memory (export "memory") PAGES)
        (data (i32.const 100) "given")
        (data $passive "passive")
        (table $table 4 funcref)
        (elem (table $table) (i32.const 1) func $one)
        (elem $later func $one)
        (global $global (mut i64) (i64.const 7))
        (func $one (result i32) i32.const 1)
        (func (export "fill") (param $at i32) (param $len i32) (param $byte i32)
            (memory.fill (local.get $at) (local.get $byte) (local.get $len)))
        (func (export "change")
            (global.set $global (i64.const 8))
            (table.set $table (i32.const 1) (ref.null func))
            (table.init $table $later (i32.const 2) (i32.const 0) (i32.const 1))
            (elem.drop $later)
            (memory.init $passive (i32.const 0) (i32.const 0) (i32.const 7))
            (data.drop $passive))
        (func (export "grow") (param $pages i32) (result i32) (memory.grow (local.get $pages)))
        (func (export "trap") (param $at i32) (i32.store8 (local.get $at) (i32.const 1)) unreachable)
        (func (export "spin") (i32.store8 (i32.const 5000) (i32.const 1)) (loop (br 0)))
        (func (export "looks") (result i64) (local $at i32) (local $end i32) (local $found i64)
            (memory.fill (i32.const 100) (i32.const 0) (i32.const 5))
            (local.set $end (i32.mul (memory.size) (i32.const 65536)))
            (if (local.get $end) (then
                (loop $next
                    (local.set $found (i64.or (local.get $found) (i64.load (local.get $at))))
                    (br_if $next (i32.lt_u
                        (local.tee $at (i32.add (local.get $at) (i32.const 8))) (local.get $end))))))
            (local.set $found (i64.or (local.get $found)
                (i64.extend_i32_u (i32.xor (memory.size) (i32.const PAGES)))))
            (local.set $found (i64.or (local.get $found) (i64.xor (global.get $global) (i64.const 7))))
            (local.set $found (i64.or (local.get $found)
                (i64.extend_i32_u (ref.is_null (table.get $table (i32.const 1))))))
            (local.set $found (i64.or (local.get $found)
                (i64.extend_i32_u (i32.eqz (ref.is_null (table.get $table (i32.const 2)))))))
            (table.init $table $later (i32.const 3) (i32.const 0) (i32.const 1))
            (memory.init $passive (i32.const 0) (i32.const 0) (i32.const 7))
            (local.get $found)))"#;
    wat(&source.replace("PAGES", &pages.to_string()))
}

fn compile(pages: u32, limits: &Limits) -> Program {
    Program::compile("guest", &guest(pages), limits).unwrap()
}

fn call(program: &Program, limits: &Limits, func: &str, params: &[i32]) -> Report<Vec<Value>> {
    let params: Vec<Value> = params.iter().map(|n| Value::I32(*n)).collect();
    numeric::run(job(program, limits), func, &params).unwrap()
}

#[track_caller]
fn finds_nothing(program: &Program, limits: &Limits) -> Report<Vec<Value>> {
    let report = call(program, limits, "looks", &[]);
    assert_eq!(report.result, Ok(vec![Value::I64(0)]));
    report
}

#[test]
fn a_call_finds_nothing_of_the_calls_before_it() {
    let limits = Limits { deadline: None, ..Limits::default() };
    for (pages, rounds, seed) in [(1, 300, 1_u64), (3, 200, 2), (17, 100, 3), (80, 30, 4)] {
        let program = compile(pages, &limits);
        let mut chance = Chance(seed);
        let bytes = u64::from(pages) * 65_536;
        for round in 0..rounds {
            match chance.below(12) {
                0 => drop(call(&program, &limits, "grow", &[chance.below(4) as i32])),
                1 => drop(call(&program, &limits, "trap", &[chance.below(bytes) as i32])),
                2 => drop(call(&program, &Limits { fuel: 3_000, ..limits.clone() }, "spin", &[])),
                3 => assert!(call(&program, &limits, "change", &[]).result.is_ok()),
                4 => assert!(call(&program, &limits, "fill", &[0, bytes as i32, 255]).result.is_ok()),
                5 => {
                    // Bytes at both ends of a page of the system, wherever that is.
                    for at in [chance.below(bytes / 4096) * 4096, chance.below(bytes / 4096) * 4096 + 4095] {
                        assert!(call(&program, &limits, "fill", &[at as i32, 1, 3]).result.is_ok());
                    }
                }
                6 => {
                    let (from, len) = (chance.below(bytes), chance.below(bytes));
                    let len = len.min(bytes - from);
                    assert!(call(&program, &limits, "fill", &[from as i32, len as i32, 9]).result.is_ok());
                }
                _ => {
                    // The same pages each time, so that they are known.
                    let at = chance.one_of(&[500, 9_000, bytes - 700]);
                    assert!(call(&program, &limits, "fill", &[at as i32, 600, 77]).result.is_ok());
                }
            }
            let report = finds_nothing(&program, &limits);
            assert_eq!(report.usage.peak_pages, pages, "{round}");
        }
    }
}

#[test]
fn concurrent_calls_find_nothing_of_each_other() {
    let limits = Limits { deadline: None, ..Limits::default() };
    let program = compile(2, &limits);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (program, limits) = (&program, &limits);
            scope.spawn(move || {
                for n in 0..200 {
                    let at = (thread * 31_000 + n * 13) % 130_000;
                    assert!(call(program, limits, "fill", &[at, 900, thread + 1]).result.is_ok());
                    finds_nothing(program, limits);
                }
            });
        }
    });
}

#[test]
fn fuel_and_memory_are_those_of_the_first_call() {
    let limits = Limits::default();
    let program = compile(17, &limits);
    let first = finds_nothing(&program, &limits).usage;
    for _ in 0..40 {
        let usage = finds_nothing(&program, &limits).usage;
        assert_eq!((usage.fuel, usage.peak_pages), (first.fuel, first.peak_pages));
    }
}

#[test]
fn each_call_has_its_own_limits() {
    let limits = Limits::default();
    let program = compile(4, &limits);
    let of = |pages| Limits { memory_pages: pages, ..Limits::default() };
    // Which of them come first decides how much memory was reserved.
    for pages in [320, 8, 5, 4, 5, 8, 320, 1_000, 4, 320] {
        finds_nothing(&program, &limits);
        let grown = |by| call(&program, &of(pages), "grow", &[by]).result.unwrap();
        assert_eq!(grown(pages as i32 - 4), [Value::I32(4)], "{pages}");
        finds_nothing(&program, &limits);
        assert_eq!(grown(pages as i32 - 3), [Value::I32(-1)], "{pages}");
        finds_nothing(&program, &of(pages));
        // Fewer than declared.
        let report = call(&program, &of(3), "looks", &[]);
        let denied = Denied::Pages { wanted: 4, limit: 3 };
        assert!(
            matches!(&report.result, Err(Stop::MemoryDenied { denied: found, .. }) if *found == denied),
            "{report:?}"
        );
    }
}

#[test]
fn what_is_left_is_given_back_after_a_second() {
    let limits = Limits::default();
    let program = compile(2, &limits);
    assert!(!program.has_spares());
    finds_nothing(&program, &limits);
    assert!(program.has_spares());
    program.trim();
    assert!(program.has_spares(), "it was used just now");
    std::thread::sleep(Duration::from_millis(1_100));
    program.trim();
    assert!(!program.has_spares());
    finds_nothing(&program, &limits);
}

#[test]
fn a_program_that_runs_in_many_threads_at_once_keeps_little() {
    let limits = Limits { deadline: None, ..Limits::default() };
    let program = compile(31, &limits);
    let Some(before) = resident_kib() else { return skip("there is no /proc") };
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| assert!(call(&program, &limits, "fill", &[0, 31 * 65_536, 1]).result.is_ok()));
        }
    });
    let after = resident_kib().unwrap();
    // Other tests run beside this one.
    assert!(after < before + 100 * 1024, "{before} KiB, {after} KiB");
}

#[test]
fn a_memory_that_had_grown_is_not_kept_for_one_that_does_not() {
    let limits = Limits { deadline: None, ..Limits::default() };
    let Some(before) = resident_kib() else { return skip("there is no /proc") };
    let programs: Vec<Program> = (0..40).map(|_| compile(1, &limits)).collect();
    for program in &programs {
        assert_eq!(call(program, &limits, "grow", &[127]).result.unwrap(), [Value::I32(1)]);
        for _ in 0..3 {
            finds_nothing(program, &limits);
        }
    }
    let after = resident_kib().unwrap();
    // 8 MiB of each would be 320 MiB. Other tests run beside this one.
    assert!(after < before + 150 * 1024, "{before} KiB, {after} KiB");
}

#[test]
fn what_a_store_keeps_of_each_instance_is_counted() {
    let counted =
        |source: &str| Program::compile("m", &wat(source), &Limits::default()).unwrap().info().instance_bytes;
    let import = r#"(import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))"#;
    let bare = counted("(module)");
    assert!(counted(&format!("(module {})", import.repeat(1_000))) >= bare + 1_000 * 24);
    let name = "n".repeat(1_000);
    assert!(counted(&format!(r#"(module (func (export "{name}")))"#)) >= bare + 1_000);
}

#[test]
fn code_that_takes_a_large_part_of_the_deadline_is_translated_before_a_run() {
    let body = "local.get 0 i32.const 1 i32.add local.set 0 ".repeat(150_000);
    let module = wat(&format!(r#"(module (func (export "f") (param i32) {body}))"#));
    let options = CompileOptions { translation: Translation::Known, ..CompileOptions::default() };
    let is_translated = |deadline| {
        let limits = Limits { deadline, ..Limits::default() };
        Program::compile_with("m", &module, &limits, &options).unwrap().is_translated()
    };
    assert!(is_translated(Some(Duration::from_millis(20))));
    assert!(!is_translated(Some(Duration::from_secs(60))) && !is_translated(None));
}

/// A module of these sections, each with its number.
fn module(sections: &[(u8, &[u8])]) -> Vec<u8> {
    let mut wasm = b"\0asm\x01\0\0\0".to_vec();
    for (id, content) in sections {
        wasm.extend_from_slice(&[*id, content.len() as u8]);
        wasm.extend_from_slice(content);
    }
    wasm
}

#[test]
fn a_module_whose_memory_is_malformed_is_refused() {
    let memory = |content: &'static [u8]| (5_u8, content);
    let (types, function, code) =
        ((1_u8, &b"\x01\x60\0\0"[..]), (3_u8, &b"\x01\0"[..]), (10_u8, &b"\x01\x02\0\x0b"[..]));
    let fine = [types, function, memory(b"\x01\0\x01"), code];
    assert!(Program::compile("m", &module(&fine), &Limits::default()).is_ok());
    let refused: [&[(u8, &[u8])]; 12] = [
        // Two memories, in one section and in two.
        &[types, function, memory(b"\x02\0\x01\0\x01"), code],
        &[types, function, memory(b"\x01\0\x01"), memory(b"\x01\0\x01"), code],
        // Bytes after it, bytes missing, a wrong count, and none but bytes.
        &[types, function, memory(b"\x01\0\x01\0"), code],
        &[types, function, memory(b"\x01\0"), code],
        &[types, function, memory(b""), code],
        &[types, function, memory(b"\0\0\x01"), code],
        // Flags: shared, of 64 bits, with pages of one byte, unknown.
        &[types, function, memory(b"\x01\x03\x01\x01"), code],
        &[types, function, memory(b"\x01\x04\x01"), code],
        &[types, function, memory(b"\x01\x08\x01\0"), code],
        &[types, function, memory(b"\x01\x80\x01"), code],
        // A maximum below the minimum, and a memory in the wrong place.
        &[types, function, memory(b"\x01\x01\x02\x01"), code],
        &[types, function, code, memory(b"\x01\0\x01")],
    ];
    for (n, sections) in refused.iter().enumerate() {
        assert!(Program::compile("m", &module(sections), &Limits::default()).is_err(), "{n}");
    }
}

#[test]
fn a_module_with_every_kind_of_import_and_section_keeps_its_memory() {
    let imports = r#"(import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))"#;
    let body = r#"(memory (export "memory") 2 3) (export "again" (memory 0)) (data (i32.const 8) "x")
        (func (export "f") (result i32) (i32.add (memory.size) (i32.load8_u (i32.const 8))))"#;
    let start = "(func $s (i32.store8 (i32.const 8) (i32.const 10))) (start $s)";
    for (source, expected) in [
        (format!("(module {body})"), 2 + 0x78),
        (format!("(module {imports} {body})"), 2 + 0x78),
        (format!("(module {body} {start})"), 12),
        (format!("(module {imports} {body} {start})"), 12),
    ] {
        let program = Program::compile("m", &wat(&source), &Limits::default()).unwrap();
        assert_eq!(program.info().imports.len(), usize::from(source.contains("import")));
        assert_eq!(program.info().memory.unwrap().max_pages, Some(3));
        for _ in 0..3 {
            let report = numeric::run(job(&program, &Limits::default()), "f", &[]).unwrap();
            assert_eq!(report.result, Ok(vec![Value::I32(expected)]), "{source}");
        }
    }
}
