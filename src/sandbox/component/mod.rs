//! Components: compiled, instantiated, and called by the canonical ABI.

pub mod call;
pub mod compile;
pub mod exports;
mod given;
mod handles;
mod hosts;
mod instantiate;
mod items;
mod lift;
pub mod live;
mod lower;
mod resources;
mod text;
