//! What a call of a loaded plug-in costs inside the process: an instance made for it, the call, the result.
//! Beside each the same by bare wasmi, without limits, WASI or report: what no wrapper of it can go below.
//!
//! `cargo bench --bench calls`

mod common;

use common::job;
use fuelbox::abi::{Job, numeric, packed};
use fuelbox::base::limits::WarmLimits;
use fuelbox::sandbox::pool::{Budget, Pool};
use fuelbox::{Limits, Program};
use wasmi::{Config, Engine, Linker, Memory, Module, Store};

fn main() {
    divan::main();
}

/// Pages of memory that the guest declares.
const PAGES: [u32; 4] = [1, 17, 64, 256];

/// `add`, and the greeter of the packed convention, with so many pages.
fn guest(pages: u32) -> Vec<u8> {
    let source = format!(
        r#"(module (memory (export "memory") {pages})
             (data (i32.const 0) "Hello, ")
             (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
             (func (export "allocate") (param i32) (result i32) (i32.const 1024))
             (func (export "greet") (param $p i32) (param $n i32) (result i64)
               (memory.copy (i32.const 2048) (i32.const 0) (i32.const 7))
               (memory.copy (i32.const 2055) (local.get $p) (local.get $n))
               (i64.or (i64.shl (i64.const 2048) (i64.const 32))
                       (i64.extend_i32_u (i32.add (local.get $n) (i32.const 7))))))"#
    );
    wat::parse_str(source).unwrap()
}

#[divan::bench(args = PAGES)]
fn numeric_fresh(bencher: divan::Bencher<'_, '_>, pages: u32) {
    let limits = Limits::default();
    let program = Program::compile("guest", &guest(pages), &limits).unwrap();
    bencher.bench_local(|| {
        numeric::run(job(&program, &limits), "add", &[10.into(), 20.into()]).unwrap().result.unwrap()
    });
}

#[divan::bench(args = PAGES)]
fn packed_fresh(bencher: divan::Bencher<'_, '_>, pages: u32) {
    let limits = Limits::default();
    let program = Program::compile("guest", &guest(pages), &limits).unwrap();
    bencher.bench_local(|| packed::run(job(&program, &limits), "greet", b"World").unwrap().result.unwrap());
}

/// One warm instance, for ever.
fn pool() -> Pool {
    let limits =
        WarmLimits { instances: 1, uses: u32::MAX, memory_bytes: usize::MAX, ..WarmLimits::default() };
    Pool::new(&limits, &Budget::new(limits.memory_bytes))
}

#[divan::bench(args = PAGES)]
fn numeric_warm(bencher: divan::Bencher<'_, '_>, pages: u32) {
    let (limits, pool) = (Limits::default(), pool());
    let program = Program::compile("guest", &guest(pages), &limits).unwrap();
    bencher.bench_local(|| {
        let job = Job { warm: Some(&pool), ..job(&program, &limits) };
        numeric::run(job, "add", &[10.into(), 20.into()]).unwrap().result.unwrap()
    });
}

#[divan::bench(args = PAGES)]
fn packed_warm(bencher: divan::Bencher<'_, '_>, pages: u32) {
    let (limits, pool) = (Limits::default(), pool());
    let program = Program::compile("guest", &guest(pages), &limits).unwrap();
    bencher.bench_local(|| {
        let job = Job { warm: Some(&pool), ..job(&program, &limits) };
        packed::run(job, "greet", b"World").unwrap().result.unwrap()
    });
}

struct Bare {
    engine: Engine,
    module: Module,
    linker: Linker<()>,
}

impl Bare {
    fn new(pages: u32) -> Bare {
        let mut config = Config::default();
        config.consume_fuel(true);
        let engine = Engine::new(&config);
        let module = Module::new(&engine, guest(pages)).unwrap();
        Bare { linker: Linker::new(&engine), engine, module }
    }

    fn instance(&self) -> (Store<()>, wasmi::Instance) {
        let mut store = Store::new(&self.engine, ());
        store.set_fuel(1_000_000).unwrap();
        let instance = self.linker.instantiate_and_start(&mut store, &self.module).unwrap();
        (store, instance)
    }
}

#[divan::bench(args = PAGES)]
fn numeric_bare_wasmi(bencher: divan::Bencher<'_, '_>, pages: u32) {
    let bare = Bare::new(pages);
    bencher.bench_local(|| {
        let (mut store, instance) = bare.instance();
        let add = instance.get_typed_func::<(i32, i32), i32>(&store, "add").unwrap();
        add.call(&mut store, (10, 20)).unwrap()
    });
}

#[divan::bench(args = PAGES)]
fn packed_bare_wasmi(bencher: divan::Bencher<'_, '_>, pages: u32) {
    let bare = Bare::new(pages);
    bencher.bench_local(|| {
        let (mut store, instance) = bare.instance();
        let memory: Memory = instance.get_memory(&store, "memory").unwrap();
        let allocate = instance.get_typed_func::<i32, i32>(&store, "allocate").unwrap();
        let greet = instance.get_typed_func::<(i32, i32), i64>(&store, "greet").unwrap();
        let at = allocate.call(&mut store, 5).unwrap();
        memory.write(&mut store, at as usize, b"World").unwrap();
        let packed = greet.call(&mut store, (at, 5)).unwrap();
        let (at, len) = ((packed >> 32) as usize, (packed & 0xffff_ffff) as usize);
        memory.data(&store)[at..at + len].to_vec()
    });
}
