//! Memory: the page cap at its edge, what a denied growth leads to, and a host that stays at its size.

use crate::guest::{fuel_only, numbers, refusal, trap};
use crate::skip::skip;
use crate::support::{job, prebuilt, program, wat};
use fuelbox::abi::numeric;
use fuelbox::{Denied, Limits, LoadProblem, Program, Stop, Value};

fn pages(memory_pages: u32) -> Limits {
    Limits { memory_pages, ..Limits::default() }
}

fn declaring(pages: u32) -> String {
    format!(r#"(module (memory {pages}) (func (export "f")))"#)
}

/// `f(n)` grows by `n` pages and gives the result; `must(n)` traps if that is -1.
const GROWER: &str = r#"(module (memory (export "memory") 1)
    (func $f (export "f") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "must") (param i32)
      (if (i32.eq (call $f (local.get 0)) (i32.const -1)) (then (unreachable)))))"#;

#[test]
fn declared_memory_may_reach_the_cap_and_not_pass_it() {
    for cap in [1, 2, 16, 256] {
        for declared in [cap - 1, cap] {
            let report = numbers(&declaring(declared), &pages(cap), "f", &[]);
            assert_eq!(report.result, Ok(vec![]), "{declared} of {cap}");
            assert_eq!(report.usage.peak_pages, declared);
        }
        let problem = refusal(&wat(&declaring(cap + 1)), &pages(cap));
        assert_eq!(problem, LoadProblem::Memory { pages: u64::from(cap) + 1, limit: cap });
        let text = problem.to_string();
        let expected =
            format!("declares {} pages of memory, more than the {cap} allowed (--memory-pages", cap + 1);
        assert!(text.contains(&expected), "{text}");
    }
}

#[test]
fn the_largest_declaration_is_refused() {
    let problem = refusal(&wat(&declaring(65_536)), &Limits::default());
    assert_eq!(problem, LoadProblem::Memory { pages: 65_536, limit: 320 });
}

