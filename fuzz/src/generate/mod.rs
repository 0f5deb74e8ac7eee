//! Makes modules that are valid, end, and aim at an optimising translator.
//!
//! `plan` decides what a module declares, `body` and the files beside it write functions, `module` puts
//! both together. Nothing here knows an engine.

mod block;
mod body;
mod condition;
mod leaf;
mod module;
mod ops;
mod plan;
mod statement;

pub use module::{Made, make};

/// What the generator may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Blocks, loops and ifs may have parameters. fuelbox refuses these at load.
    pub block_params: bool,
    /// Each `select` is preceded by `i32.const 0; i32.or`, which keeps wasmi 2.0.0 from fusing its condition.
    /// Takes no decision: a seed gives the same module but for that.
    pub guarded_selects: bool,
    /// Each store of an integer with an offset above 16 bits has its value guarded in the same way.
    pub guarded_stores: bool,
}
