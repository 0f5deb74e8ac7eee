//! Turns a module's own memory into an imported one.
//!
//! The interpreter lets the host choose where an imported memory lies (`sandbox/region.rs`), and not where a module's own
//! does. The import comes last, so no index changes: a module has one memory, and imports of functions keep their order.

use crate::module::leb128::leb128;
use crate::module::section::{self, Section};
use std::ops::Range;
use wasmparser::BinaryReader;

/// The module and the name that it is imported by. The interpreter goes by the order of imports, not by names.
const MODULE: &str = "fuelbox";
const NAME: &str = "memory";

/// What is imported is a memory (core specification, section 5.5.5).
const IS_MEMORY: u8 = 0x02;

/// Where the import goes.
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    /// Into the import section, which is the section with this number.
    Beside(usize),
    /// Before the section with this number, in a section of its own.
    Before(usize),
}

/// The import that replaces a memory section.
pub struct MemoryImport {
    /// The number of the memory section.
    pub section: usize,
    /// Where the import goes.
    pub place: Place,
    /// The import as an entry of an import section.
    pub entry: Vec<u8>,
}

impl MemoryImport {
    /// For a module with these sections. None if it has no memory, or if anything about it is not as it must be: the
    /// interpreter then sees the module as it is, and refuses it.
    pub fn new(wasm: &[u8], sections: &[Section]) -> Option<MemoryImport> {
        let mut memories = numbered(sections, section::MEMORY);
        let (Some(section), None) = (memories.next(), memories.next()) else { return None };
        let is_in_order = |pair: &[u8]| pair[0] < pair[1];
        let ids: Vec<u8> = sections[..=section]
            .iter()
            .map(|section| section.id)
            .filter(|id| *id != section::CUSTOM)
            .collect();
        if !ids.windows(2).all(is_in_order) {
            return None;
        }
        let place = match numbered(sections, section::IMPORT).next() {
            Some(imports) => Place::Beside(imports),
            None => Place::Before(sections.iter().position(|section| section.id >= section::FUNCTION)?),
        };
        let ty = only_memory(wasm, &sections[section].content)?;
        let mut entry = Vec::new();
        for text in [MODULE, NAME] {
            leb128(text.len() as u32, &mut entry);
            entry.extend_from_slice(text.as_bytes());
        }
        entry.push(IS_MEMORY);
        entry.extend_from_slice(&wasm[ty]);
        Some(MemoryImport { section, place, entry })
    }
}

fn numbered(sections: &[Section], id: u8) -> impl Iterator<Item = usize> {
    sections.iter().enumerate().filter(move |(_, section)| section.id == id).map(|(number, _)| number)
}

/// Where the type of the only memory of a memory section is. Its bytes are the same in an import.
fn only_memory(wasm: &[u8], content: &Range<usize>) -> Option<Range<usize>> {
    let mut reader = BinaryReader::new(wasm.get(content.clone())?, content.start);
    if reader.read_var_u32().ok()? != 1 {
        return None;
    }
    let start = reader.original_position();
    reader.read::<wasmparser::MemoryType>().ok()?;
    reader.eof().then_some(start..content.end)
}
