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

/// What a generated module may run into.
///
/// Each field is a fault of wasmi 2.0.0 that this oracle found or was built to find. `README.md` describes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shape {
    /// Blocks, loops and ifs may have parameters.
    pub params: bool,
    /// A `select` is not guarded by `i32.const 0; i32.or`. A seed gives the same module with and without.
    pub selects: bool,
    /// A store of an integer with an offset above 16 bits is not guarded by an `or` with 0. A seed gives the same
    /// module with and without.
    pub far_stores: bool,
    /// `br_table` may pass more than one value.
    pub br_tables: bool,
}

/// A field of [`Shape`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Blocks with parameters read cells that were never written.
    Params,
    /// `select` on a comparison with 0 gives the wrong value.
    Selects,
    /// A store of a local to an address in the same local panics, in a running guest.
    FarStores,
    /// `br_table` that passes values does not move them.
    BrTables,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Fault; 4] = [Fault::Params, Fault::Selects, Fault::FarStores, Fault::BrTables];

    /// Its name in flags.
    pub fn name(self) -> &'static str {
        match self {
            Fault::Params => "params",
            Fault::Selects => "selects",
            Fault::FarStores => "far-stores",
            Fault::BrTables => "br-tables",
        }
    }
}

impl Shape {
    /// Modules that run into these faults, if wasmi has them, and no other.
    pub fn with(faults: &[Fault]) -> Shape {
        let has = |fault| faults.contains(&fault);
        Shape {
            params: has(Fault::Params),
            selects: has(Fault::Selects),
            far_stores: has(Fault::FarStores),
            br_tables: has(Fault::BrTables),
        }
    }
}
