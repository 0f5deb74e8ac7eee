//! Writes a module anew before the interpreter sees it: with what `vet.rs` says must be inserted into its code, and
//! with its `start` function callable from outside.
//!
//! What a module declares and its digest are always those of the bytes that were given. The interpreter validates
//! what is written here like any other module. Whatever does not parse is an error: nothing passes unread.
//!
//! What is inserted, and why (`docs/upstream.md` has the interpreter's faults):
//! - `i32.const 0; i32.or` before each `select`. The interpreter's translator fuses a comparison with zero and the
//!   `select` behind it, and gets the condition wrong where it is in a slot of the stack. The `or` changes no value
//!   and is no comparison, so nothing is fused.
//! - `nop`, for which `engine.rs` sets a price, where a function has many local variables: a call zeroes them all,
//!   and the interpreter charges nothing for that.

use crate::binary::Facts;
use crate::edit::{Edit, Insertion};
use crate::error::{LoadProblem, invalid};
use crate::leb128::{leb128, leb128_padded};
use crate::limits::NAME_BYTES_MAX;
use crate::start;
use std::borrow::Cow;
use std::ops::Range;
use wasmparser::BinaryReader;

const EXPORT_SECTION: u8 = 7;
const START_SECTION: u8 = 8;
const CODE_SECTION: u8 = 10;

/// Bytes of a size at most.
const SIZE_BYTES_MAX: usize = 5;

/// A module for the interpreter.
pub struct Rewritten<'a> {
    /// Its bytes.
    pub wasm: Cow<'a, [u8]>,
    /// The name under which its `start` function is exported, if it has one.
    pub start: Option<String>,
}

/// Writes `wasm`, of which `facts` are known, with `edits`, which are in the order of the functions.
///
/// # Errors
/// Section headers that are malformed.
pub fn rewrite<'a>(wasm: &'a [u8], facts: &Facts, edits: &[Edit]) -> Result<Rewritten<'a>, LoadProblem> {
    let start = facts.start.map(|index| start::Export::new(facts, index));
    if start.is_none() && edits.is_empty() {
        return Ok(Rewritten { wasm: wasm.into(), start: None });
    }
    let has_exports = !facts.exports.is_empty();
    let inserted: usize = edits.iter().map(|edit| edit.new_size() - edit.body.len() + SIZE_BYTES_MAX).sum();
    let mut out = Vec::with_capacity(wasm.len() + inserted + NAME_BYTES_MAX);
    out.extend_from_slice(wasm.get(..8).unwrap_or(wasm));
    let mut reader = BinaryReader::new(wasm.get(8..).unwrap_or_default(), 8);
    while !reader.eof() {
        let begin = reader.original_position();
        let id = reader.read_u8().map_err(invalid)?;
        let size = reader.read_var_u32().map_err(invalid)?;
        let content_at = reader.original_position();
        let content = reader.read_bytes(size as usize).map_err(invalid)?;
        match (id, &start) {
            (EXPORT_SECTION, Some(export)) if has_exports => {
                section(EXPORT_SECTION, &export.beside(content)?, &mut out);
            }
            // It is empty, and the export of `start` follows in its place.
            (EXPORT_SECTION, Some(_)) => {}
            (START_SECTION, Some(_)) if has_exports => {}
            (START_SECTION, Some(export)) => section(EXPORT_SECTION, &export.alone(), &mut out),
            (CODE_SECTION, _) if !edits.is_empty() => {
                code(wasm, content_at..content_at + content.len(), edits, &mut out)?;
            }
            _ => out.extend_from_slice(&wasm[begin..reader.original_position()]),
        }
    }
    Ok(Rewritten { wasm: out.into(), start: start.map(|export| export.name) })
}

/// Appends the code section, whose content is now at `section`, with the edits made.
fn code(wasm: &[u8], section: Range<usize>, edits: &[Edit], out: &mut Vec<u8>) -> Result<(), LoadProblem> {
    let missed = || LoadProblem::Invalid("its code section cannot be rewritten".into());
    let get = |range: Range<usize>| wasm.get(range).ok_or_else(missed);
    // The size is known at the end; its bytes have room for any.
    out.push(CODE_SECTION);
    let size_at = out.len();
    out.extend_from_slice(&[0; SIZE_BYTES_MAX]);
    let mut done = section.start;
    for edit @ Edit { body, size_at, insertions } in edits {
        out.extend_from_slice(get(done..*size_at)?);
        leb128(u32::try_from(edit.new_size()).map_err(|_| missed())?, out);
        done = body.start;
        for Insertion { at, what } in insertions {
            out.extend_from_slice(get(done..*at)?);
            out.extend_from_slice(what.bytes());
            done = *at;
        }
        out.extend_from_slice(get(done..body.end)?);
        done = body.end;
    }
    out.extend_from_slice(get(done..section.end)?);
    let size = u32::try_from(out.len() - size_at - SIZE_BYTES_MAX).map_err(|_| missed())?;
    out[size_at..size_at + SIZE_BYTES_MAX].copy_from_slice(&leb128_padded(size));
    Ok(())
}

fn section(id: u8, content: &[u8], out: &mut Vec<u8>) {
    out.push(id);
    leb128(content.len() as u32, out);
    out.extend_from_slice(content);
}
