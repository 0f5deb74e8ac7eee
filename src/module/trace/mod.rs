//! Instrumentation: a module that tells the host which function it is in, and at which instruction.
//!
//! The interpreter keeps no frames that a host can read. So `--trace` and `--profile` add to the module, before the
//! interpreter sees it:
//! - a table with two functions of the host, which each function calls when it begins and when it ends (`body.rs`);
//! - a mutable global with the offset, in the given file, of the instruction that may trap or call next, and three with its
//!   operands, as far as they are an address, a length or an index;
//! - further globals, which hold operands for a moment.
//!
//! All of it comes after what the module has, so no index changes. The added instructions are of kinds that cost no
//! fuel in this mode (`sandbox/engine.rs`). Where the module itself has an instruction of such a kind, one that
//! costs as much is added before it. So a run uses the same fuel, and a deterministic run is the same run.
//!
//! The module as it was given has to be valid: what is added could make another one valid.

pub(crate) mod access;
mod body;
pub(crate) mod names;
mod operands;
mod spaces;

use crate::base::error::{LoadProblem, invalid};
use crate::base::heap;
use crate::module::edit::Edit;
use crate::module::leb128::leb128;
use crate::module::reader::ModuleInfo;
use crate::module::section::{self, Section, sections};
use body::Ids;
use names::{HOST_FUNCTIONS, Names, OPERANDS};
use spaces::Spaces;
use std::ops::Range;
use wasmparser::{BinaryReader, CodeSectionReader};

/// Sections in the order of the specification (section 5.5.2), by their identifiers.
const ORDER: [u8; 13] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

/// A module with the additions.
pub struct Traced {
    /// The module.
    pub wasm: Vec<u8>,
    /// Where the host finds what was added.
    pub names: Names,
}

/// Adds the instrumentation to `wasm`, whose declarations are `info`, together with `edits`. None for a module without
/// code. The result has at most `most` bytes.
///
/// # Errors
/// What cannot be read; a module that becomes too large.
pub fn instrument(
    wasm: &[u8],
    info: &ModuleInfo,
    edits: &[Edit],
    most: usize,
) -> Result<Option<Traced>, LoadProblem> {
    let spaces = Spaces::read(wasm)?;
    if spaces.bodies == 0 {
        return Ok(None);
    }
    let names = Names::of(info);
    let ids = Ids::after(&spaces);
    let mut added = additions(&spaces, &ids, &names).into_iter().peekable();
    let mut out = Output { wasm: Vec::new(), most };
    out.put(wasm.get(..8).unwrap_or_default())?;
    for section in sections(wasm)? {
        // Nothing of it is for the interpreter.
        if section.id == section::CUSTOM {
            continue;
        }
        while let Some(alone) = added.next_if(|added| place(added.id) < place(section.id)) {
            out.section(alone.id, &[&count(alone.count), &alone.entries])?;
        }
        let content = &wasm[section.content.clone()];
        match added.next_if(|added| added.id == section.id) {
            Some(more) => {
                let (had, entries) = counted(wasm, &section)?;
                let all = had.checked_add(more.count).ok_or_else(too_large)?;
                out.section(section.id, &[&count(all), &wasm[entries], &more.entries])?;
            }
            None if section.id == section::CODE => out.code(wasm, &section, edits, (&spaces, &ids))?,
            None => out.section(section.id, &[content])?,
        }
    }
    Ok(Some(Traced { wasm: out.wasm, names }))
}

fn too_large() -> LoadProblem {
    LoadProblem::Invalid("it becomes too large when it is traced (--max-module allows more)".into())
}

/// The place of a section in the order.
fn place(id: u8) -> usize {
    ORDER.iter().position(|known| *known == id).unwrap_or(ORDER.len())
}

/// What is added to a section.
struct Addition {
    id: u8,
    count: u32,
    entries: Vec<u8>,
}

/// What is added, in the order of the sections.
fn additions(spaces: &Spaces, ids: &Ids, names: &Names) -> [Addition; 4] {
    let (types, type_count) = spaces.added_types();
    // A table of two functions, which does not grow.
    let table = vec![0x70, 0x01, HOST_FUNCTIONS as u8, HOST_FUNCTIONS as u8];
    let mut exports = Vec::new();
    let mut export = |name: String, kind: u8, index: u32| {
        leb128(name.len() as u32, &mut exports);
        exports.extend_from_slice(name.as_bytes());
        exports.push(kind);
        leb128(index, &mut exports);
    };
    export(names.at(), 0x03, ids.at);
    for (number, index) in ids.operands.iter().enumerate() {
        export(names.operand(number), 0x03, *index);
    }
    export(names.table(), 0x01, ids.table);
    let (globals, global_count) = ids.globals();
    [
        Addition { id: section::TYPE, count: type_count, entries: types },
        Addition { id: section::TABLE, count: 1, entries: table },
        Addition { id: section::GLOBAL, count: global_count, entries: globals },
        Addition { id: section::EXPORT, count: 2 + OPERANDS as u32, entries: exports },
    ]
}

/// A count as the binary format has it.
fn count(value: u32) -> Vec<u8> {
    let mut out = Vec::new();
    leb128(value, &mut out);
    out
}

/// How many entries a section has, and where they are.
fn counted(wasm: &[u8], section: &Section) -> Result<(u32, Range<usize>), LoadProblem> {
    let Range { start, end } = section.content;
    let mut reader = BinaryReader::new(&wasm[start..end], start);
    let had = reader.read_var_u32().map_err(invalid)?;
    Ok((had, reader.original_position()..end))
}

/// The module as it is written.
struct Output {
    wasm: Vec<u8>,
    most: usize,
}

impl Output {
    fn put(&mut self, bytes: &[u8]) -> Result<(), LoadProblem> {
        if self.wasm.len() + bytes.len() > self.most {
            return Err(too_large());
        }
        let all = (self.wasm.len() + bytes.len()) as u64;
        heap::extend(&mut self.wasm, bytes).map_err(|_| LoadProblem::NoMemory { bytes: all })
    }

    fn section(&mut self, id: u8, parts: &[&[u8]]) -> Result<(), LoadProblem> {
        let size = parts.iter().map(|part| part.len()).sum::<usize>();
        self.put(&[id])?;
        self.put(&count(u32::try_from(size).map_err(|_| too_large())?))?;
        parts.iter().try_for_each(|part| self.put(part))
    }

    /// The code section, each of whose bodies is instrumented.
    fn code(
        &mut self,
        wasm: &[u8],
        section: &Section,
        edits: &[Edit],
        (spaces, ids): (&Spaces, &Ids),
    ) -> Result<(), LoadProblem> {
        let Range { start, end } = section.content;
        let mut edits = edits.iter().peekable();
        let mut bodies = Output { wasm: Vec::new(), most: self.most };
        let reader = CodeSectionReader::new(BinaryReader::new(&wasm[start..end], start)).map_err(invalid)?;
        bodies.put(&count(reader.count()))?;
        for (number, body) in reader.into_iter().enumerate() {
            let body = body.map_err(invalid)?;
            let edit = edits.next_if(|edit| edit.body.start == body.range().start);
            let function = spaces.defined(number)?;
            let written = body::instrument(wasm, &body, edit, &function, ids)?;
            bodies.put(&count(u32::try_from(written.len()).map_err(|_| too_large())?))?;
            bodies.put(&written)?;
        }
        self.section(section.id, &[&bodies.wasm])
    }
}
