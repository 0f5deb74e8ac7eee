//! Makes a module's `start` function callable from outside.
//!
//! The interpreter runs it inside instantiation, where it cannot be interrupted. As an export it can be
//! called like any other function, in slices.

use crate::binary::{Facts, invalid};
use crate::error::LoadProblem;
use wasmparser::BinaryReader;

const EXPORT_SECTION: u8 = 7;
const START_SECTION: u8 = 8;

/// Takes the `start` section out of a module and exports the function instead; gives the new module and
/// the name of that export.
///
/// # Errors
/// Malformed section headers.
pub fn export_start(wasm: &[u8], facts: &Facts, start: u32) -> Result<(Vec<u8>, String), LoadProblem> {
    let mut name = String::from("fuelbox:start");
    while facts.exports.iter().any(|e| e.name == name) {
        name.push('\'');
    }
    let mut entry = Vec::new();
    leb128(name.len() as u32, &mut entry);
    entry.extend_from_slice(name.as_bytes());
    entry.push(0x00);
    leb128(start, &mut entry);

    let has_exports = !facts.exports.is_empty();
    let mut out = Vec::with_capacity(wasm.len() + entry.len() + 8);
    out.extend_from_slice(&wasm[..8]);
    let mut reader = BinaryReader::new(&wasm[8..], 8);
    while !reader.eof() {
        let begin = reader.original_position();
        let id = reader.read_u8().map_err(invalid)?;
        let size = reader.read_var_u32().map_err(invalid)?;
        let content = reader.read_bytes(size as usize).map_err(invalid)?;
        match id {
            EXPORT_SECTION if has_exports => {
                let mut entries = BinaryReader::new(content, 0);
                let count = entries.read_var_u32().map_err(invalid)?;
                let old = &content[entries.original_position()..];
                push_exports(count + 1, &[old, &entry], &mut out);
            }
            EXPORT_SECTION => {}
            START_SECTION if has_exports => {}
            START_SECTION => push_exports(1, &[&entry], &mut out),
            _ => out.extend_from_slice(&wasm[begin..reader.original_position()]),
        }
    }
    Ok((out, name))
}

fn push_exports(count: u32, entries: &[&[u8]], out: &mut Vec<u8>) {
    let mut content = Vec::new();
    leb128(count, &mut content);
    for bytes in entries {
        content.extend_from_slice(bytes);
    }
    out.push(EXPORT_SECTION);
    leb128(content.len() as u32, out);
    out.extend_from_slice(&content);
}

/// Unsigned LEB128 (core specification, section 5.2.2).
fn leb128(mut value: u32, out: &mut Vec<u8>) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            return out.push(byte);
        }
        out.push(byte | 0x80);
    }
}
