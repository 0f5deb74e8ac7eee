//! The sections of a module, by their headers alone.

use crate::base::error::{LoadProblem, invalid};
use std::ops::Range;
use wasmparser::BinaryReader;

/// Bytes before the first section: the magic number and the version (core specification, section 5.5.16).
const HEADER_BYTES: usize = 8;

/// Identifiers (core specification, section 5.5.2).
pub const CUSTOM: u8 = 0;
/// See [`CUSTOM`].
pub const TYPE: u8 = 1;
/// See [`CUSTOM`].
pub const IMPORT: u8 = 2;
/// See [`CUSTOM`].
pub const FUNCTION: u8 = 3;
/// See [`CUSTOM`].
pub const TABLE: u8 = 4;
/// See [`CUSTOM`].
pub const MEMORY: u8 = 5;
/// See [`CUSTOM`].
pub const GLOBAL: u8 = 6;
/// See [`CUSTOM`].
pub const EXPORT: u8 = 7;
/// See [`CUSTOM`].
pub const START: u8 = 8;
/// See [`CUSTOM`].
pub const CODE: u8 = 10;

/// A section. Positions are in bytes from the start of the module.
pub struct Section {
    /// Its identifier.
    pub id: u8,
    /// Position of its identifier, which its size follows.
    pub at: usize,
    /// Its content, after its size.
    pub content: Range<usize>,
}

/// The sections of `wasm`.
///
/// # Errors
/// Malformed section headers.
pub fn sections(wasm: &[u8]) -> Result<Vec<Section>, LoadProblem> {
    let mut sections = Vec::new();
    let mut reader = BinaryReader::new(wasm.get(HEADER_BYTES..).unwrap_or_default(), HEADER_BYTES);
    while !reader.eof() {
        let at = reader.original_position();
        let id = reader.read_u8().map_err(invalid)?;
        let size = reader.read_var_u32().map_err(invalid)? as usize;
        let from = reader.original_position();
        reader.read_bytes(size).map_err(invalid)?;
        sections.push(Section { id, at, content: from..from + size });
    }
    Ok(sections)
}
