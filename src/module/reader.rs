//! Reads a module's declarations before anything is compiled. A hostile module must be refused while that is
//! cheap, and an operator must be able to see what a refused module contains.
//!
//! Knows only the binary format (core specification, section 5.5); no engine and no limits of a run.

use crate::base::error::{LoadProblem, invalid};
use crate::base::limits::{
    DATA_SEGMENTS_MAX, ELEMENT_SEGMENTS_MAX, EXPORTS_MAX, FUNCTION_BYTES, FUNCTIONS_MAX, GLOBALS_MAX,
    IMPORT_BYTES, IMPORTS_MAX, LISTED_VALUES_MAX, NAME_BYTES_MAX, NAMES_BYTES_MAX, PARAMS_ALL_MAX,
    SEGMENT_BYTES, TABLE_ELEMENT_BYTES, TABLES_MAX, TYPE_PARAMS_MAX, TYPE_RESULTS_MAX, TYPES_MAX,
};
use crate::module::code::Code;
pub use crate::module::info::{Export, Import, Item, MemorySize, ModuleInfo, Signature, Ty};
use crate::module::operators::Types;
use crate::module::proposals::explain;
use wasmparser::{Encoding, ExternalKind, Parser, Payload, TypeRef, ValType};

fn counted(what: &str, count: u32, max: u32) -> Result<(), LoadProblem> {
    if count > max {
        return Err(LoadProblem::Invalid(format!("{count} {what}, more than the {max} supported")));
    }
    Ok(())
}

/// Describes bytes that are not a module.
fn check_magic(wasm: &[u8]) -> Result<(), LoadProblem> {
    let problem = match wasm {
        [] => "the file is empty",
        [b'\0', b'a', b's', b'm', ..] if Parser::is_component(wasm) => {
            "it is a component, which this build does not run (cargo feature `component`); build it for wasm32-wasip1, \
             not wasm32-wasip2"
        }
        [b'\0', b'a', b's', b'm', ..] => return Ok(()),
        [0x7f, b'E', b'L', b'F', ..] => "it is a native ELF program",
        _ => "it does not begin with the four bytes \\0asm",
    };
    Err(LoadProblem::NotWasm(problem.into()))
}

/// Index spaces that exports refer to, filled section by section.
#[derive(Default)]
struct Spaces {
    types: Vec<Signature>,
    /// Stack cells of the parameters and results of each type.
    cells: Vec<(u32, u32)>,
    functions: Vec<u32>,
    imported_functions: usize,
    name_bytes: usize,
    /// Parameters of the functions defined so far.
    params: u64,
    /// Parameters and results of the imports and exports so far.
    listed_values: usize,
}

impl Spaces {
    /// Counts a name against the limits.
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

    /// Stack cells of the parameters and results of the `body`th defined function; none for an unknown one, which
    /// validation refuses.
    fn of_body(&self, body: usize) -> (u32, u32) {
        self.of_function((self.imported_functions + body) as u32)
    }

    /// Counts a function of the module.
    fn defined(&mut self, type_index: u32) -> Result<(), LoadProblem> {
        self.functions.push(type_index);
        self.params += u64::from(self.of_type(type_index).0);
        if self.params > PARAMS_ALL_MAX {
            return Err(LoadProblem::Invalid(format!(
                "its functions have more than the {PARAMS_ALL_MAX} parameters together that are supported"
            )));
        }
        Ok(())
    }

    /// The type of an import or export.
    fn listed(&mut self, signature: Result<Signature, LoadProblem>) -> Result<Item, LoadProblem> {
        let signature = signature?;
        self.listed_values += signature.params.len() + signature.results.len();
        if self.listed_values > LISTED_VALUES_MAX {
            return Err(LoadProblem::Invalid(format!(
                "functions that are imported and exported have more than {LISTED_VALUES_MAX} parameters and results together"
            )));
        }
        Ok(Item::Function(signature))
    }

    fn function(&self, index: u32) -> Result<Signature, LoadProblem> {
        let type_index = self.functions.get(index as usize);
        self.signature(*type_index.ok_or_else(|| LoadProblem::Invalid(format!("unknown function {index}")))?)
    }
}

