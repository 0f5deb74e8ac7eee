//! Traced runs: where a guest was stopped, and that tracing changes nothing else.

use crate::support::{TempDir, fuelbox, job, wat};
use fuelbox::abi::numeric;
use fuelbox::base::trace::Chain;
use fuelbox::{CompileOptions, Limits, LoadProblem, Program, Report, Stop, Tracing, Value};

fn compiled(source: &str, limits: &Limits, tracing: Tracing) -> Result<Program, fuelbox::Error> {
    let options = CompileOptions { tracing, ..CompileOptions::default() };
    Program::compile_with("test", &wat(source), limits, &options)
}

#[track_caller]
fn run(source: &str, limits: &Limits, tracing: Tracing, func: &str, params: &[Value]) -> Report<Vec<Value>> {
    let program = compiled(source, limits, tracing).unwrap();
    numeric::run(job(&program, limits), func, params).unwrap()
}

/// How `func` ends, which is the same traced and not, and where.
#[track_caller]
fn both(source: &str, func: &str, params: &[Value]) -> (Result<Vec<Value>, Stop>, Chain) {
    let limits = Limits::default();
    let usual = run(source, &limits, Tracing::Off, func, params);
    let traced = run(source, &limits, Tracing::Chain, func, params);
    assert_eq!(traced.result, usual.result, "{source}");
    assert_eq!(traced.usage.fuel, usual.usage.fuel, "{source}");
    assert_eq!(usual.trace, None);
    let chain = traced.trace.expect("it is traced").chain;
    assert_eq!(chain.is_some(), traced.result.is_err());
    (traced.result, chain.unwrap_or_default())
}

#[track_caller]
fn traps(source: &str, func: &str, params: &[Value]) -> Chain {
    let (result, chain) = both(source, func, params);
    assert!(matches!(result, Err(Stop::Trap(_))), "{result:?}");
    chain
}

fn names(chain: &Chain) -> Vec<&str> {
    chain.frames.iter().map(|frame| frame.name.as_str()).collect()
}

/// The offset of the first place of `bytes` in the code of the module.
#[track_caller]
fn offset(source: &str, bytes: &[u8]) -> Option<u32> {
    let wasm = wat(source);
    // After the header, sections of less than 128 bytes. The last of them has the code.
    let mut at = 8;
    while wasm[at] != 10 {
        at += 2 + usize::from(wasm[at + 1]);
    }
    (at..wasm.len()).find(|at| wasm[*at..].starts_with(bytes)).map(|at| at as u32)
}

#[test]
fn each_kind_of_trap_has_its_place() {
    // Each with the bytes of the instruction.
    let kinds: [(&str, &[u8]); 14] = [
        ("unreachable", &[0x00, 0x0b]),
        ("(drop (i32.div_s (i32.const 1) (local.get 0)))", &[0x6d, 0x1a]),
        ("(drop (i32.div_u (i32.const 1) (local.get 0)))", &[0x6e, 0x1a]),
        ("(drop (i32.rem_s (i32.const 1) (local.get 0)))", &[0x6f, 0x1a]),
        ("(drop (i32.rem_u (i32.const 1) (local.get 0)))", &[0x70, 0x1a]),
        ("(drop (i64.div_s (i64.const 1) (i64.extend_i32_u (local.get 0))))", &[0x7f, 0x1a]),
        ("(drop (i64.rem_u (i64.const 1) (i64.extend_i32_u (local.get 0))))", &[0x82, 0x1a]),
        ("(drop (i32.div_s (i32.const 0x80000000) (i32.sub (local.get 0) (i32.const 1))))", &[0x6d, 0x1a]),
        ("(drop (i32.trunc_f32_s (f32.div (f32.const 0) (f32.convert_i32_s (local.get 0)))))", &[0xa8, 0x1a]),
        ("(drop (i64.trunc_f64_u (f64.const 1e30)))", &[0xb1, 0x1a]),
        ("(call_indirect (i32.const 1))", &[0x11, 1, 0]),
        ("(call_indirect (i32.const 9))", &[0x11, 1, 0]),
        ("(call_indirect (param i32) (local.get 0) (i32.const 0))", &[0x11, 0, 0]),
        ("(table.set (i32.const 9) (ref.null func))", &[0x26]),
    ];
    for (code, bytes) in kinds {
        let source = format!(
            r#"(module (table 2 funcref) (elem (i32.const 0) $outer) (func $inner (param i32) {code})
               (func $outer i32.const 0 call $inner) (export "f" (func $outer)))"#
        );
        let chain = traps(&source, "f", &[]);
        assert_eq!(names(&chain), ["inner", "outer"], "{code}");
        assert_eq!(chain.frames[0].at, offset(&source, bytes), "{code}");
        assert_eq!(chain.frames[1].at, offset(&source, &[0x10, 0]), "{code}");
    }
}

