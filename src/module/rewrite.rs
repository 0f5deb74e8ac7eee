//! Rewrites a module before the interpreter sees it: makes the insertions that `code_limits.rs` found, exports its
//! `start` function, and imports its memory.
//!
//! Declarations and digest are always those of the original bytes. The interpreter validates the rewritten
//! module like any other. Whatever does not parse is an error: nothing passes unread.
//!
//! Insertions and their reasons (`docs/upstream.md` has the interpreter's faults):
//! - `i32.const 0; i32.or` before each `select`. The interpreter's translator fuses a comparison with zero and
//!   the `select` after it, and gets the condition wrong if it is in a stack slot. The `or` changes no value
//!   and is not a comparison, so nothing is fused.
//! - `nop`, with a price set in `sandbox/engine.rs`, in functions with many local variables: a call zeroes them all,
//!   and the interpreter charges nothing for that.

use crate::base::error::{LoadProblem, invalid};
use crate::base::heap;
use crate::module::edit::Edit;
use crate::module::leb128::{leb128, leb128_of_length};
use crate::module::memory_import::{MemoryImport, Place};
use crate::module::reader::ModuleInfo;
use crate::module::section::{self, Section, sections};
use crate::module::start_section;
use std::borrow::Cow;
use std::ops::Range;
use wasmparser::BinaryReader;

/// A change.
enum Patch<'a> {
    /// Replaces bytes by at most as many.
    Bytes {
        /// Position in bytes from the start of the module.
        at: usize,
        /// Number of bytes replaced.
        old: usize,
        bytes: Cow<'static, [u8]>,
    },
    /// Insertions into a function's body.
    Edit(&'a Edit),
}

impl Patch<'_> {
    /// Number of additional bytes.
    fn more(&self) -> usize {
        match self {
            Patch::Bytes { old, bytes, .. } => bytes.len() - old,
            Patch::Edit(edit) => edit.new_size() - edit.body.len(),
        }
    }
}

/// What the host has to know of a rewritten module.
#[derive(Default)]
pub struct Rewritten {
    /// The name under which its `start` function is exported, if it has one.
    pub start: Option<String>,
    /// Whether its memory is the last of its imports.
    pub imports_memory: bool,
}

/// Rewrites `wasm`, whose declarations are `info`, with `edits` in the order of the functions. If it `may_import_memory`,
/// its own memory becomes an import.
///
/// # Errors
/// Malformed section headers.
pub fn rewrite(
    wasm: &mut Cow<'_, [u8]>,
    info: &ModuleInfo,
    edits: &[Edit],
    may_import_memory: bool,
) -> Result<Rewritten, LoadProblem> {
    let sections = sections(wasm)?;
    let start = info.start.map(|index| start_section::Export::new(info, index));
    let memory = if may_import_memory { MemoryImport::new(wasm, &sections) } else { None };
    if start.is_none() && memory.is_none() && edits.is_empty() {
        return Ok(Rewritten::default());
    }
    let mut patches = Vec::new();
    let mut has_exports = false;
    for (number, section) in sections.iter().enumerate() {
        if let Some(memory) = &memory {
            patches.extend(import(memory, wasm, number, section)?);
        }
        match (section.id, &start) {
            (section::EXPORT, Some(export)) => {
                has_exports = true;
                patches.extend(beside(&export.entry, wasm, section)?);
            }
            (section::START, Some(export)) => {
                if !has_exports {
                    patches.push(alone(section::EXPORT, &export.entry, section.at));
                }
                patches.extend(as_custom(section)?);
            }
            (section::CODE, _) => patches.extend(code(section, edits)?),
            _ => {}
        }
    }
    if let Cow::Borrowed(given) = wasm {
        let bytes = given.len() as u64;
        *wasm = Cow::Owned(heap::copy(given).map_err(|_| LoadProblem::NoMemory { bytes })?);
    }
    apply(wasm.to_mut(), &patches)?;
    Ok(Rewritten { start: start.map(|export| export.name), imports_memory: memory.is_some() })
}

/// What the import of a memory changes at the section with this number.
fn import(
    memory: &MemoryImport,
    wasm: &[u8],
    number: usize,
    section: &Section,
) -> Result<Vec<Patch<'static>>, LoadProblem> {
    let mut patches = match memory.place {
        Place::Beside(imports) if imports == number => beside(&memory.entry, wasm, section)?,
        Place::Before(next) if next == number => vec![alone(section::IMPORT, &memory.entry, section.at)],
        _ => Vec::new(),
    };
    if memory.section == number {
        patches.extend(as_custom(section)?);
    }
    Ok(patches)
}

