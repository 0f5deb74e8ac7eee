//! The engines, each behind the same two traits. A road runs a module and says how it ended.

pub mod fuelbox;
pub mod plain;
pub mod reference;
#[cfg(feature = "wasmtime")]
pub mod wasmtime;

use crate::value::Num;

/// Pages of 64 KiB that memory may have, on every road.
pub const MEMORY_PAGES: u32 = 16;

/// Fuel of a run. A generated module takes far less; one that a reducer has changed may not end.
pub const FUEL: u64 = 20_000_000;

/// What a refusal says if the interpreter panicked; no module that is valid may have it do that.
pub const PANICKED: &str = "the interpreter panicked";

/// How a call ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// It returned these values.
    Returned(Vec<Num>),
    /// It trapped, by wasmi's text for the kind of trap.
    Trapped(String),
    /// It ran into a limit that engines count differently. Nothing is compared.
    Limit,
}

/// A call that has ended.
#[derive(Debug, Clone)]
pub struct Run {
    /// How.
    pub end: End,
    /// Fuel used; equal between runs of one road, whatever its slices.
    pub fuel: u64,
    /// How often it was paused.
    pub pauses: u64,
}

/// What an instance is left with.
#[derive(Clone, PartialEq)]
pub struct State<'a> {
    /// Bytes of the exported memory.
    pub memory: &'a [u8],
    /// Exported globals that are numbers, in the order of exports.
    pub globals: Vec<Num>,
}

/// An engine, set up in one way.
pub trait Road {
    /// Its name in reports.
    fn name(&self) -> &'static str;

    /// Compiles a module.
    ///
    /// # Errors
    /// The module is refused, with the reason. A panic of the interpreter is told by [`PANICKED`] in it.
    fn load(&self, wasm: &[u8]) -> Result<Box<dyn Loaded>, String>;
}

/// A compiled module.
pub trait Loaded {
    /// Calls an exported function in a fresh instance.
    fn call(&mut self, function: &str, args: &[Num]) -> Run;

    /// What the last call left, if that can be seen.
    fn state(&self) -> Option<State<'_>> {
        None
    }
}

/// A trap by its text; some are limits.
fn trapped(text: &str) -> End {
    let limits =
        ["call stack exhausted", "all fuel consumed", "growth operation limited", "out of system memory"];
    if limits.iter().any(|limit| text.starts_with(limit)) {
        return End::Limit;
    }
    // wasmi 1.1 says more of some errors, and has no trap code for them.
    let plain = ["out of bounds table access", "out of bounds memory access"]
        .iter()
        .find(|what| text.starts_with(**what));
    End::Trapped(match plain {
        Some(&"out of bounds table access") => "undefined element: out of bounds table access".into(),
        Some(what) => what.to_string(),
        None => text.into(),
    })
}

/// How many tables a module defines. Their first size counts as a growth for wasmi's limiters.
fn count_tables(wasm: &[u8]) -> u32 {
    let sections = wasmparser::Parser::new(0).parse_all(wasm).flatten();
    let tables = sections.map(|payload| match payload {
        wasmparser::Payload::TableSection(tables) => tables.count(),
        _ => 0,
    });
    tables.sum()
}
