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

fn number(mut n: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while n >= 0x80 {
        bytes.push(n as u8 | 0x80);
        n >>= 7;
    }
    bytes.push(n as u8);
    bytes
}

/// A module with so many functions that do nothing, each with so many parameters, in the fewest bytes.
fn small(functions: usize, params: usize, exports: usize, results: usize) -> Vec<u8> {
    let section = |id: u8, count: usize, items: &[u8]| {
        let count = number(count);
        [&[id], &*number(count.len() + items.len()), &count, items].concat()
    };
    let ty =
        [&[0x60], &*number(params), &vec![0x7f; params], &*number(results), &vec![0x7f; results]].concat();
    let named = |i: usize| [&number(i.to_string().len()), i.to_string().as_bytes(), &[0, 0]].concat();
    [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, 1, &ty),
        section(3, functions, &vec![0; functions]),
        section(7, exports, &(0..exports).flat_map(named).collect::<Vec<u8>>()),
        section(10, functions, &[3, 0, 0, 0x0b].repeat(functions)),
    ]
    .concat()
}

/// Why such a module is refused; nothing, if it loads.
fn small_refusal(wasm: &[u8], memory_pages: u32) -> String {
    let limits = Limits { memory_pages, ..Limits::default() };
    Program::compile("test", wasm, &limits).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn a_million_functions_load_where_there_is_memory_for_them() {
    let wasm = small(1_000_000, 1, 1, 0);
    assert!(small_refusal(&wasm, 320).contains("more than the 320 pages allowed (--memory-pages raises it)"));
    assert_eq!(small_refusal(&wasm, 3_000), "");
    assert!(
        small_refusal(&small(1_000_001, 1, 1, 0), 3_000)
            .contains("1000001 functions, more than the 1000000 supported")
    );
}

#[test]
fn parameters_that_few_bytes_declare_are_counted() {
    // Those of all functions, which validation takes one by one.
    assert_eq!(small_refusal(&small(4_000, 1_000, 1, 0), 320), "");
    assert!(small_refusal(&small(4_001, 1_000, 1, 0), 320).contains("more than the 4000000 parameters"));
    // Those of all exports, which listings copy.
    assert_eq!(small_refusal(&small(1, 1_000, 200, 0), 320), "");
    assert!(small_refusal(&small(1, 1_000, 201, 0), 320).contains("more than 200000 parameters and results"));
}

#[test]
fn many_parameters_arrive_and_are_paid_for() {
    let (params, gets) =
        ("i64 ".repeat(1_000), (0..1_000).map(|i| format!("(local.get {i})")).collect::<String>());
    let sum = "(i64.add)".repeat(999);
    let module = wat(&format!(
        r#"(module (func $sum (param {params}) (result i64) {gets} {sum})
             (func (export "f") (param {params}) (result i64) {gets} (call $sum)))"#
    ));
    let runner = Runner::new(RunnerConfig::default()).unwrap();
    let program = runner.compile("test", &module).unwrap();
    let args: Vec<fuelbox::Value> = (0..1_000_i64).map(Into::into).collect();
    let report = runner.run(&program, Call::values("f", &args)).unwrap();
    assert_eq!(report.result, Ok(vec![499_500_i64.into()]));
    assert!(report.usage.fuel >= 2_000, "{}", report.usage.fuel);
    let few = runner.run(&program, Call::values("f", &args[..999])).unwrap_err().to_string();
    let shown = format!(
        "({}and 968 more) -> i64, but was called with ({}and 967 more)",
        "i64, ".repeat(32),
        "i64, ".repeat(32)
    );
    assert!(few.ends_with(&shown), "{few}");
}

#[test]
fn there_is_an_end() {
    let (denied, count) = grown(1, 320, 320);
    assert_eq!((denied, count), (Ok(vec![(-1).into()]), 1));
}
