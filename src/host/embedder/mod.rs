//! Functions of an embedding program that its guests import.

mod functions;
mod guest;
mod trap;
mod typed;

pub use functions::{Function, HostFunctions};
pub use guest::Guest;
pub use trap::Trap;
pub use typed::HostFunction;
