//! What a process gives up before it runs a guest: new privileges, files, system calls, memory beyond a bound.
//!
//! In this order: `early` or `privileges` at the start, `files` when all is open and before threads are made,
//! `calls` when the threads run that the rules do not let it make later.

mod allowed;
mod attacks;
mod files;
mod filter;
mod numbers;
mod process;
mod rules;
mod support;
mod table;

pub use files::{Enforced, files};
pub use filter::calls;
pub use process::{early, privileges};
pub use rules::Rules;
pub use support::{Support, support};
