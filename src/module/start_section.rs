//! Makes a module's `start` function callable from outside.
//!
//! The interpreter runs it inside instantiation, where it cannot be interrupted. As an export it can be
//! called like any other function, in slices.

use crate::module::leb128::leb128;
use crate::module::reader::ModuleInfo;

/// The export of a `start` function, in the place of the section that names it.
pub struct Export {
    /// Its name, which no other export of the module has.
    pub name: String,
    /// It as an entry of an export section.
    pub entry: Vec<u8>,
}

impl Export {
    /// For the function numbered `start` of the module that `info` are of.
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