#[test]
fn a_memory_fault_has_its_address() {
    let kinds = [
        ("i32.load", 4),
        ("i64.load", 8),
        ("f32.load", 4),
        ("f64.load", 8),
        ("i32.load8_s", 1),
        ("i32.load8_u", 1),
        ("i32.load16_s", 2),
        ("i32.load16_u", 2),
        ("i64.load8_s", 1),
        ("i64.load8_u", 1),
        ("i64.load16_s", 2),
        ("i64.load16_u", 2),
        ("i64.load32_s", 4),
        ("i64.load32_u", 4),
        ("i32.store", 4),
        ("i64.store", 8),
        ("f32.store", 4),
        ("f64.store", 8),
        ("i32.store8", 1),
        ("i32.store16", 2),
        ("i64.store8", 1),
        ("i64.store16", 2),
        ("i64.store32", 4),
    ];
    for (kind, bytes) in kinds {
        let code = match kind.split_once(".store") {
            Some((ty, _)) => format!("({kind} offset=16 (local.get 0) ({ty}.const 7))"),
            None => format!("(drop ({kind} offset=16 (local.get 0)))"),
        };
        let source = format!(r#"(module (memory 1) (func (export "f") (param i32) {code}))"#);
        let last = 65_536 - 16 - bytes;
        assert_eq!(both(&source, "f", &[last.into()]).0, Ok(vec![]), "{kind}");
        for address in [last + 1, 65_536, -1] {
            let chain = traps(&source, "f", &[address.into()]);
            let verb = if kind.contains("store") { "write" } else { "read" };
            let expected = format!(
                "{verb} of {bytes} bytes at address {address:#x} + offset 16, in a memory of 65536 bytes"
            );
            assert_eq!(chain.fault, Some(expected), "{kind}");
        }
    }
}

#[test]
fn bulk_operations_and_indirect_calls_have_what_they_wanted() {
    let source = r#"(module (memory 1) (data $d "abc") (table 1 funcref)
        (func (export "fill") (param i32 i32 i32) local.get 0 local.get 1 local.get 2 memory.fill)
        (func (export "copy") (param i32 i32 i32) local.get 0 local.get 1 local.get 2 memory.copy)
        (func (export "init") (param i32 i32 i32) local.get 0 local.get 1 local.get 2 memory.init $d)
        (func (export "call") (param i32) local.get 0 call_indirect))"#;
    let fault = |func, params: &[i32]| {
        let params: Vec<Value> = params.iter().map(|value| (*value).into()).collect();
        traps(source, func, &params).fault.unwrap()
    };
    assert_eq!(
        fault("fill", &[65_000, 1, 537]),
        "fill of 537 bytes at address 0xfde8, in a memory of 65536 bytes"
    );
    assert_eq!(
        fault("copy", &[0, 65_000, 537]),
        "copy of 537 bytes from address 0xfde8 to 0x0, in a memory of 65536 bytes"
    );
    assert_eq!(
        fault("init", &[5, 1, 3]),
        "copy of 3 bytes from offset 1 of data segment 0 to 0x5, in a memory of 65536 bytes"
    );
    assert_eq!(fault("call", &[0]), "call of element 0 of table 0");
    assert_eq!(fault("call", &[7]), "call of element 7 of table 0");
    for ok in ["fill", "copy"] {
        assert_eq!(both(source, ok, &[65_000.into(), 1.into(), 536.into()]).0, Ok(vec![]));
    }
}

