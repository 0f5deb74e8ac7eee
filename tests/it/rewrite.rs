//! What is refused or rewritten before the interpreter sees it, because it would get it wrong: guests compute what the
//! specification says, and what is said of a module is said of the bytes that were given.

use crate::guest::{numbers, refusal};
use crate::support::{job, wat};
use fuelbox::abi::numeric;
use fuelbox::{CompileOptions, Limits, LoadProblem, Program, Translation, Value};

#[track_caller]
fn refused(source: &str, says: &str) {
    match refusal(&wat(source), &Limits::default()) {
        LoadProblem::Invalid(what) => assert!(what.contains(says), "{what}"),
        other => panic!("{other:?}"),
    }
}

/// What `func` gives, with all code tried before, and without.
#[track_caller]
fn gives(source: &str, func: &str, params: &[Value], expected: &[Value]) {
    for translation in [Translation::AtLoad, Translation::AtFirstCall, Translation::Known] {
        let limits = Limits::default();
        let options = CompileOptions { translation, ..CompileOptions::default() };
        let program = Program::compile_with("test", &wat(source), &limits, &options).unwrap();
        let report = numeric::run(job(&program, &limits), func, params).unwrap();
        assert_eq!(report.result.as_deref(), Ok(expected), "{func} {params:?}");
    }
}

/// The same module with so much code that it is translated when it is loaded.
fn with_much_code(source: &str) -> String {
    let much = format!("(func (local i32) {})", "local.get 0 if else end ".repeat(160_000));
    source.replacen("(module", &format!("(module {much}"), 1)
}

#[test]
fn blocks_take_no_parameters() {
    for block in ["block", "loop"] {
        let takes = |n: usize| {
            let (params, values, drops) = ("i32 ".repeat(n), "i32.const 1 ".repeat(n), "drop ".repeat(n));
            format!("(module (func {values} {block} (param {params}) {drops} end))")
        };
        refused(&takes(1), "takes parameters");
        refused(&takes(2), "takes parameters");
        gives(&takes(0).replace("(func", "(func (export \"f\")").replace("(param )", ""), "f", &[], &[]);
    }
    refused("(module (func i32.const 1 i32.const 0 if (param i32) drop else drop end))", "takes parameters");
    // Not even where they are not reached.
    refused("(module (func unreachable block (param i32) drop end))", "takes parameters");
    // Results may be many, by a type as well.
    let results = r#"(module (type $t (func (result i32 i64)))
        (func (export "f") (result i32 i64) block (type $t) i32.const 1 i64.const 2 end))"#;
    gives(results, "f", &[], &[Value::I32(1), Value::I64(2)]);
}

#[test]
fn a_select_on_a_comparison_with_zero_is_right() {
    let conditions = [
        ("(i32.eqz (local.get 0))", false),
        ("(i32.eq (local.get 0) (i32.const 0))", false),
        ("(i32.eq (i32.const 0) (local.get 0))", false),
        ("(i32.ne (local.get 0) (i32.const 0))", true),
        ("(i32.ne (i32.const 0) (local.get 0))", true),
        ("(i32.eqz (i32.eqz (local.get 0)))", true),
        ("(i32.eqz (i32.ne (local.get 0) (i32.const 0)))", false),
        ("(block (result i32) (i32.eqz (local.get 0)))", false),
        ("(local.tee 1 (i32.eqz (local.get 0)))", false),
        ("(i32.wrap_i64 (i64.extend_i32_u (i32.eqz (local.get 0))))", false),
        ("(i64.eqz (i64.extend_i32_u (local.get 0)))", false),
        ("(local.get 0)", true),
    ];
    for (condition, if_not_zero) in conditions {
        for select in ["select", "select (result i64)"] {
            let source = format!(
                r#"(module (func (export "f") (param i32) (result i64) (local i32)
                     ({select} (i64.const 11) (i64.const 22) {condition})))"#
            );
            for x in [0, 1, 2, -1, i32::MIN] {
                let expected = if (x != 0) == if_not_zero { 11 } else { 22 };
                let report = numbers(&source, &Limits::default(), "f", &[Value::I32(x)]);
                assert_eq!(report.result, Ok(vec![Value::I64(expected)]), "{condition} of {x}");
            }
        }
    }
    let one = r#"(module (func (export "f") (param i32) (result i32)
        i32.const 1 i32.const 0 local.get 0 i32.eqz select))"#;
    gives(one, "f", &[Value::I32(5)], &[Value::I32(0)]);
    gives(&with_much_code(one), "f", &[Value::I32(5)], &[Value::I32(0)]);
}

#[test]
fn a_jump_table_passes_one_value_at_most() {
    let table = |results: &str, values: &str| {
        format!(
            r#"(module (func (export "f") (param i32) (result {results})
                 block (result {results}) i64.const 7 {values} local.get 0 br_table 0 1 end))"#
        )
    };
    refused(&table("i32 i32", "i32.const 1 i32.const 2"), "br_table passes more than one value");
    refused(&table("i32 f32", "i32.const 1 f32.const 2"), "br_table passes more than one value");
    gives(&table("i32", "i32.const 1"), "f", &[Value::I32(0)], &[Value::I32(1)]);
    gives(&table("f64", "f64.const 1"), "f", &[Value::I32(1)], &[Value::F64(1.0)]);
    if cfg!(feature = "simd") {
        refused(&table("v128", "v128.const i64x2 1 2"), "br_table passes more than one value");
    }
}

