//! Reads what a module declares, before anything is compiled: a hostile module must be refused while that
//! is still cheap, and an operator must see what a refused one holds.
//!
//! Knows the binary format only (core specification, section 5.5); no engine, no limits of a run.

use crate::code::Code;
use crate::error::{LoadProblem, invalid};
use crate::limits::{
    DATA_SEGMENTS_MAX, ELEMENT_SEGMENTS_MAX, EXPORTS_MAX, FUNCTIONS_MAX, GLOBALS_MAX, IMPORTS_MAX,
    NAME_BYTES_MAX, NAMES_BYTES_MAX, TABLES_MAX, TYPE_VALUES_MAX, TYPES_MAX,
};
use crate::names::ByName;
use std::collections::BTreeSet;
use std::fmt;
use wasmparser::{Encoding, ExternalKind, Parser, Payload, TypeRef, ValType};

/// A value type, as far as calling conventions tell types apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Ty {
    I32,
    I64,
    F32,
    F64,
    V128,
    Ref,
}

impl Ty {
    fn of(ty: ValType) -> Ty {
        match ty {
            ValType::I32 => Ty::I32,
            ValType::I64 => Ty::I64,
            ValType::F32 => Ty::F32,
            ValType::F64 => Ty::F64,
            ValType::V128 => Ty::V128,
            ValType::Ref(_) => Ty::Ref,
        }
    }

    /// Whether it is one of the four number types.
    pub fn is_number(self) -> bool {
        !matches!(self, Ty::V128 | Ty::Ref)
    }

    /// Its name in the text format.
    pub fn name(self) -> &'static str {
        match self {
            Ty::I32 => "i32",
            Ty::I64 => "i64",
            Ty::F32 => "f32",
            Ty::F64 => "f64",
            Ty::V128 => "v128",
            Ty::Ref => "ref",
        }
    }
}

/// The type of a function.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signature {
    /// Parameter types.
    pub params: Vec<Ty>,
    /// Result types.
    pub results: Vec<Ty>,
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |types: &[Ty]| types.iter().map(|t| t.name()).collect::<Vec<_>>().join(", ");
        write!(f, "({})", list(&self.params))?;
        match self.results.len() {
            0 => Ok(()),
            1 => write!(f, " -> {}", list(&self.results)),
            _ => write!(f, " -> ({})", list(&self.results)),
        }
    }
}

/// What is imported or exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A function with its type.
    Function(Signature),
    /// A linear memory.
    Memory,
    /// A table.
    Table,
    /// A global variable.
    Global,
    /// An exception tag.
    Tag,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Item::Function(signature) => signature.fmt(f),
            Item::Memory => f.write_str(" memory"),
            Item::Table => f.write_str(" table"),
            Item::Global => f.write_str(" global"),
            Item::Tag => f.write_str(" tag"),
        }
    }
}

/// One import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The module part of the name.
    pub module: String,
    /// The field part of the name.
    pub name: String,
    /// What must be provided.
    pub item: Item,
}

/// One export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Its name.
    pub name: String,
    /// What it is.
    pub item: Item,
}

/// The size of a module's linear memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemorySize {
    /// Pages of 64 KiB at the start.
    pub min_pages: u64,
    /// Pages it declares it will never exceed.
    pub max_pages: Option<u64>,
}

/// What a module declares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Everything it imports.
    pub imports: Vec<Import>,
    /// Everything it exports.
    pub exports: Vec<Export>,
    /// Its linear memory (the first, should there be more).
    pub memory: Option<MemorySize>,
    /// Elements of its tables together, element segments included.
    pub table_elements: u64,
    /// The index of its `start` function.
    pub start: Option<u32>,
    /// Bytes of all function bodies.
    pub code_bytes: u64,
    exports_by_name: ByName,
    /// The modules that it imports from.
    pub import_modules: BTreeSet<String>,
}

impl Facts {
    /// The type of the exported function `name`.
    pub fn function(&self, name: &str) -> Option<&Signature> {
        let Some(Item::Function(signature)) = self.export(name) else { return None };
        Some(signature)
    }

    fn export(&self, name: &str) -> Option<&Item> {
        let place = self.exports_by_name.find(name, |place| &self.exports[place].name);
        place.map(|place| &self.exports[place].item)
    }

    /// All exported functions.
    pub fn functions(&self) -> impl Iterator<Item = (&str, &Signature)> {
        self.exports.iter().filter_map(|export| match &export.item {
            Item::Function(signature) => Some((export.name.as_str(), signature)),
            _ => None,
        })
    }

