//! The types of the host's functions, from the WIT that stands beside them.
//!
//! Only what a component asks for is read. Source: Component Model, `WIT.md`.

mod names;
#[cfg(test)]
mod tests;
mod text;

pub use names::{Named, Names};