#[test]
fn a_store_of_its_own_address_far_off_is_right() {
    for (ty, store, load) in [
        ("i32", "i32.store", "i64.load32_u"),
        ("i32", "i32.store8", "i64.load8_u"),
        ("i32", "i32.store16", "i64.load16_u"),
        ("i64", "i64.store", "i64.load"),
        ("i64", "i64.store8", "i64.load8_u"),
        ("i64", "i64.store16", "i64.load16_u"),
        ("i64", "i64.store32", "i64.load32_u"),
    ] {
        let value = if ty == "i64" { "i64.extend_i32_u" } else { "" };
        for offset in [65_535, 65_536, 100_000] {
            for again in ["local.get 0", "local.tee 0 local.get 0", "local.get 0 i32.const 0 i32.shl"] {
                let first = if again.starts_with("local.tee") { "" } else { "local.tee 0" };
                let source = format!(
                    r#"(module (memory 3)
                        (func $g (param i32) local.get 0 i32.const 1 i32.add {first} {again} {value}
                          {store} offset={offset})
                        (func (export "f") (param i32) (result i64) local.get 0 call $g
                          local.get 0 i32.const 1 i32.add {load} offset={offset}))"#
                );
                gives(&source, "f", &[Value::I32(5)], &[Value::I64(6)]);
                if (store, offset) == ("i64.store", 65_536) {
                    gives(&with_much_code(&source), "f", &[Value::I32(5)], &[Value::I64(6)]);
                }
            }
        }
    }
}

/// Both sizes before each function body and the section's may be written in five bytes.
#[test]
fn sizes_written_at_length_are_read() {
    let body = [0, 0x41, 1, 0x41, 0, 0x20, 0, 0x45, 0x1b, 0x0b];
    let long = |n: usize| [n as u8 | 0x80, 0x80, 0x80, 0x80, 0];
    let bodies = [&long(2)[..], &long(body.len()), &body, &long(body.len()), &body].concat();
    let types = [1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f];
    let functions = [3, 3, 2, 0, 0];
    let exports = [7, 5, 1, 1, b'f', 0, 1];
    let code = [&[10][..], &long(bodies.len()), &bodies].concat();
    let custom = [0, 2, 1, b'x'];
    let wasm =
        [b"\0asm\x01\0\0\0", &types[..], &functions, &custom, &exports, &custom, &code, &custom].concat();
    let limits = Limits::default();
    let program = Program::compile("test", &wasm, &limits).unwrap();
    for (x, expected) in [(0, 1), (5, 0)] {
        let report = numeric::run(job(&program, &limits), "f", &[Value::I32(x)]).unwrap();
        assert_eq!(report.result, Ok(vec![Value::I32(expected)]));
    }
    assert_eq!(program.size(), wasm.len(), "what was given is what is counted");
    let twice = [&wasm[..], &code].concat();
    let problem = refusal(&twice, &limits).to_string();
    assert!(problem.contains("is repeated"), "{problem}");
    // Neither may be cut off.
    for end in 8..wasm.len() - custom.len() {
        assert!(Program::compile("test", &wasm[..end], &limits).is_err() || end <= 8 + types.len(), "{end}");
    }
}

#[test]
fn a_start_function_is_rewritten_too() {
    for export in [r#"(export "g" (global $g))"#, ""] {
        let source = format!(
            r#"(module (global $g (mut i32) (i32.const 9)) {export}
                (func $s (global.set $g (select (i32.const 1) (i32.const 2) (i32.eqz (global.get $g)))))
                (start $s)
                (func (export "f") (result i32) (global.get $g)))"#
        );
        gives(&source, "f", &[], &[Value::I32(2)]);
    }
}