/// None for an unknown index, which validation refuses.
impl Types for Spaces {
    fn of_type(&self, index: u32) -> (u32, u32) {
        self.cells.get(index as usize).copied().unwrap_or_default()
    }

    fn of_function(&self, index: u32) -> (u32, u32) {
        self.functions.get(index as usize).map_or((0, 0), |ty| self.of_type(*ty))
    }
}

/// Reads the declarations of `wasm`.
///
/// # Errors
/// Bytes that are not a core module, or are truncated or malformed as far as this reads. This is not a
/// validation.
pub fn read(wasm: &[u8]) -> Result<ModuleInfo, LoadProblem> {
    read_code(wasm, true).map(|(info, _)| info).map_err(explain)
}

/// As [`read`], with what was found in the code. Insertions and refusals because of the interpreter's faults
/// need `work_arounds`.
pub(crate) fn read_code(wasm: &[u8], work_arounds: bool) -> Result<(ModuleInfo, Code), LoadProblem> {
    check_magic(wasm)?;
    let (mut info, mut spaces, mut code) = (ModuleInfo::default(), Spaces::default(), Code::default());
    let mut last = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(invalid)?;
        check_order(&payload, &mut last)?;
        match payload {
            Payload::CodeSectionStart { range, size, .. } => {
                info.code_bytes = range.len() as u64;
                code.begin(range.end - size as usize);
            }
            Payload::CodeSectionEntry(body) => {
                let cells = spaces.of_body(code.bodies);
                code.body(&body, cells, &spaces, work_arounds)?;
            }
            payload => section(payload, &mut info, &mut spaces)?,
        }
    }
    info.index_exports();
    info.count_instance(info.table_elements, TABLE_ELEMENT_BYTES);
    info.count_instance(info.imports.len() as u64, IMPORT_BYTES);
    info.import_modules = info.imports.iter().map(|import| import.module.clone()).collect();
    Ok((info, code))
}

/// Each section occurs once, in the order of the specification (section 5.5.2). Some are removed or rewritten
/// before validation sees them.
fn check_order(payload: &Payload<'_>, last: &mut usize) -> Result<(), LoadProblem> {
    /// The identifiers, in order.
    const ORDER: [u8; 13] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];
    let Some(place) = payload.as_section().and_then(|(id, _)| ORDER.iter().position(|known| *known == id))
    else {
        return Ok(());
    };
    if place < *last {
        return Err(LoadProblem::Invalid("a section is repeated or out of order".into()));
    }
    *last = place + 1;
    Ok(())
}

fn section(payload: Payload<'_>, info: &mut ModuleInfo, spaces: &mut Spaces) -> Result<(), LoadProblem> {
    match payload {
        Payload::Version { encoding: Encoding::Component, .. } => {
            return Err(LoadProblem::NotWasm("it is a component within a module".into()));
        }
        Payload::TypeSection(types) => read_types(types, spaces)?,
        Payload::ImportSection(imports) => {
            counted("imports", imports.count(), IMPORTS_MAX)?;
            for import in imports {
                let import = import.map_err(invalid)?;
                spaces.name(import.module)?;
                spaces.name(import.name)?;
                let item = imported(import.ty, info, spaces)?;
                info.imports.push(Import { module: import.module.into(), name: import.name.into(), item });
            }
        }
        Payload::FunctionSection(functions) => {
            counted("functions", functions.count(), FUNCTIONS_MAX)?;
            info.count_instance(functions.count().into(), FUNCTION_BYTES);
            for type_index in functions {
                spaces.defined(type_index.map_err(invalid)?)?;
            }
        }
        Payload::TableSection(tables) => {
            counted("tables", tables.count(), TABLES_MAX)?;
            for table in tables {
                let initial = table.map_err(invalid)?.ty.initial;
                info.table_elements = info.table_elements.saturating_add(initial);
            }
        }
        Payload::MemorySection(memories) => {
            for memory in memories {
                note_memory(&memory.map_err(invalid)?, info);
            }
        }
        Payload::GlobalSection(globals) => {
            counted("globals", globals.count(), GLOBALS_MAX)?;
            info.count_instance(globals.count().into(), SEGMENT_BYTES);
        }
        Payload::ExportSection(exports) => {
            counted("exports", exports.count(), EXPORTS_MAX)?;
            info.count_instance(exports.count().into(), SEGMENT_BYTES);
            for export in exports {
                let export = export.map_err(invalid)?;
                info.count_instance(export.name.len() as u64, 1);
                spaces.name(export.name)?;
                let item = exported(export.kind, export.index, spaces)?;
                info.exports.push(Export { name: export.name.into(), item, index: export.index });
            }
        }
        Payload::StartSection { func, .. } => {
            // The section is removed before validation (`export_start`), so this is not checked there.
            if spaces.function(func)? != Signature::default() {
                return Err(LoadProblem::Invalid("the start function has parameters or results".into()));
            }
            info.start = Some(func);
        }
        Payload::DataSection(segments) => {
            counted("data segments", segments.count(), DATA_SEGMENTS_MAX)?;
            info.count_instance(segments.count().into(), SEGMENT_BYTES);
        }
        Payload::ElementSection(segments) => read_elements(segments, info)?,
        _ => {}
    }
    Ok(())
}

