//! The command line, parsed into a plain enum by way of a table of flags.

pub mod command;
pub mod config;
pub(crate) mod flags;
pub(crate) mod near;
pub mod parse;
pub(crate) mod serve;
pub mod table;
pub mod values;
pub mod words;

pub use command::*;
pub use parse::parse;
pub use table::flag::Topic;
