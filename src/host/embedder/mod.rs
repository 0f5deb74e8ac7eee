//! Functions of an embedding program that its guests import.

pub mod functions;
pub mod guest;
pub mod trap;
pub mod typed;