fn read_elements(
    segments: wasmparser::ElementSectionReader<'_>,
    info: &mut ModuleInfo,
) -> Result<(), LoadProblem> {
    use wasmparser::ElementItems::{Expressions, Functions};
    counted("element segments", segments.count(), ELEMENT_SEGMENTS_MAX)?;
    info.count_instance(segments.count().into(), SEGMENT_BYTES);
    for segment in segments {
        let items = match segment.map_err(invalid)?.items {
            Functions(items) => items.count(),
            Expressions(_, items) => items.count(),
        };
        info.table_elements = info.table_elements.saturating_add(u64::from(items));
    }
    Ok(())
}

fn read_types(types: wasmparser::TypeSectionReader<'_>, spaces: &mut Spaces) -> Result<(), LoadProblem> {
    counted("types", types.count(), TYPES_MAX)?;
    for ty in types.into_iter_err_on_gc_types() {
        let ty = ty.map_err(invalid)?;
        if ty.params().len() > TYPE_PARAMS_MAX || ty.results().len() > TYPE_RESULTS_MAX {
            return Err(LoadProblem::Invalid(format!(
                "a type has more than {TYPE_PARAMS_MAX} parameters or {TYPE_RESULTS_MAX} results"
            )));
        }
        let list = |types: &[ValType]| types.iter().map(|t| Ty::of(*t)).collect();
        let signature = Signature { params: list(ty.params()), results: list(ty.results()), wit: None };
        let cells = |types: &[Ty]| types.iter().map(|ty| if *ty == Ty::V128 { 2 } else { 1 }).sum();
        spaces.cells.push((cells(&signature.params), cells(&signature.results)));
        spaces.types.push(signature);
    }
    Ok(())
}

fn note_memory(memory: &wasmparser::MemoryType, info: &mut ModuleInfo) {
    let size = MemorySize { min_pages: memory.initial, max_pages: memory.maximum };
    info.memory.get_or_insert(size);
}

fn imported(ty: TypeRef, info: &mut ModuleInfo, spaces: &mut Spaces) -> Result<Item, LoadProblem> {
    Ok(match ty {
        TypeRef::Func(type_index) => {
            spaces.functions.push(type_index);
            spaces.imported_functions += 1;
            spaces.listed(spaces.signature(type_index))?
        }
        TypeRef::Memory(memory) => {
            note_memory(&memory, info);
            Item::Memory
        }
        TypeRef::Table(_) => Item::Table,
        TypeRef::Global(_) => Item::Global,
        TypeRef::Tag(_) => Item::Tag,
    })
}

fn exported(kind: ExternalKind, index: u32, spaces: &mut Spaces) -> Result<Item, LoadProblem> {
    Ok(match kind {
        ExternalKind::Func => spaces.listed(spaces.function(index))?,
        ExternalKind::Memory => Item::Memory,
        ExternalKind::Table => Item::Table,
        ExternalKind::Global => Item::Global,
        ExternalKind::Tag => Item::Tag,
    })
}
