//! Reads and validates a component: its definitions in order, and those of the components within it.
//!
//! Sources: Component Model, `Binary.md` (sections and definitions) and `Explainer.md` (index spaces).

use super::canonical::Canonicals;
use super::depth::Depths;
use super::nested;
use super::problem::too_many;
use crate::base::error::{LoadProblem, invalid};
use crate::base::limits::{COMPONENT_DEFINITIONS_MAX, COMPONENT_NESTING_MAX};
use std::ops::Range;
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentExport, ComponentImport, ComponentInstance, ComponentType,
    Encoding, FromReader, Instance, Parser, Payload, SectionLimited, Validator, WasmFeatures,
};

/// The definitions of a component, in their order.
pub type Component<'a> = Vec<Definition<'a>>;

/// One definition. Each takes the next index of its kind.
pub enum Definition<'a> {
    /// A core module: where its bytes are in the whole.
    Module(Range<usize>),
    /// A component within this one.
    Component(Component<'a>),
    /// An instance of a core module.
    CoreInstance(Instance<'a>),
    /// An instance of a component.
    Instance(ComponentInstance<'a>),
    /// An item of another index space.
    Alias(ComponentAlias<'a>),
    /// A type.
    Type(ComponentType<'a>),
    /// A function made by the canonical ABI.
    Canonical(CanonicalFunction),
    /// An import.
    Import(ComponentImport<'a>),
    /// An export, which is an item of its kind as well.
    Export(ComponentExport<'a>),
}

/// What is validated. Values as imports and exports, and all that is asynchronous, are not part of WASI 0.2.
fn features() -> WasmFeatures {
    // What the interpreter does not support, it refuses itself, with the module that has it.
    WasmFeatures::default()
}

/// Reads `wasm`, which begins with the magic of a component.
///
/// # Errors
/// It is not valid, has too much of something, or uses what is not part of WASI 0.2.
pub fn decode(wasm: &[u8]) -> Result<Component<'_>, LoadProblem> {
    Decoder {
        validator: Validator::new_with_features(features()),
        definitions: 0,
        depths: Depths::default(),
        canonicals: Canonicals::default(),
    }
    .all(wasm)
}

struct Decoder {
    validator: Validator,
    definitions: usize,
    depths: Depths,
    canonicals: Canonicals,
}

impl Decoder {
    fn all<'a>(mut self, wasm: &'a [u8]) -> Result<Component<'a>, LoadProblem> {
        // Components that are begun, and not ended. The first is the whole.
        let mut open: Vec<Component<'a>> = Vec::new();
        let mut in_module = false;
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload.map_err(explain)?;
            if let Payload::ComponentTypeSection(section) = &payload {
                let bytes = wasm.get(section.original_position()..section.range().end).unwrap_or_default();
                self.count(nested::check(bytes, section.count())?)?;
            }
            if !in_module {
                self.depths.section(&payload)?;
            }
            if let (Payload::ComponentCanonicalSection(section), Some(types)) =
                (&payload, self.validator.types(0))
            {
                self.canonicals.section(types, section)?;
            }
            // The code of functions is left to the interpreter, which validates it when it compiles the modules.
            self.validator.payload(&payload).map_err(explain)?;
            match payload {
                Payload::Version { encoding: Encoding::Component, .. } => {
                    if open.len() > COMPONENT_NESTING_MAX {
                        return Err(too_many("components within each other", COMPONENT_NESTING_MAX));
                    }
                    open.push(Vec::new());
                    self.depths.begin();
                }
                Payload::Version { encoding: Encoding::Module, .. } => in_module = true,
                Payload::End(_) if in_module => in_module = false,
                Payload::End(_) => {
                    let Some(ended) = open.pop() else { break };
                    self.depths.end()?;
                    match open.last_mut() {
                        Some(outer) => outer.push(Definition::Component(ended)),
                        None => return Ok(ended),
                    }
                }
                payload if !in_module => {
                    let Some(component) = open.last_mut() else { break };
                    self.section(payload, component)?;
                }
                _ => {}
            }
        }
        Err(LoadProblem::Invalid("the component has no end".into()))
    }

    fn section<'a>(&mut self, payload: Payload<'a>, out: &mut Component<'a>) -> Result<(), LoadProblem> {
        match payload {
            Payload::ModuleSection { unchecked_range, .. } => {
                self.count(1)?;
                out.push(Definition::Module(unchecked_range));
            }
            Payload::ComponentSection { .. } => self.count(1)?,
            Payload::InstanceSection(section) => self.read(section, out, Definition::CoreInstance)?,
            Payload::ComponentInstanceSection(section) => self.read(section, out, Definition::Instance)?,
            Payload::ComponentAliasSection(section) => self.read(section, out, Definition::Alias)?,
            Payload::ComponentTypeSection(section) => self.read(section, out, Definition::Type)?,
            Payload::ComponentCanonicalSection(section) => self.read(section, out, Definition::Canonical)?,
            Payload::ComponentImportSection(section) => self.read(section, out, Definition::Import)?,
            Payload::ComponentExportSection(section) => self.read(section, out, Definition::Export)?,
            Payload::ComponentStartSection { .. } => {
                return Err(LoadProblem::Invalid("start functions of components are not supported".into()));
            }
            _ => {}
        }
        Ok(())
    }

    fn read<'a, T: FromReader<'a>>(
        &mut self,
        section: SectionLimited<'a, T>,
        out: &mut Component<'a>,
        definition: impl Fn(T) -> Definition<'a>,
    ) -> Result<(), LoadProblem> {
        self.count(section.count() as usize)?;
        for item in section {
            out.push(definition(item.map_err(explain)?));
        }
        Ok(())
    }

    fn count(&mut self, more: usize) -> Result<(), LoadProblem> {
        self.definitions += more;
        if self.definitions > COMPONENT_DEFINITIONS_MAX {
            return Err(too_many("definitions in a component", COMPONENT_DEFINITIONS_MAX));
        }
        Ok(())
    }
}

/// Says what asynchronous components are, which the parser does not.
fn explain(error: wasmparser::BinaryReaderError) -> LoadProblem {
    let text = error.message();
    if text.contains("async")
        || text.contains("stream")
        || text.contains("future")
        || text.contains("error-context")
    {
        return LoadProblem::Invalid(format!(
            "{error}; asynchronous components (WASI 0.3) are not supported, only WASI 0.2"
        ));
    }
    invalid(error)
}
