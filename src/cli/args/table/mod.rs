//! The table of commands and flags. The parser, the error messages, the help, the manual page, the completions and the
//! keys of the configuration file are made from it.

pub mod clients;
pub mod commands;
pub mod flag;
pub mod fleet;
pub mod limits;
pub mod lookup;
pub mod other;
pub mod serve;