    /// Whether a memory is exported under the name that conventions use.
    pub fn exports_memory(&self) -> bool {
        self.export("memory") == Some(&Item::Memory)
    }
}

fn counted(what: &str, count: u32, max: u32) -> Result<(), LoadProblem> {
    if count > max {
        return Err(LoadProblem::Invalid(format!("{count} {what}, more than the {max} supported")));
    }
    Ok(())
}

/// Says what bytes that are no module are.
fn check_magic(wasm: &[u8]) -> Result<(), LoadProblem> {
    let problem = match wasm {
        [] => "the file is empty",
        [b'\0', b'a', b's', b'm', ..] if Parser::is_component(wasm) => {
            "it is a component; only core modules run here (build for wasm32-wasip1, not wasm32-wasip2)"
        }
        [b'\0', b'a', b's', b'm', ..] => return Ok(()),
        [0x7f, b'E', b'L', b'F', ..] => "it is a native ELF program",
        _ => "it does not begin with the four bytes \\0asm",
    };
    Err(LoadProblem::NotWasm(problem.into()))
}

/// Index spaces that exports refer to, filled while the sections go by.
#[derive(Default)]
struct Spaces {
    types: Vec<Signature>,
    functions: Vec<u32>,
    imported_functions: usize,
    name_bytes: usize,
}

impl Spaces {
    /// Counts a name against the caps.
    fn name(&mut self, name: &str) -> Result<(), LoadProblem> {
        self.name_bytes += name.len();
        if name.len() > NAME_BYTES_MAX || self.name_bytes > NAMES_BYTES_MAX {
            return Err(LoadProblem::Invalid(format!(
                "names of imports and exports take more than {NAME_BYTES_MAX} bytes, or {NAMES_BYTES_MAX} in all"
            )));
        }
        Ok(())
    }

    fn signature(&self, type_index: u32) -> Result<Signature, LoadProblem> {
        self.types
            .get(type_index as usize)
            .cloned()
            .ok_or_else(|| LoadProblem::Invalid(format!("unknown type {type_index}")))
    }

    /// Stack cells of a type's parameters and results; none for an unknown one, which validation refuses.
    fn arity(&self, type_index: u32) -> (u32, u32) {
        let cells = |types: &[Ty]| types.iter().map(|ty| if *ty == Ty::V128 { 2 } else { 1 }).sum();
        let ty = self.types.get(type_index as usize);
        ty.map_or((0, 0), |ty| (cells(&ty.params), cells(&ty.results)))
    }

    /// Stack cells of the results of the function whose body is the `body`th; none for one that is not there, which validation refuses.
    fn results(&self, body: usize) -> u32 {
        let ty = self.functions.get(self.imported_functions + body);
        ty.map_or(0, |ty| self.arity(*ty).1)
    }

    fn function(&self, index: u32) -> Result<Signature, LoadProblem> {
        let type_index = self.functions.get(index as usize);
        self.signature(*type_index.ok_or_else(|| LoadProblem::Invalid(format!("unknown function {index}")))?)
    }
}

/// Reads what `wasm` declares.
///
/// # Errors
/// Bytes that are no core module, or are cut off or malformed as far as this reads. It is no validation.
pub fn read(wasm: &[u8]) -> Result<Facts, LoadProblem> {
    read_code(wasm, true).map(|(facts, _)| facts)
}

/// As [`read`], with what was found in its code; edits for the interpreter's faults, and what is refused for them,
/// only with `work_arounds`.
pub(crate) fn read_code(wasm: &[u8], work_arounds: bool) -> Result<(Facts, Code), LoadProblem> {
    check_magic(wasm)?;
    let (mut facts, mut spaces, mut code) = (Facts::default(), Spaces::default(), Code::default());
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(invalid)? {
            Payload::CodeSectionStart { range, size, .. } => {
                facts.code_bytes = range.len() as u64;
                code.begin(range.end - size as usize)?;
            }
            Payload::CodeSectionEntry(body) => {
                let results = spaces.results(code.bodies);
                code.body(&body, results, &|index| spaces.arity(index), work_arounds)?;
            }
            payload => section(payload, &mut facts, &mut spaces)?,
        }
    }
    facts.exports_by_name = ByName::of(facts.exports.len(), |place| &facts.exports[place].name);
    facts.import_modules = facts.imports.iter().map(|import| import.module.clone()).collect();
    Ok((facts, code))
}

