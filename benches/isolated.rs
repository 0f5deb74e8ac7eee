//! An isolated call for `scripts/bench.sh`: a fresh instance, the call, its result; beside it the same by bare wasmi,
//! in turns. Prints a line for each round: who, pages of memory, nanoseconds for a call.
//!
//! `cargo bench --bench isolated -- ROUNDS`. For a closer look at single parts: `cargo bench --bench calls`.

mod common;

use common::job;
use fuelbox::abi::numeric;
use fuelbox::{Limits, Program};
use std::time::{Duration, Instant};
use wasmi::{Config, Engine, Linker, Module, Store};

/// Pages of memory that the guest declares. It does not grow.
const PAGES: [u32; 3] = [1, 17, 256];

/// How long a round calls each, at least. It ends the batch in which this has passed.
const ROUND: Duration = Duration::from_millis(25);
const BATCH: u32 = 50;

fn guest(pages: u32) -> Vec<u8> {
    let source = format!(
        r#"(module (memory (export "memory") {pages}) (data (i32.const 0) "Hello, ")
             (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))"#
    );
    wat::parse_str(source).unwrap()
}

/// Nanoseconds for a call.
fn measured(mut call: impl FnMut()) -> f64 {
    let begin = Instant::now();
    let mut calls = 0;
    while begin.elapsed() < ROUND {
        (0..BATCH).for_each(|_| call());
        calls += BATCH;
    }
    begin.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
}

fn by_fuelbox(program: &Program, limits: &Limits) {
    numeric::run(job(program, limits), "add", &[10.into(), 20.into()]).unwrap().result.unwrap();
}

fn by_bare_wasmi(engine: &Engine, linker: &Linker<()>, module: &Module) {
    let mut store = Store::new(engine, ());
    store.set_fuel(1_000_000).unwrap();
    let instance = linker.instantiate_and_start(&mut store, module).unwrap();
    let add = instance.get_typed_func::<(i32, i32), i32>(&store, "add").unwrap();
    assert_eq!(add.call(&mut store, (10, 20)).unwrap(), 30);
}

fn main() {
    // cargo adds --bench.
    let rounds = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(20);
    let limits = Limits::default();
    let engine = Engine::new(Config::default().consume_fuel(true));
    let linker = Linker::new(&engine);
    let guests: Vec<_> = PAGES
        .iter()
        .map(|&pages| {
            let wasm = guest(pages);
            let program = Program::compile("guest", &wasm, &limits).unwrap();
            (pages, program, Module::new(&engine, &wasm).unwrap())
        })
        .collect();
    for _ in 0..rounds {
        for (pages, program, module) in &guests {
            println!("fuelbox\t{pages}\t{:.1}", measured(|| by_fuelbox(program, &limits)));
            println!("bare wasmi\t{pages}\t{:.1}", measured(|| by_bare_wasmi(&engine, &linker, module)));
        }
    }
}