#[test]
fn every_way_out_of_a_function_is_one() {
    // After each call, a trap shows that only its own function has not ended.
    let functions = [
        ("(param i32) (result i32)", "(return (i32.const 5))"),
        (
            "(param i32) (result i32)",
            "(block (loop (br_if 0 (i32.const 0)) (return (i32.const 5)))) unreachable",
        ),
        ("(param i32) (result i32)", "(br 0 (i32.const 5))"),
        ("(param i32) (result i32)", "(block (br 1 (i32.const 5))) unreachable"),
        ("(param i32) (result i32)", "(drop (br_if 0 (i32.const 5) (i32.const 1))) unreachable"),
        (
            "(param i32) (result i32)",
            "(if (result i32) (local.get 0) (then (return (i32.const 5))) (else (i32.const 6)))",
        ),
        ("(param i32) (result i32)", "(block (result i32) (br_table 0 1 (i32.const 5) (i32.const 1)))"),
        ("(param i32) (result i32 i64 f32)", "(i32.const 5) (i64.const 6) (f32.const 7)"),
        (
            "(param i32) (result i32 i64 f32)",
            "(block (return (i32.const 5) (i64.const 6) (f32.const 7))) unreachable",
        ),
        ("(param i32) (result i32 i64 f32)", "(br 0 (i32.const 5) (i64.const 6) (f32.const 7)) unreachable"),
        ("(param i32) (result i64 i32)", "(br_if 0 (i64.const 6) (i32.const 5) (local.get 0))"),
        ("(param i32)", "(br_table 0 0 0 (local.get 0))"),
        ("(param i32)", "(block (block (br_table 0 1 2 (local.get 0)))) (drop (i32.const 1))"),
        ("(param i32)", "return unreachable return br 0"),
        ("(param i32)", ""),
    ];
    for (ty, code) in functions {
        let results = ty.split_once("(result ").map_or("", |(_, results)| results.trim_end_matches(')'));
        let drops = "drop ".repeat(results.split_whitespace().count());
        let source = format!(
            r#"(module (type $t (func {ty})) (table 1 funcref) (elem (i32.const 0) $f)
               (func $f (export "f") (type $t) {code})
               (func $inner (param i32) local.get 0 call $f {drops} (call_indirect (type $t) (local.get 0) (i32.const 0))
                 {drops} unreachable)
               (func $outer (export "outer") (param i32) local.get 0 call $inner))"#
        );
        if wat::parse_str(&source).is_ok_and(|wasm| Program::compile("t", &wasm, &Limits::default()).is_err())
        {
            panic!("not valid: {code}");
        }
        for x in [0, 1, 2, 3] {
            let (result, _) = both(&source, "f", &[x.into()]);
            assert!(result.is_ok(), "{code}");
            let chain = traps(&source, "outer", &[x.into()]);
            assert_eq!(names(&chain), ["inner", "outer"], "{code}");
        }
    }
}

#[test]
fn tail_calls_are_refused_as_without() {
    let source = r#"(module (func $f) (func (export "g") return_call $f))"#;
    let refusal = |tracing| match compiled(source, &Limits::default(), tracing) {
        Err(fuelbox::Error::Load { problem, .. }) => problem,
        other => panic!("{other:?}"),
    };
    assert!(matches!(refusal(Tracing::Off), LoadProblem::Invalid(what) if what.contains("tail calls")));
    assert!(matches!(refusal(Tracing::Chain), LoadProblem::Invalid(what) if what.contains("tail calls")));
}

#[test]
fn what_would_become_valid_is_refused() {
    // The numbers of what is added.
    for code in [
        "global.get 0 drop",
        "f64.const 1 global.set 0",
        "i32.const 0 call_indirect (type 2)",
        "table.size 0 drop",
    ] {
        let source = format!("(module (func {code}))");
        let Ok(wasm) = wat::parse_str(&source) else { continue };
        for tracing in [Tracing::Off, Tracing::Chain] {
            let options = CompileOptions { tracing, ..CompileOptions::default() };
            assert!(Program::compile_with("test", &wasm, &Limits::default(), &options).is_err(), "{code}");
        }
    }
}

#[test]
fn a_start_function_is_traced() {
    let source = r#"(module (func $init call $f) (func $f unreachable) (start $init) (func (export "g")))"#;
    assert_eq!(names(&traps(source, "g", &[])), ["f", "init"]);
}

