//! A module's bytes before they run: parsing, limits, rewriting.

pub(crate) mod code;
pub(crate) mod code_limits;
#[cfg(feature = "component")]
pub mod component;
#[cfg(feature = "dwarf")]
pub(crate) mod dwarf;
pub(crate) mod edit;
pub(crate) mod info;
#[cfg(feature = "component")]
pub(crate) mod initialisers;
pub(crate) mod leb128;
pub(crate) mod memory_import;
pub(crate) mod names;
pub(crate) mod operators;
pub(crate) mod proposals;
pub mod reader;
pub(crate) mod rewrite;
pub(crate) mod section;
pub(crate) mod start_section;
pub(crate) mod symbols;
pub(crate) mod trace;
