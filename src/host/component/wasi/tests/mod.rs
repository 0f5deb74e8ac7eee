//! The functions of WASI 0.2, called without a component.

mod cli;
mod clocks;
mod filesystem;
mod folder;
mod http;
mod paths;
mod random;
mod sockets;
mod streams;
mod table;

use super::arguments::Answer;
use super::find;
use crate::base::limits::Limits;
use crate::host::component::function::{Fail, HostCall};
use crate::host::component::table::Table;
use crate::host::component::value::{Handle, Value};
use crate::host::streams::{SinkTo, Stdin};
use crate::host::wasi::abi::Wait;
use crate::host::wasi::ctx::{GuestEnv, WasiCtx};
use crate::host::wasi::entropy::Entropy;
use crate::host::wasi::time::Clock;

/// What the functions work on.
struct World {
    ctx: WasiCtx,
    table: Table,
}

/// The time at which a world's clocks stand: 5 seconds and 7 nanoseconds.
const NOW: u64 = 5_000_000_007;

impl World {
    fn new(stdin: Stdin) -> World {
        let mut world = World::with(stdin, &Limits::default(), GuestEnv::default());
        world.ctx.clock = Clock::Fixed(NOW);
        world.ctx.entropy = Entropy::Fixed(b'r');
        world
    }

    fn with(stdin: Stdin, limits: &Limits, given: GuestEnv) -> World {
        let keep = || SinkTo::Buffer(Vec::new());
        let ctx = WasiCtx::new(limits, given, stdin, keep(), keep()).unwrap();
        World { ctx, table: Table::default() }
    }

    fn reproducible(stdin: Stdin) -> World {
        World::with(stdin, &Limits::default(), GuestEnv { seed: Some(1), ..GuestEnv::default() })
    }

    /// Calls the function `name` of `interface`.
    #[track_caller]
    fn call(&mut self, interface: &str, name: &str, args: &[Value]) -> Answer {
        let interface = find(interface).expect(interface);
        let row = interface.rows.iter().find(|row| row.name == name).expect(name);
        (row.call)(&mut HostCall { ctx: &mut self.ctx, table: &mut self.table }, args)
    }

    /// The same, of a function that gives something.
    #[track_caller]
    fn get(&mut self, interface: &str, name: &str, args: &[Value]) -> Value {
        match self.call(interface, name, args) {
            Ok(Some(value)) => value,
            other => panic!("{interface} {name}: {other:?}"),
        }
    }

    /// The same, of a method of streams.
    #[track_caller]
    fn stream(&mut self, name: &str, args: &[Value]) -> Answer {
        self.call("wasi:io/streams", &format!("[method]{name}"), args)
    }

    /// The same, of one that gives something.
    #[track_caller]
    fn of_stream(&mut self, name: &str, args: &[Value]) -> Value {
        self.get("wasi:io/streams", &format!("[method]{name}"), args)
    }

    /// The output of the guest.
    fn stdout(self) -> Vec<u8> {
        self.ctx.files.stdout.into_bytes()
    }
}

/// The number of the resource that `value` is.
#[track_caller]
fn rep(value: &Value) -> u32 {
    match value {
        Value::Own(handle) | Value::Borrow(handle) => handle.rep,
        other => panic!("no resource: {other:?}"),
    }
}

fn borrow(rep: u32) -> Value {
    Value::Borrow(Handle::of_host(rep))
}

/// What is in `ok(..)`.
#[track_caller]
fn ok(value: Value) -> Value {
    match value {
        Value::Variant(0, Some(value)) => *value,
        other => panic!("no ok: {other:?}"),
    }
}

/// Asserts that the guest is stopped for a reason that says `why`.
#[track_caller]
fn traps(answer: Answer, why: &str) {
    match answer {
        Err(Fail::Trap(said)) if said.contains(why) => {}
        other => panic!("no trap that says `{why}`: {other:?}"),
    }
}

const FOR_INPUT: Result<Option<Value>, Fail> = Err(Fail::Wait(Wait { until: None, stdin: true }));

/// `err(closed)` of a stream.
fn closed() -> Value {
    Value::err(Value::case(1))
}
