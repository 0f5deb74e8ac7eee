//! Exports a module's `start` function.
//!
//! The interpreter runs `start` during instantiation, where it cannot be interrupted. An exported function can
//! be called in slices of fuel.

use crate::module::leb128::leb128;
use crate::module::reader::ModuleInfo;

/// The export of a `start` function, which replaces the start section.
pub struct Export {
    /// Its name, which differs from all other exports.
    pub name: String,
    /// The export as an entry of an export section.
    pub entry: Vec<u8>,
}

impl Export {
    /// For the function with the index `start` of the module with the declarations `info`.
    pub fn new(info: &ModuleInfo, start: u32) -> Export {
        let mut name = String::from("fuelbox:start");
        while info.exports.iter().any(|e| e.name == name) {
            name.push('\'');
        }
        let mut entry = Vec::new();
        leb128(name.len() as u32, &mut entry);
        entry.extend_from_slice(name.as_bytes());
        entry.push(0x00);
        leb128(start, &mut entry);
        Export { name, entry }
    }
}
