//! Components before they run: their types, and the plan by which they are instantiated.

mod build;
mod canonical;
mod declare;
mod decode;
mod depth;
pub mod link;
mod nested;
pub mod plan;
mod problem;
mod scope;
pub mod types;
pub mod wit_text;
pub mod world;

use crate::base::error::LoadProblem;
use plan::Plan;

pub use declare::unversioned;

/// Whether `bytes` begin as a component does, and not as a core module.
pub fn is_component(bytes: &[u8]) -> bool {
    wasmparser::Parser::is_component(bytes)
}

/// Reads and validates the component `wasm`, and makes its plan.
///
/// # Errors
/// It is not valid, is not of WASI 0.2, or has or makes too much of something.
pub fn plan(wasm: &[u8]) -> Result<Plan, LoadProblem> {
    build::build(&decode::decode(wasm)?)
}
