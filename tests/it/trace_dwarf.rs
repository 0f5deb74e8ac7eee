//! Lines of the source in traces, from DWARF, which is hostile input.

use crate::support::{Chance, fuelbox, job, prebuilt};
use fuelbox::abi::command;
use fuelbox::base::trace::Chain;
use fuelbox::{CompileOptions, Invocation, Limits, Program, Tracing};
use std::time::Instant;

fn crash() -> Vec<u8> {
    std::fs::read(prebuilt("crash.wasm")).unwrap()
}

/// Where `crash divide` is stopped, in these bytes.
fn chain(wasm: &[u8]) -> Chain {
    let limits = Limits::default();
    let options = CompileOptions { tracing: Tracing::Chain, ..CompileOptions::default() };
    let program = Program::compile_with("crash", wasm, &limits, &options).unwrap();
    let args = ["crash", "divide"].map(|arg| arg.as_bytes().to_vec()).to_vec();
    let report = command::run(job(&program, &limits), Invocation { args, ..Invocation::default() }).unwrap();
    assert!(report.result.is_err());
    report.trace.unwrap().chain.unwrap()
}

/// The line of the source with this text.
fn line(text: &str) -> usize {
    let source = include_str!("../../guests/c/crash.c");
    1 + source.lines().position(|line| line.contains(text)).unwrap()
}

#[test]
fn a_c_program_has_lines() {
    let file = prebuilt("crash.wasm");
    let file = file.to_str().unwrap();
    let ran = fuelbox(&["run", "--trace", file, "divide"]).expect(121);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines[0], "fuelbox: guest trapped: integer divide by zero");
    let calls = [
        ("divide", "return 100 / by;"),
        ("compute", "return divide(by) + 1;"),
        ("main", "compute(argc - 2)"),
    ];
    for (number, (name, text)) in calls.iter().enumerate() {
        let shown = lines[1 + number];
        assert!(shown.starts_with(&format!("    {number}: {name} at 0x")), "{}", ran.stderr);
        assert!(shown.contains(&format!("c/crash.c:{}:", line(text))), "{}", ran.stderr);
    }
    let ran = fuelbox(&["run", "--trace", file, "write"]).expect(121);
    assert!(ran.stderr.contains("write of 1 bytes at address 0x7fffff00 + offset 16"), "{}", ran.stderr);
    assert!(ran.stderr.contains("0: fill at 0x"), "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("c/crash.c:{}:", line("at[0x10] = 1"))), "{}", ran.stderr);
    let ran = fuelbox(&["run", "--trace", file, "recurse"]).expect(121);
    assert!(ran.stderr.contains("calls are not shown"), "{}", ran.stderr);
    assert!(ran.stderr.lines().count() < 40, "{}", ran.stderr);
}

/// The place of the content of the custom section `name`, after its name; and of its size, which takes 5 bytes at most.
fn section(wasm: &[u8], name: &str) -> (usize, std::ops::Range<usize>) {
    let mut at = 8;
    while at < wasm.len() {
        let (size_at, mut size, mut shift, mut from) = (at + 1, 0usize, 0, at + 1);
        loop {
            size |= usize::from(wasm[from] & 0x7f) << shift;
            shift += 7;
            from += 1;
            if wasm[from - 1] < 0x80 {
                break;
            }
        }
        if wasm[at] == 0
            && wasm[from + 1..].starts_with(name.as_bytes())
            && usize::from(wasm[from]) == name.len()
        {
            return (size_at, from + 1 + name.len()..from + size);
        }
        at = from + size;
    }
    panic!("no section {name}");
}

/// `wasm`, in which the custom section `name` has this content.
fn with(wasm: &[u8], name: &str, content: &[u8]) -> Vec<u8> {
    let (size_at, range) = section(wasm, name);
    let size = 1 + name.len() + content.len();
    let size: Vec<u8> =
        (0..5).map(|n| (size >> (7 * n) & 0x7f) as u8 | if n < 4 { 0x80 } else { 0 }).collect();
    let name = [&[name.len() as u8], name.as_bytes()].concat();
    [&wasm[..size_at], &size, &name, content, &wasm[range.end..]].concat()
}

#[test]
fn broken_tables_cost_lines_and_nothing_else() {
    let wasm = crash();
    let whole = chain(&wasm);
    assert!(whole.frames[0].line.is_some());
    let without = |chain: &Chain| chain.frames.iter().map(|f| (f.name.clone(), f.at)).collect::<Vec<_>>();
    let table = wasm[section(&wasm, ".debug_line").1].to_vec();
    assert_eq!(chain(&with(&wasm, ".debug_line", &table)), whole);
    // The table of the program itself is the first.
    for length in (0..400).chain((400..table.len()).step_by(1_501)) {
        assert_eq!(
            without(&chain(&with(&wasm, ".debug_line", &table[..length]))),
            without(&whole),
            "{length}"
        );
    }
    let mut chance = Chance(7);
    for round in 0..200 {
        let mut broken = table.clone();
        let bytes = if round % 2 == 0 { 1 + chance.below(8) } else { broken.len() as u64 };
        for _ in 0..bytes {
            let at = chance.below(if round % 4 == 0 { 200 } else { broken.len() as u64 }) as usize;
            broken[at] = chance.below(256) as u8;
        }
        assert_eq!(without(&chain(&with(&wasm, ".debug_line", &broken))), without(&whole), "{round}");
    }
}

#[test]
fn large_tables_take_a_moment() {
    let wasm = crash();
    let table = wasm[section(&wasm, ".debug_line").1].to_vec();
    // Programs without number, one that never ends, and one of a million rows for the same address.
    let first = 4 + u32::from_le_bytes(table[..4].try_into().unwrap()) as usize;
    let many = table[..first].repeat(4_000_000 / first);
    let mut copies = table[..first - 3].to_vec();
    copies.resize(4_000_000, 0x01);
    let size = (copies.len() - 4) as u32;
    copies[..4].copy_from_slice(&size.to_le_bytes());
    for tables in [many, copies, vec![0; 4_000_000], vec![0xff; 4_000_000], vec![0x01; 9_000_000]] {
        let wasm = with(&wasm, ".debug_line", &tables);
        let begin = Instant::now();
        assert_eq!(chain(&wasm).frames[0].name, "divide");
        assert!(begin.elapsed().as_secs() < 10, "{:?}", begin.elapsed());
    }
}
