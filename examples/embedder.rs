//! An embedding program: compiles a guest once, gives it a function to call, and runs it under limits from several threads.
//!
//! ```text
//! cargo run --release --example embedder
//! ```

use fuelbox::{Call, Guest, HostFunctions, Limits, Runner, RunnerConfig, Stop, Trap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// A guest in the text format. Yours is a file that a compiler made.
const GUEST: &str = r#"(module
    (import "metrics" "add" (func $add (param i32 i32 i64) (result i64)))
    (memory (export "memory") 1)
    (data (i32.const 0) "requests")
    (func (export "count") (param $by i64) (result i64)
        (call $add (i32.const 0) (i32.const 8) (local.get $by)))
    (func (export "spin") (loop $l (br $l))))"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let requests = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&requests);
    let mut host_functions = HostFunctions::default();
    host_functions.add(
        "metrics",
        "add",
        move |guest: &mut Guest<'_>, name: u32, len: u32, by: u64| -> Result<u64, Trap> {
            match guest.read_str(name, len)? {
                "requests" => Ok(counter.fetch_add(by, Relaxed) + by),
                other => Err(Trap::new(format_args!("there is no metric `{other}`"))),
            }
        },
    );
    let limits = Limits { deadline: Some(Duration::from_millis(100)), memory_pages: 16, ..Limits::default() };
    let runner = Runner::new(RunnerConfig { limits, host_functions, ..RunnerConfig::default() })?;
    let program = runner.compile("guest", GUEST.as_bytes())?;

    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| runner.run(&program, Call::values("count", &[10_u64.into()]))))
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| unreachable!()).map(drop))
    })?;
    println!("requests: {}", requests.load(Relaxed));

    let report = runner.run(&program, Call::values("spin", &[]))?;
    match report.result {
        Err(stop @ Stop::Deadline { .. }) => println!("{stop}"),
        other => println!("{other:?}"),
    }
    Ok(())
}