#[test]
fn a_cap_of_no_pages_runs_what_has_no_memory() {
    let report = numbers(r#"(module (func (export "f")))"#, &pages(0), "f", &[]);
    assert_eq!(report.result, Ok(vec![]));
    assert_eq!(report.usage.peak_pages, 0);
    assert_eq!(refusal(&wat(&declaring(1)), &pages(0)), LoadProblem::Memory { pages: 1, limit: 0 });
}

#[test]
fn a_cap_beyond_what_memory_can_have_is_refused() {
    assert!(pages(65_536).check().is_ok());
    let text = pages(65_537).check().unwrap_err();
    assert!(text.contains("--memory-pages is 65537") && text.contains("65536"), "{text}");
}

#[test]
fn growth_may_reach_the_cap_and_not_pass_it() {
    for (by, result, peak) in [(8, 1, 9), (9, 1, 10), (10, -1, 1), (i32::MAX, -1, 1), (-1, -1, 1)] {
        let report = numbers(GROWER, &pages(10), "f", &[by.into()]);
        assert_eq!(report.result, Ok(vec![Value::I32(result)]), "grow by {by}");
        assert_eq!(report.usage.peak_pages, peak, "grow by {by}");
    }
}

#[test]
fn a_trap_after_a_denied_growth_says_so() {
    let report = numbers(GROWER, &pages(10), "must", &[10.into()]);
    let Err(stop @ Stop::MemoryDenied { denied, trap }) = &report.result else { panic!("{report:?}") };
    assert_eq!(*denied, Denied::Pages { wanted: 11, limit: 10 });
    assert!(trap.contains("unreachable"), "{trap}");
    let text = stop.to_string();
    assert!(text.contains("11 pages (limit 10; --memory-pages raises it)"), "{text}");
    assert_eq!(report.usage.peak_pages, 1);
}

#[test]
fn a_trap_without_a_denied_growth_does_not_say_so() {
    let report = numbers(
        r#"(module (memory 1) (func (export "f") (drop (memory.grow (i32.const 9))) (unreachable)))"#,
        &pages(10),
        "f",
        &[],
    );
    assert!(trap(&report).contains("unreachable"), "{report:?}");
}

#[test]
fn the_maximum_of_the_module_itself_is_no_denial_by_the_limit() {
    let report = numbers(
        r#"(module (memory 1 2) (func (export "f") (result i32) (memory.grow (i32.const 2))))"#,
        &pages(10),
        "f",
        &[],
    );
    assert_eq!(report.result, Ok(vec![Value::I32(-1)]));
}

#[test]
fn the_memory_hog_is_denied_at_the_cap_and_the_host_keeps_its_size() {
    let limits = pages(64);
    let program =
        Program::compile("hog", &std::fs::read(prebuilt("memory-hog.wasm")).unwrap(), &limits).unwrap();
    let run = || {
        let report = numeric::run(job(&program, &limits), "hog", &[]).unwrap();
        let Err(Stop::MemoryDenied { denied, .. }) = report.result else { panic!("{report:?}") };
        assert_eq!(denied, Denied::Pages { wanted: 65, limit: 64 });
        assert_eq!(report.usage.peak_pages, 64);
    };
    run();
    let Some(before) = resident_kib() else { return skip("there is no /proc") };
    // 4 MiB each: kept, they would be 400 MiB.
    for _ in 0..100 {
        run();
    }
    let after = resident_kib().unwrap();
    println!("resident before {before} KiB, after {after} KiB");
    // Other tests run beside this one, with memories of up to 256 MiB.
    assert!(after < before + 350 * 1024, "resident before {before} KiB, after {after} KiB");
}

/// The memory of this process that is present, where the system tells.
pub fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn peak_pages_are_told_with_memory_exported_or_not() {
    for export in [r#"(export "memory")"#, r#"(export "other")"#, ""] {
        let source = format!(
            r#"(module (memory {export} 3)
                 (func (export "still"))
                 (func (export "grown") (drop (memory.grow (i32.const 4))))
                 (func (export "denied") (drop (memory.grow (i32.const 4))) (drop (memory.grow (i32.const 99)))))"#
        );
        for (func, peak) in [("still", 3), ("grown", 7), ("denied", 7)] {
            let report = numbers(&source, &pages(10), func, &[]);
            assert_eq!(report.result, Ok(vec![]));
            assert_eq!(report.usage.peak_pages, peak, "{func}, {export}");
        }
    }
}

#[test]
fn peak_pages_are_right_after_a_growth_that_no_slice_could_pay() {
    // A growth by 250 pages costs more than a slice, so it is tried, refuelled, and tried again.
    let source = r#"(module (memory 1) (func (export "f") (result i32) (memory.grow (i32.const 250))))"#;
    let report = numbers(source, &Limits::default(), "f", &[]);
    assert_eq!(report.result, Ok(vec![1.into()]));
    assert_eq!(report.usage.peak_pages, 251);
    // And one that the budget cannot pay has not happened.
    let report = numbers(source, &fuel_only(1000), "f", &[]);
    assert_eq!(report.result, Err(Stop::OutOfFuel { limit: 1000 }));
    assert_eq!(report.usage.peak_pages, 1);
}

#[test]
fn one_call_leaves_nothing_in_the_memory_of_the_next() {
    let limits = Limits::default();
    let source = r#"(module (memory 1)
        (func (export "f") (result i32)
          (i32.load (i32.const 1000))
          (i32.store (i32.const 1000) (i32.const 7))))"#;
    let program = program(source, &limits);
    for _ in 0..3 {
        let report = numeric::run(job(&program, &limits), "f", &[]).unwrap();
        assert_eq!(report.result, Ok(vec![0.into()]));
    }
}

#[test]
fn data_beyond_the_memory_is_a_trap_of_instantiation() {
    let source = r#"(module (memory 1) (data (i32.const 65535) "ab") (func (export "f")))"#;
    let report = numbers(source, &Limits::default(), "f", &[]);
    assert!(trap(&report).contains("out of bounds"), "{report:?}");
}
