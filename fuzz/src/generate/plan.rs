//! What a module declares: types, functions, globals, tables, segments. Bodies are written against it.

use crate::choices::Choices;
use crate::value::{Num, Ty, number};
use wasm_encoder::{BlockType, TypeSection, ValType};

/// Bytes at the beginning of a page that addresses mostly fall into, and that the checksum covers.
pub const WINDOW_BYTES: u32 = 320;

/// Calls of one run: what bounds recursion.
pub const CALLS: i32 = 40;

/// Elements of table 0, which has functions. Table 1 has `externref`s, table 2 functions again.
pub const TABLE_SIZES: [u64; 3] = [8, 4, 6];

/// Bytes of the passive data segments 1 and 2; segment 0 is active.
pub const PASSIVE_BYTES: usize = 24;

/// Functions in the passive element segments, which are 1 and 2; segment 0 is active, 3 declares all.
pub const PASSIVE_ELEMENTS: usize = 5;

/// A function type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Signature {
    /// Parameters.
    pub params: Vec<Ty>,
    /// Results.
    pub results: Vec<Ty>,
}

/// A global variable.
#[derive(Debug, Clone, Copy)]
pub struct Global {
    /// Its type.
    pub ty: Ty,
    /// Whether functions may set it.
    pub is_mutable: bool,
    /// Its first value; a reference begins as null.
    pub first: Num,
}

/// Everything but the code.
pub struct Plan {
    /// Signatures of the functions under test: function `i` has `functions[i]`.
    pub functions: Vec<Signature>,
    /// Global 0 is the number of calls left, and is no business of bodies.
    pub globals: Vec<Global>,
    /// Pages that memory begins with, 1 or 2. It can grow to 3.
    pub pages: u64,
    /// For each element of table 0 its function, or null.
    pub elements: Vec<Option<u32>>,
    /// For each element of both passive segments.
    pub passive: [Vec<Option<u32>>; 2],
    /// The type section so far.
    pub types: Types,
}

/// Function types in the order of their indices.
#[derive(Default)]
pub struct Types(Vec<Signature>);

impl Types {
    /// The index of a type, added if it is new.
    pub fn index(&mut self, params: &[Ty], results: &[Ty]) -> u32 {
        let signature = Signature { params: params.into(), results: results.into() };
        let found = self.0.iter().position(|known| *known == signature);
        found.unwrap_or_else(|| {
            self.0.push(signature);
            self.0.len() - 1
        }) as u32
    }

    /// The type of a block.
    pub fn block(&mut self, params: &[Ty], results: &[Ty]) -> BlockType {
        match (params, results) {
            ([], []) => BlockType::Empty,
            ([], [one]) => BlockType::Result(val_type(*one)),
            _ => BlockType::FunctionType(self.index(params, results)),
        }
    }

    /// The section.
    pub fn section(&self) -> TypeSection {
        let mut section = TypeSection::new();
        for Signature { params, results } in &self.0 {
            let types = |types: &[Ty]| types.iter().map(|ty| val_type(*ty)).collect::<Vec<_>>();
            section.ty().function(types(params), types(results));
        }
        section
    }
}

/// The encoder's name of a type.
pub fn val_type(ty: Ty) -> ValType {
    match ty {
        Ty::I32 => ValType::I32,
        Ty::I64 => ValType::I64,
        Ty::F32 => ValType::F32,
        Ty::F64 => ValType::F64,
        Ty::Func => ValType::FUNCREF,
        Ty::Extern => ValType::EXTERNREF,
    }
}

/// A type, seldom a reference's.
pub fn any_type(c: &mut Choices<'_>) -> Ty {
    let types = [Ty::I32, Ty::I64, Ty::F32, Ty::F64, Ty::Func, Ty::Extern];
    types[c.weighted(&[34, 22, 16, 16, 3, 2])]
}

/// Decides what a module declares.
pub fn plan(c: &mut Choices<'_>) -> Plan {
    let mut list = |max: usize| -> Vec<Ty> { (0..c.below(max)).map(|_| any_type(c)).collect() };
    let signatures = [list(4), list(5), list(4)];
    let results = [vec![], list(4), vec![Ty::I32], vec![Ty::I64], list(7)];
    let functions = (0..5 + c.below(4))
        .map(|_| Signature { params: c.pick(&signatures).clone(), results: c.pick(&results).clone() });
    let functions: Vec<Signature> = functions.collect();
    let count = functions.len();
    let mut globals = vec![Global { ty: Ty::I32, is_mutable: true, first: Num::I32(CALLS) }];
    for ty in Ty::NUMBERS.into_iter().chain([Ty::I32, Ty::I64]) {
        globals.push(Global { ty, is_mutable: true, first: number(ty, c) });
        globals.push(Global { ty, is_mutable: false, first: number(ty, c) });
    }
    for ty in [Ty::Func, Ty::Extern] {
        globals.push(Global { ty, is_mutable: true, first: Num::I32(0) });
    }
    let mut element = |_: usize| Some(c.below(count) as u32).filter(|_| !c.chance(15));
    let elements = (0..TABLE_SIZES[0] as usize).map(&mut element).collect();
    let passive = [0, 1].map(|_| (0..PASSIVE_ELEMENTS).map(&mut element).collect());
    let pages = 1 + c.below(2) as u64;
    Plan { functions, globals, pages, elements, passive, types: Types::default() }
}
