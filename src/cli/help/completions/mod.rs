//! Shell completions (`fuelbox help --completions`).
//!
//! Names of plug-ins, files and functions are untrusted. The scripts get them from `fuelbox list --names` and
//! `fuelbox inspect --names`, and treat them as data: no name is evaluated, and each is quoted when it is
//! inserted into the command line.

pub(crate) mod bash;
pub(crate) mod fish;
pub mod script;
pub(crate) mod words;
pub(crate) mod zsh;
