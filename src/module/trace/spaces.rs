//! What a module declares, as far as the instrumentation has to number after it.

use crate::base::error::{LoadProblem, invalid};
use crate::module::leb128::{leb128, leb128_signed};
use std::collections::BTreeMap;
use wasmparser::{Parser, Payload, TypeRef, ValType};

/// The functions of the host: `(f64, f64) -> ()` and `() -> f64` (core specification, section 5.3.6).
const HOST_TYPES: [&[u8]; 2] = [&[0x60, 0x02, 0x7c, 0x7c, 0x00], &[0x60, 0x00, 0x01, 0x7c]];

/// What a module declares.
#[derive(Default)]
pub struct Spaces {
    /// The result types of each function type, encoded.
    results: Vec<Vec<u8>>,
    /// The types of the functions, imported ones first.
    functions: Vec<u32>,
    /// How many functions are imported.
    imported: u32,
    /// How many tables there are.
    pub tables: u32,
    /// How many globals there are.
    pub globals: u32,
    /// How many functions have a body.
    pub bodies: u32,
    /// The types that are added for blocks with several results, by those results.
    blocks: BTreeMap<Vec<u8>, u32>,
}

/// A function with a body.
pub struct Function {
    /// Its index.
    pub index: u32,
    /// The type of a block with its results, encoded.
    pub block: Vec<u8>,
}

impl Spaces {
    /// Reads the declarations of `wasm`.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn read(wasm: &[u8]) -> Result<Spaces, LoadProblem> {
        let mut spaces = Spaces::default();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.map_err(invalid)? {
                Payload::TypeSection(types) => {
                    for ty in types.into_iter_err_on_gc_types() {
                        let results = ty.map_err(invalid)?.results().iter().map(|ty| encoded(*ty)).collect();
                        spaces.results.push(results);
                    }
                }
                Payload::ImportSection(imports) => {
                    for import in imports {
                        match import.map_err(invalid)?.ty {
                            TypeRef::Func(ty) => spaces.functions.push(ty),
                            TypeRef::Table(_) => spaces.tables += 1,
                            TypeRef::Global(_) => spaces.globals += 1,
                            _ => {}
                        }
                    }
                    spaces.imported = spaces.functions.len() as u32;
                }
                Payload::FunctionSection(functions) => {
                    for ty in functions {
                        spaces.functions.push(ty.map_err(invalid)?);
                    }
                }
                Payload::TableSection(tables) => spaces.tables += tables.count(),
                Payload::GlobalSection(globals) => spaces.globals += globals.count(),
                Payload::CodeSectionStart { count, .. } => spaces.bodies = count,
                _ => {}
            }
        }
        spaces.add_blocks();
        Ok(spaces)
    }

    /// Notes a type for each list of several results that a function with a body has.
    fn add_blocks(&mut self) {
        let first = self.host_types() + HOST_TYPES.len() as u32;
        for ty in &self.functions[self.imported as usize..] {
            let results = self.results.get(*ty as usize).filter(|results| results.len() > 1);
            if let Some(results) = results {
                let next = first + self.blocks.len() as u32;
                self.blocks.entry(results.clone()).or_insert(next);
            }
        }
    }

    /// The index of the first added type: that of the function which is called at the beginning. The other one's follows.
    pub fn host_types(&self) -> u32 {
        self.results.len() as u32
    }

    /// The added types as entries of a type section, and how many there are.
    pub fn added_types(&self) -> (Vec<u8>, u32) {
        let mut out = HOST_TYPES.concat();
        let mut blocks: Vec<_> = self.blocks.iter().collect();
        blocks.sort_by_key(|(_, index)| **index);
        for (results, _) in &blocks {
            out.extend_from_slice(&[0x60, 0x00]);
            leb128(results.len() as u32, &mut out);
            out.extend_from_slice(results);
        }
        (out, (HOST_TYPES.len() + blocks.len()) as u32)
    }

    /// The function with this body.
    ///
    /// # Errors
    /// There are more bodies than functions.
    pub fn defined(&self, body: usize) -> Result<Function, LoadProblem> {
        let unknown = || LoadProblem::Invalid("there are more function bodies than functions".into());
        let index = self.imported + body as u32;
        let ty = self.functions.get(index as usize).ok_or_else(unknown)?;
        let results = self.results.get(*ty as usize).ok_or_else(unknown)?;
        let block = match (results.as_slice(), self.blocks.get(results)) {
            ([], _) => vec![0x40],
            ([one], _) => vec![*one],
            (_, Some(index)) => leb128_signed(*index),
            (_, None) => return Err(unknown()),
        };
        Ok(Function { index, block })
    }
}

/// A value type as the binary format has it (core specification, section 5.3). The interpreter has no other references.
fn encoded(ty: ValType) -> u8 {
    match ty {
        ValType::I32 => 0x7f,
        ValType::I64 => 0x7e,
        ValType::F32 => 0x7d,
        ValType::F64 => 0x7c,
        ValType::V128 => 0x7b,
        ty if ty == ValType::FUNCREF => 0x70,
        ValType::Ref(_) => 0x6f,
    }
}