fn section(payload: Payload<'_>, facts: &mut Facts, spaces: &mut Spaces) -> Result<(), LoadProblem> {
    match payload {
        Payload::Version { encoding: Encoding::Component, .. } => {
            return Err(LoadProblem::NotWasm("it is a component; only core modules run here".into()));
        }
        Payload::TypeSection(types) => read_types(types, spaces)?,
        Payload::ImportSection(imports) => {
            counted("imports", imports.count(), IMPORTS_MAX)?;
            for import in imports {
                let import = import.map_err(invalid)?;
                spaces.name(import.module)?;
                spaces.name(import.name)?;
                let item = imported(import.ty, facts, spaces)?;
                facts.imports.push(Import { module: import.module.into(), name: import.name.into(), item });
            }
        }
        Payload::FunctionSection(functions) => {
            counted("functions", functions.count(), FUNCTIONS_MAX)?;
            for type_index in functions {
                spaces.functions.push(type_index.map_err(invalid)?);
            }
        }
        Payload::TableSection(tables) => {
            counted("tables", tables.count(), TABLES_MAX)?;
            for table in tables {
                let initial = table.map_err(invalid)?.ty.initial;
                facts.table_elements = facts.table_elements.saturating_add(initial);
            }
        }
        Payload::MemorySection(memories) => {
            for memory in memories {
                note_memory(&memory.map_err(invalid)?, facts);
            }
        }
        Payload::GlobalSection(globals) => counted("globals", globals.count(), GLOBALS_MAX)?,
        Payload::ExportSection(exports) => {
            counted("exports", exports.count(), EXPORTS_MAX)?;
            for export in exports {
                let export = export.map_err(invalid)?;
                spaces.name(export.name)?;
                let item = exported(export.kind, export.index, spaces)?;
                facts.exports.push(Export { name: export.name.into(), item });
            }
        }
        Payload::StartSection { func, .. } => {
            // The section is taken out before validation (`export_start`), so this is not checked there.
            if spaces.function(func)? != Signature::default() {
                return Err(LoadProblem::Invalid("the start function takes or gives values".into()));
            }
            facts.start = Some(func);
        }
        Payload::DataSection(segments) => counted("data segments", segments.count(), DATA_SEGMENTS_MAX)?,
        Payload::ElementSection(segments) => read_elements(segments, facts)?,
        _ => {}
    }
    Ok(())
}

fn read_elements(
    segments: wasmparser::ElementSectionReader<'_>,
    facts: &mut Facts,
) -> Result<(), LoadProblem> {
    use wasmparser::ElementItems::{Expressions, Functions};
    counted("element segments", segments.count(), ELEMENT_SEGMENTS_MAX)?;
    for segment in segments {
        let items = match segment.map_err(invalid)?.items {
            Functions(items) => items.count(),
            Expressions(_, items) => items.count(),
        };
        facts.table_elements = facts.table_elements.saturating_add(u64::from(items));
    }
    Ok(())
}

fn read_types(types: wasmparser::TypeSectionReader<'_>, spaces: &mut Spaces) -> Result<(), LoadProblem> {
    counted("types", types.count(), TYPES_MAX)?;
    for ty in types.into_iter_err_on_gc_types() {
        let ty = ty.map_err(invalid)?;
        if ty.params().len().max(ty.results().len()) > TYPE_VALUES_MAX {
            return Err(LoadProblem::Invalid(format!(
                "a type has more than {TYPE_VALUES_MAX} parameters, or results"
            )));
        }
        let list = |types: &[ValType]| types.iter().map(|t| Ty::of(*t)).collect();
        spaces.types.push(Signature { params: list(ty.params()), results: list(ty.results()) });
    }
    Ok(())
}

fn note_memory(memory: &wasmparser::MemoryType, facts: &mut Facts) {
    let size = MemorySize { min_pages: memory.initial, max_pages: memory.maximum };
    facts.memory.get_or_insert(size);
}

fn imported(ty: TypeRef, facts: &mut Facts, spaces: &mut Spaces) -> Result<Item, LoadProblem> {
    Ok(match ty {
        TypeRef::Func(type_index) => {
            spaces.functions.push(type_index);
            spaces.imported_functions += 1;
            Item::Function(spaces.signature(type_index)?)
        }
        TypeRef::Memory(memory) => {
            note_memory(&memory, facts);
            Item::Memory
        }
        TypeRef::Table(_) => Item::Table,
        TypeRef::Global(_) => Item::Global,
        TypeRef::Tag(_) => Item::Tag,
    })
}

fn exported(kind: ExternalKind, index: u32, spaces: &Spaces) -> Result<Item, LoadProblem> {
    Ok(match kind {
        ExternalKind::Func => Item::Function(spaces.function(index)?),
        ExternalKind::Memory => Item::Memory,
        ExternalKind::Table => Item::Table,
        ExternalKind::Global => Item::Global,
        ExternalKind::Tag => Item::Tag,
    })
}