#[test]
fn what_is_added_takes_no_name_from_the_guest() {
    let exports: String = ["fuelbox:trace", "fuelbox:trace.at", "fuelbox:trace'.host", "fuelbox:start"]
        .map(|name| format!(r#"(export "{name}" (func $f))"#))
        .concat();
    let source = format!("(module {exports} (func $f unreachable) (start $f))");
    assert_eq!(names(&traps(&source, "fuelbox:trace", &[])), ["f"]);
}

#[test]
fn names_are_those_of_the_name_section_or_of_exports_and_printable() {
    let long = "x".repeat(5_000);
    let source = format!(
        r#"(module (func (@name "a\1b[31m\n\u{{202e}}b") call 1) (func (export "exported") call 2) (func call 3)
           (func (@name "{long}") unreachable) (export "f" (func 0)))"#
    );
    let chain = traps(&source, "f", &[]);
    let names = names(&chain);
    assert!(names[0].starts_with("xxx") && names[0].len() < 250, "{}", names[0]);
    assert_eq!(names[1..], ["func[2]", "exported", "a\\u{1b}[31m\\n\\u{202e}b"]);
    let text = chain.to_string();
    assert_eq!(text.lines().count(), 4, "{text}");
}

#[test]
fn broken_name_sections_are_left_out() {
    let wasm = wat(r#"(module (func $f (export "f") unreachable))"#);
    let at = wasm.windows(4).position(|four| four == b"name").unwrap() + 4;
    let options = CompileOptions { tracing: Tracing::Chain, ..CompileOptions::default() };
    for place in at..wasm.len() {
        for byte in [0x00, 0x01, 0x7f, 0x80, 0xff] {
            let mut broken = wasm.clone();
            broken[place] = byte;
            let limits = Limits::default();
            let program = Program::compile_with("test", &broken, &limits, &options).unwrap();
            let report = numeric::run(job(&program, &limits), "f", &[]).unwrap();
            let chain = report.trace.unwrap().chain.unwrap();
            assert_eq!(chain.frames.len(), 1);
        }
    }
}

#[test]
fn limits_hold() {
    let spin = r#"(module (func $leaf) (func (export "spin") (loop $l call $leaf br $l))
        (func $deep (export "deep") (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0))))
        (memory 1) (func (export "hog") (loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable))"#;
    for fuel in [1, 2, 1_000, 5_001, 123_457] {
        let limits = Limits { fuel, ..Limits::default() };
        let report = run(spin, &limits, Tracing::Profile, "spin", &[]);
        assert_eq!(report.result, Err(Stop::OutOfFuel { limit: fuel }));
        assert_eq!(report.usage.fuel, fuel);
    }
    let limits = crate::support::deadline_ms(50);
    let report = run(spin, &limits, Tracing::Profile, "spin", &[]);
    assert!(matches!(report.result, Err(Stop::Deadline { .. })));
    assert!(report.usage.run.as_millis() < 500, "{:?}", report.usage);
    assert!(names(&report.trace.unwrap().chain.unwrap()).contains(&"spin"));
    for recursion in [1, 2, 10, 1_000] {
        let limits = Limits { recursion, ..Limits::default() };
        let report = run(spin, &limits, Tracing::Chain, "deep", &[1.into()]);
        assert!(matches!(report.result, Err(Stop::Trap(_))));
        let chain = report.trace.unwrap().chain.unwrap();
        let depth = chain.frames.last().unwrap().number + 1;
        let usual = run(spin, &limits, Tracing::Off, "deep", &[1.into()]);
        assert_eq!(usual.usage.fuel, report.usage.fuel, "{recursion}");
        assert!(depth <= recursion && chain.frames.len() <= 32, "{depth} {recursion}");
    }
    let limits = Limits { memory_pages: 3, ..Limits::default() };
    let report = run(spin, &limits, Tracing::Chain, "hog", &[]);
    assert!(matches!(report.result, Err(Stop::MemoryDenied { .. })), "{:?}", report.result);
    assert_eq!(report.usage.peak_pages, 3);
    // A table of its own counts to no limit of the guest's tables.
    let limits = Limits { table_elements: 0, ..Limits::default() };
    assert!(matches!(run(spin, &limits, Tracing::Chain, "deep", &[1.into()]).result, Err(Stop::Trap(_))));
}

#[test]
fn the_command_line_says_where_and_that_it_can() {
    let folder = TempDir::new();
    let file = folder.write(
        "crash.wat",
        r#"(module (func $divide (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
        (func (export "main") (param i32) (result i32) local.get 0 call $divide))"#,
    );
    let file = file.to_str().unwrap();
    let ran = fuelbox(&["run", file, "main", "0"]);
    assert_eq!(ran.stderr, "fuelbox: guest trapped: integer divide by zero (--trace shows where)\n");
    for command in ["run", "call"] {
        let mut args = vec![command, "--trace", file, "main"];
        args.extend(if command == "run" { ["0"].as_slice() } else { &["--data", "0"] });
        let ran = fuelbox(&args).expect(121);
        let lines: Vec<&str> = ran.stderr.lines().collect();
        assert_eq!(lines[0], "fuelbox: guest trapped: integer divide by zero");
        assert!(lines[1].starts_with("    0: divide at 0x"), "{}", ran.stderr);
        assert!(lines[2].starts_with("    1: main at 0x"), "{}", ran.stderr);
        assert_eq!(lines.len(), 3);
    }
    let ran = fuelbox(&["run", "--trace", file, "main", "1"]).expect(0);
    assert_eq!((&*ran.stdout, &*ran.stderr), (&b"1\n"[..], ""));
}
