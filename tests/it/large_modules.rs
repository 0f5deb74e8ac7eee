//! Modules with as many functions as large published programs have: what an instance takes counts to its memory.

use crate::support::wat;
use fuelbox::{Call, Error, Limits, Program, Runner, RunnerConfig, Stop};

/// A module with so many functions, and one page of memory. `f` grows it by the pages that it is given.
fn module(functions: usize) -> Vec<u8> {
    let many = "(func)".repeat(functions - 1);
    wat(&format!(
        r#"(module (memory (export "memory") 1)
        (func (export "f") (param i32) (result i32) (memory.grow (local.get 0))) {many})"#
    ))
}

fn limits(memory_pages: u32) -> Limits {
    Limits { memory_pages, ..Limits::default() }
}

fn refusal(functions: usize, memory_pages: u32) -> String {
    match Program::compile("test", &module(functions), &limits(memory_pages)) {
        Err(Error::Load { problem, .. }) => problem.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Grows a module with so many functions by so many pages.
fn grown(functions: usize, memory_pages: u32, by: i32) -> (Result<Vec<fuelbox::Value>, Stop>, u32) {
    let limits = limits(memory_pages);
    let runner = Runner::new(RunnerConfig { limits: limits.clone(), ..RunnerConfig::default() }).unwrap();
    let program = Program::compile("test", &module(functions), &limits).unwrap();
    // The second run is in the store of the first.
    let run = || runner.run(&program, Call::values("f", &[by.into()])).unwrap();
    let (first, second) = (run(), run());
    assert_eq!(first.result, second.result);
    (second.result, second.usage.denied_growths)
}

#[test]
fn real_programs_have_room() {
    // As many as Yosys and clang have.
    for functions in [46_473, 54_322] {
        assert_eq!(grown(functions, 320, 319), (Ok(vec![1.into()]), 0));
    }
}

#[test]
fn what_an_instance_takes_beyond_what_is_free_counts_to_its_memory() {
    // 96 bytes each: 100,000 take 9.6 MB, of which 8 MiB are free, and 19 pages count.
    assert!(refusal(100_000, 19).contains("more than the 19 pages allowed (--memory-pages raises it)"));
    assert_eq!(grown(100_000, 21, 0), (Ok(vec![1.into()]), 0));
    let room = (290..320).take_while(|by| grown(100_000, 320, *by).1 == 0).last().unwrap();
    let page = 65_536;
    let counted = 100_000 * 96 - 8 * 1024 * 1024;
    assert!((room as usize + 1) * page + counted <= 320 * page, "{room}");
    assert!((room as usize + 3) * page + counted > 320 * page, "{room}");
}

#[test]
fn there_is_an_end() {
    assert!(refusal(100_001, 65_536).contains("functions"));
    let (denied, count) = grown(1, 320, 320);
    assert_eq!((denied, count), (Ok(vec![(-1).into()]), 1));
}
