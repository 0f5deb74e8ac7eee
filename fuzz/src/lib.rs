//! The oracle: modules made to find faults of the interpreter, and what tells a fault from a result.
//!
//! `generate` makes modules, `road` runs them, `compare` holds the answers against each other, `reduce`
//! makes a module that shows a difference smaller. `README.md` says how to run it.

pub mod choices;
pub mod compare;
pub mod generate;
pub mod reduce;
pub mod road;
pub mod session;
pub mod smith;
pub mod value;
