//! The completions of shells (`fuelbox help --completions`).
//!
//! Names of plug-ins, files and functions are chosen by strangers. The scripts ask `fuelbox list --names` and
//! `fuelbox inspect --names` for them, and treat them as data: no name is evaluated, and each is quoted when it is put
//! into the command line.

pub(crate) mod bash;
pub(crate) mod fish;
pub mod script;
pub(crate) mod words;
pub(crate) mod zsh;
