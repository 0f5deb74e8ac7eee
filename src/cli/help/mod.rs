//! Help texts, the manual page and shell completions, all made from the table of flags.

pub mod completions;
pub mod manual;
pub mod text;