#[test]
fn many_selects_have_a_cap_that_code_does_not_meet() {
    // The densest that is reached: a tower of values, each select followed by the next two.
    let dense = |n: usize| {
        let body = "local.get 0 local.get 0 select ".repeat(n);
        format!(r#"(module (func (export "f") (param i32) (result i32) local.get 0 {body}))"#)
    };
    gives(&dense(5_000), "f", &[Value::I32(3)], &[Value::I32(3)]);
    let dead = |n: usize| format!("(module (func unreachable {} drop))", "select ".repeat(n));
    refused(&dead(2_000), "select instructions");
    assert!(Program::compile("test", &wat(&dead(1_000)), &Limits::default()).is_ok());
}

/// A call zeroes the variables of a function; the interpreter charges nothing for that.
#[test]
fn local_variables_are_paid_for() {
    let fuel = |locals: usize| {
        let source =
            format!(r#"(module (func $g (local {})) (func (export "f") call $g))"#, "i64 ".repeat(locals));
        numbers(&source, &Limits::default(), "f", &[]).usage.fuel
    };
    let few = fuel(0);
    for (locals, more) in [(1, 0), (32, 0), (33, 4), (64, 4), (65, 8), (4_096, 508)] {
        assert_eq!(fuel(locals), few + more, "{locals} local variables");
    }
}

/// Branches out of the function copy its results, as other branches do.
#[test]
fn branches_to_the_functions_own_label_are_counted() {
    let branches = |n: usize| {
        let (types, values) = ("i64 ".repeat(32), "i64.const 1 ".repeat(32));
        let branch = "local.get 0 br_if 0 ".repeat(n);
        format!("(module (func (param i32) (result {types}) {values} {branch}))")
    };
    assert!(Program::compile("test", &wat(&branches(30)), &Limits::default()).is_ok());
    refused(&branches(2_000), "values copied by branches");
}

/// Of a few bytes of code the interpreter makes many.
#[test]
fn code_that_becomes_too_large_is_refused() {
    let wasm = wat(&format!("(module (func (local i32) {}))", "local.get 0 if else end ".repeat(1_000)));
    let problem = |module_bytes| {
        Program::compile("test", &wasm, &Limits { module_bytes, ..Limits::default() })
            .err()
            .map(|e| e.to_string())
    };
    let refused = problem(wasm.len()).unwrap();
    let words: Vec<u64> = refused.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [bytes, limit, 6] = words[..] else { panic!("{refused}") };
    assert!(refused.contains("--max-module") && limit == wasm.len() as u64 * 6, "{refused}");
    let enough = bytes.div_ceil(6) as usize;
    assert_eq!(problem(enough), None);
    assert_eq!(problem(enough + 1), None);
    assert!(problem(enough - 1).unwrap().contains("its translated code"));
}

/// A lane stored far off, or at an address that is known, beside code that the interpreter took for its offset.
#[test]
#[cfg(feature = "simd")]
fn lanes_are_stored_where_they_belong() {
    for (store, load, lane, expected) in [
        ("v128.store8_lane", "i64.load8_u", 1, 0x22),
        ("v128.store16_lane", "i64.load16_u", 1, 0x4433),
        ("v128.store32_lane", "i64.load32_u", 1, 0x8877_6655),
        ("v128.store64_lane", "i64.load", 0, 0x8877_6655_4433_2211_u64 as i64),
    ] {
        for offset in [0, 65_535, 65_536, 70_000] {
            for address in ["(local.get 0)", "(i32.const 8)", "(i32.add (local.get 0) (i32.const 0))"] {
                let source = format!(
                    r#"(module (memory 3)
                        (func (export "f") (param i32) (result i64 i64) (local v128 i64)
                          (local.set 1 (v128.const i64x2 0x8877665544332211 3))
                          ({store} offset={offset} {lane} {address} (local.get 1))
                          (local.set 2 (i64.const 0x5555))
                          ({load} offset={offset} (i32.const 8)) (local.get 2)))"#
                );
                let more = [Value::I64(expected), Value::I64(0x5555)];
                gives(&source, "f", &[Value::I32(8)], &more);
            }
        }
    }
    refused("(module (memory i64 1))", "memory64");
}

/// Calls that take and give many values take long to translate.
#[test]
fn calls_with_many_values_do_not_hold_up_the_first_run() {
    for (params, results) in [(0, 32), (32, 32)] {
        let types = |n: usize| "i64 ".repeat(n);
        let pushes = "i64.const 0 ".repeat(params);
        let calls = "call $g ".repeat(if params == results { 120_000 } else { 10_000 });
        let drops = "drop ".repeat(if params == results { results } else { results * 10_000 });
        let source = format!(
            r#"(module (func $g (param {}) (result {}) {})
                (func (export "f") (param i32) (local.get 0) if {pushes} {calls} {drops} end))"#,
            types(params),
            types(results),
            "i64.const 0 ".repeat(results),
        );
        let limits = crate::support::deadline_ms(100);
        let options = CompileOptions { translation: Translation::AtFirstCall, ..CompileOptions::default() };
        let program = Program::compile_with("test", &wat(&source), &limits, &options).unwrap();
        assert!(program.is_translated() == (params == results), "{params} parameters, {results} results");
    }
}

#[test]
fn sections_come_once_and_in_order() {
    let wasm = wat(r#"(module (func $s) (start $s) (func (export "f")))"#);
    // The start section: its identifier, its size, and the function's number.
    let at = wasm.windows(3).position(|bytes| bytes == [8, 1, 0]).unwrap();
    let start = &wasm[at..at + 3];
    let without = [&wasm[..at], &wasm[at + 3..]].concat();
    let limits = Limits::default();
    assert!(Program::compile("test", &without, &limits).is_ok());
    let twice = [&wasm[..at], start, start, &wasm[at + 3..]].concat();
    let last = [&without[..], start].concat();
    let first = [&without[..8], start, &without[8..]].concat();
    for odd in [twice, last, first] {
        let problem = refusal(&odd, &limits).to_string();
        // Without the sections before it, nothing is known of the function.
        let says = ["is repeated or out of order", "unknown function 0"];
        assert!(says.iter().any(|what| problem.contains(what)), "{problem}");
    }
}
