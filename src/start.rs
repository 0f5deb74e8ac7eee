//! Makes a module's `start` function callable from outside.
//!
//! The interpreter runs it inside instantiation, where it cannot be interrupted. As an export it can be
//! called like any other function, in slices.

use crate::binary::Facts;
use crate::error::{LoadProblem, invalid};
use crate::leb128::leb128;
use wasmparser::BinaryReader;

/// The export of a `start` function, in the place of the section that names it.
pub struct Export {
    /// Its name, which no other export of the module has.
    pub name: String,
    entry: Vec<u8>,
}

impl Export {
    /// For the function numbered `start` of the module that `facts` are of.
    pub fn new(facts: &Facts, start: u32) -> Export {
        let mut name = String::from("fuelbox:start");
        while facts.exports.iter().any(|e| e.name == name) {
            name.push('\'');
        }
        let mut entry = Vec::new();
        leb128(name.len() as u32, &mut entry);
        entry.extend_from_slice(name.as_bytes());
        entry.push(0x00);
        leb128(start, &mut entry);
        Export { name, entry }
    }

    /// The content of an export section that holds it alone.
    pub fn alone(&self) -> Vec<u8> {
        [&[1], self.entry.as_slice()].concat()
    }

    /// The content of the module's export section, `content`, with it.
    ///
    /// # Errors
    /// The section does not begin with a number.
    pub fn beside(&self, content: &[u8]) -> Result<Vec<u8>, LoadProblem> {
        let mut entries = BinaryReader::new(content, 0);
        let count = entries.read_var_u32().map_err(invalid)?;
        let mut out = Vec::with_capacity(content.len() + self.entry.len() + 1);
        leb128(count.saturating_add(1), &mut out);
        out.extend_from_slice(&content[entries.original_position()..]);
        out.extend_from_slice(&self.entry);
        Ok(out)
    }
}
