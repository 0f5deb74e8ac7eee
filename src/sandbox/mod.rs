//! Runs a guest under its limits: the compiled program, the instance, what
//! runs leave for the next ones, and warm instances.

pub(crate) mod compile;
#[cfg(feature = "component")]
pub(crate) mod component;
pub(crate) mod engine;
pub(crate) mod file;
pub(crate) mod instance;
pub(crate) mod kept;
pub(crate) mod meter;
pub(crate) mod parked;
pub mod pool;
pub(crate) mod program;
pub(crate) mod region;
pub(crate) mod slot;
pub(crate) mod spares;
pub(crate) mod tail_calls;
pub(crate) mod trace;
pub(crate) mod traced;
pub(crate) mod trap;
mod waits;
pub(crate) mod zeroing;
