//! Help, the manual page and the completions of shells, all made from the table of flags.

pub mod completions;
pub mod manual;
pub mod text;
