//! Parses the command line into a plain enum, with a table of flags.

pub mod command;
pub mod config;
pub(crate) mod flags;
pub(crate) mod fleet;
pub(crate) mod near;
pub mod parse;
pub(crate) mod serve;
pub mod table;
pub mod values;
pub mod words;

pub use command::*;
pub use parse::parse;
pub use table::flag::Topic;