/// `inner` within `section`, after the section's new size.
fn within<'a>(section: &Section, mut inner: Vec<Patch<'a>>) -> Result<Vec<Patch<'a>>, LoadProblem> {
    let more: usize = inner.iter().map(Patch::more).sum();
    let size_at = section.at + 1;
    inner.insert(0, sized(section.content.len() + more, size_at..section.content.start)?);
    Ok(inner)
}

/// Replaces a number by one that is not longer.
fn sized(value: usize, place: Range<usize>) -> Result<Patch<'static>, LoadProblem> {
    let value = u32::try_from(value).map_err(|_| LoadProblem::Invalid("it becomes too large".into()))?;
    Ok(Patch::Bytes { at: place.start, old: place.len(), bytes: leb128_of_length(value, place.len()).into() })
}

/// A section with only `entry`, at this position.
fn alone(id: u8, entry: &[u8], at: usize) -> Patch<'static> {
    let mut bytes = vec![id];
    leb128(entry.len() as u32 + 1, &mut bytes);
    bytes.push(1);
    bytes.extend_from_slice(entry);
    Patch::Bytes { at, old: 0, bytes: bytes.into() }
}

/// Adds `entry` to a section of entries, as the last.
fn beside(entry: &[u8], wasm: &[u8], section: &Section) -> Result<Vec<Patch<'static>>, LoadProblem> {
    let Range { start, end } = section.content;
    let mut entries = BinaryReader::new(&wasm[start..end], start);
    let count = entries.read_var_u32().map_err(invalid)? as usize;
    let count = sized(count + 1, start..entries.original_position())?;
    let entry = Patch::Bytes { at: end, old: 0, bytes: entry.to_vec().into() };
    within(section, vec![count, entry])
}

/// Turns the section into a custom section, which nobody reads: with another identifier, and an empty name
/// before its content.
fn as_custom(section: &Section) -> Result<Vec<Patch<'static>>, LoadProblem> {
    let id = Patch::Bytes { at: section.at, old: 1, bytes: (&[section::CUSTOM]).into() };
    let name = Patch::Bytes { at: section.content.start, old: 0, bytes: (&[0]).into() };
    let mut patches = within(section, vec![name])?;
    patches.insert(0, id);
    Ok(patches)
}

/// The edits of the code section.
fn code<'a>(section: &Section, edits: &'a [Edit]) -> Result<Vec<Patch<'a>>, LoadProblem> {
    let mut patches = Vec::with_capacity(edits.len() * 2 + 1);
    for edit in edits {
        patches.push(sized(edit.new_size(), edit.size_at..edit.body.start)?);
        patches.push(Patch::Edit(edit));
    }
    within(section, patches)
}

/// Applies all patches, which are in order, from the last to the first, so that each byte moves at most once.
fn apply(wasm: &mut Vec<u8>, patches: &[Patch<'_>]) -> Result<(), LoadProblem> {
    let more: usize = patches.iter().map(Patch::more).sum();
    let from = wasm.len();
    let bytes = (from + more) as u64;
    wasm.try_reserve_exact(more).map_err(|_| LoadProblem::NoMemory { bytes })?;
    wasm.resize(from + more, 0);
    let mut moving = Moving { from, to: wasm.len(), wasm };
    for patch in patches.iter().rev() {
        match patch {
            Patch::Bytes { at, old, bytes } => moving.put(*at, *old, bytes)?,
            Patch::Edit(edit) => {
                for insertion in edit.insertions.iter().rev() {
                    moving.put(insertion.at(), 0, insertion.bytes())?;
                }
            }
        }
    }
    if moving.from == moving.to { Ok(()) } else { Err(missed()) }
}

fn missed() -> LoadProblem {
    LoadProblem::Invalid("it cannot be rewritten".into())
}

/// The bytes before `from` still have to move to before `to`.
struct Moving<'a> {
    wasm: &'a mut [u8],
    from: usize,
    to: usize,
}

impl Moving<'_> {
    /// Moves what follows `old` bytes at `at`, and writes `bytes` instead of them.
    fn put(&mut self, at: usize, old: usize, bytes: &[u8]) -> Result<(), LoadProblem> {
        let kept = at + old..self.from;
        let moved_to =
            self.to.checked_sub(kept.len()).filter(|_| kept.start <= kept.end).ok_or_else(missed)?;
        self.wasm.copy_within(kept, moved_to);
        self.to = moved_to.checked_sub(bytes.len()).ok_or_else(missed)?;
        self.wasm[self.to..moved_to].copy_from_slice(bytes);
        self.from = at;
        Ok(())
    }
}
