//! Types of the component model, resolved: what a value looks like, and how it lies in memory.
//!
//! Sources: Component Model, `Explainer.md` (type definitions) and `CanonicalABI.md` (alignment, size, flattening).

use crate::base::error::LoadProblem;
use crate::base::limits::{COMPONENT_TYPE_DEPTH_MAX, COMPONENT_TYPE_NODES_MAX, COMPONENT_TYPES_MAX};
use std::collections::HashMap;

/// A type of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Ty {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    F32,
    F64,
    Char,
    String,
    /// A type of [`Types`].
    Def(DefId),
}

/// A place in [`Types`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DefId(u32);

/// A resource type of a component: generative, so each instantiation of the component that defines it makes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceId(pub u32);

impl ResourceId {
    /// Of a handle that the host has made: whatever type the place it goes to has.
    pub const HOST: ResourceId = ResourceId(u32::MAX);
}

/// A compound type. Two types with the same content have the same [`DefId`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Def {
    Record(Box<[(Box<str>, Ty)]>),
    Variant(Box<[(Box<str>, Option<Ty>)]>),
    List(Ty),
    Tuple(Box<[Ty]>),
    Flags(Box<[Box<str>]>),
    Enum(Box<[Box<str>]>),
    Option(Ty),
    Result { ok: Option<Ty>, err: Option<Ty> },
    Own(ResourceId),
    Borrow(ResourceId),
}

/// A type of functions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FuncTy {
    /// Names and types of the parameters.
    pub params: Box<[(Box<str>, Ty)]>,
    /// The type of the result.
    pub result: Option<Ty>,
}

/// A type of core values (`CanonicalABI.md`, "Flattening").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Flat {
    I32,
    I64,
    F32,
    F64,
}

/// How a type lies in memory, and how large it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Bytes in memory, a multiple of the alignment.
    pub size: u32,
    /// The alignment in bytes: 1, 2, 4 or 8.
    pub align: u32,
    /// The number of core values, if it has at most [`FLAT_MAX`]; or else one more.
    pub flat: u8,
    /// Types within it, each counted as often as it occurs.
    pub nodes: u32,
    /// How deep types are nested in it.
    pub depth: u32,
    /// Whether a value of it may have a handle, borrowed or owned.
    pub has_handle: bool,
    /// Where the payload begins, of a type with cases, in bytes from the start of the value.
    pub payload_at: u32,
}

/// Core values of the parameters of a function that are passed as such (`MAX_FLAT_PARAMS`).
pub const FLAT_MAX: u8 = 16;

#[derive(Debug)]
struct Known {
    def: Def,
    shape: Shape,
    /// Its core types, if it has at most [`FLAT_MAX`].
    flat: Box<[Flat]>,
}

/// Types by their place. Equal types have equal places.
#[derive(Debug, Default)]
pub struct Types {
    defs: Vec<Known>,
    places: HashMap<Def, DefId>,
}

/// Bytes of the discriminant of a variant with so many cases: 1, 2 or 4.
pub fn discriminant_bytes(cases: usize) -> u32 {
    match cases {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    }
}

/// The core type that holds either (`join` in `CanonicalABI.md`).
pub fn join(a: Flat, b: Flat) -> Flat {
    match (a, b) {
        _ if a == b => a,
        (Flat::I32, Flat::F32) | (Flat::F32, Flat::I32) => Flat::I32,
        _ => Flat::I64,
    }
}

impl Def {
    /// The number of its cases, of a variant, enum, option or result.
    pub fn cases(&self) -> usize {
        match self {
            Def::Variant(cases) => cases.len(),
            Def::Enum(names) => names.len(),
            Def::Option(_) | Def::Result { .. } => 2,
            _ => 0,
        }
    }

    /// What a case carries. None if there is no such case.
    pub fn payload(&self, case: u32) -> Option<Option<Ty>> {
        let case = case as usize;
        match self {
            Def::Variant(cases) => cases.get(case).map(|(_, ty)| *ty),
            Def::Enum(names) => names.get(case).map(|_| None),
            Def::Option(ty) => [None, Some(*ty)].get(case).copied(),
            Def::Result { ok, err } => [*ok, *err].get(case).copied(),
            _ => None,
        }
    }

    /// What its cases carry that carry something.
    fn payloads(&self) -> impl Iterator<Item = Ty> {
        (0..self.cases() as u32).filter_map(|case| self.payload(case).flatten())
    }

    /// Its parts: fields, cases, flags, types.
    pub fn parts(&self) -> usize {
        match self {
            Def::Record(fields) => fields.len(),
            Def::Variant(cases) => cases.len(),
            Def::Flags(names) | Def::Enum(names) => names.len(),
            Def::Tuple(types) => types.len(),
            Def::List(_) | Def::Option(_) | Def::Result { .. } | Def::Own(_) | Def::Borrow(_) => 1,
        }
    }
}

impl Types {
    /// The place of `def`.
    ///
    /// # Errors
    /// It is too large or nested too deeply, or there are too many types.
    pub fn add(&mut self, def: Def) -> Result<Ty, LoadProblem> {
        if let Some(id) = self.places.get(&def) {
            return Ok(Ty::Def(*id));
        }
        let too = |what: &str, count: usize, max: usize| {
            Err(LoadProblem::Invalid(format!("{count} {what}, more than the {max} supported")))
        };
        let shape = self.shape_of(&def);
        if self.defs.len() >= COMPONENT_TYPES_MAX {
            return too("types of a component", self.defs.len() + 1, COMPONENT_TYPES_MAX);
        }
        if shape.nodes > COMPONENT_TYPE_NODES_MAX {
            return too("types within one type", shape.nodes as usize, COMPONENT_TYPE_NODES_MAX as usize);
        }
        if shape.depth > COMPONENT_TYPE_DEPTH_MAX {
            return too(
                "types nested in each other",
                shape.depth as usize,
                COMPONENT_TYPE_DEPTH_MAX as usize,
            );
        }
        let id = DefId(self.defs.len() as u32);
        self.places.insert(def.clone(), id);
        let flat = if shape.flat > FLAT_MAX { Vec::new() } else { self.flat_of(&def) };
        self.defs.push(Known { def, shape, flat: flat.into() });
        Ok(Ty::Def(id))
    }

    /// What is at this place.
    pub fn def(&self, id: DefId) -> &Def {
        &self.defs[id.0 as usize].def
    }

    /// How a type lies in memory.
    pub fn shape(&self, ty: Ty) -> Shape {
        let plain =
            |size| Shape { size, align: size, flat: 1, nodes: 1, depth: 1, has_handle: false, payload_at: 0 };
        match ty {
            Ty::Bool | Ty::S8 | Ty::U8 => plain(1),
            Ty::S16 | Ty::U16 => plain(2),
            Ty::S32 | Ty::U32 | Ty::F32 | Ty::Char => plain(4),
            Ty::S64 | Ty::U64 | Ty::F64 => plain(8),
            Ty::String => Shape { align: 4, flat: 2, ..plain(8) },
            Ty::Def(id) => self.defs[id.0 as usize].shape,
        }
    }

    fn shape_of(&self, def: &Def) -> Shape {
        match def {
            Def::Record(fields) => self.together(fields.iter().map(|(_, ty)| *ty)),
            Def::Tuple(types) => self.together(types.iter().copied()),
            Def::Variant(_) | Def::Enum(_) | Def::Option(_) | Def::Result { .. } => self.sum(def),
            Def::Flags(names) => {
                let mut shape = self.shape(match names.len() {
                    0..=8 => Ty::U8,
                    9..=16 => Ty::U16,
                    _ => Ty::U32,
                });
                shape.nodes = (names.len() as u32).max(1);
                shape
            }
            Def::List(ty) => {
                let inner = self.shape(*ty);
                Shape {
                    nodes: inner.nodes.saturating_add(1),
                    depth: inner.depth + 1,
                    has_handle: inner.has_handle,
                    ..self.shape(Ty::String)
                }
            }
            Def::Own(_) | Def::Borrow(_) => Shape { has_handle: true, ..self.shape(Ty::U32) },
        }
    }

    /// How values of these types lie in memory one after the other, as in a tuple.
    pub fn together(&self, types: impl Iterator<Item = Ty>) -> Shape {
        let mut all =
            Shape { size: 0, align: 1, flat: 0, nodes: 1, depth: 0, has_handle: false, payload_at: 0 };
        for ty in types {
            let shape = self.shape(ty);
            all.size = all.size.next_multiple_of(shape.align).saturating_add(shape.size);
            all.align = all.align.max(shape.align);
            all.flat = (all.flat + shape.flat).min(FLAT_MAX + 1);
            all.take(&shape);
        }
        Shape { size: all.size.next_multiple_of(all.align), depth: all.depth + 1, ..all }
    }

    /// How a type with cases lies in memory.
    fn sum(&self, def: &Def) -> Shape {
        let cases = def.cases();
        let discriminant = discriminant_bytes(cases);
        let mut all = Shape {
            size: 0,
            align: discriminant,
            flat: 0,
            nodes: cases as u32,
            depth: 0,
            has_handle: false,
            payload_at: 0,
        };
        let mut payload_align = 1;
        for ty in def.payloads() {
            let shape = self.shape(ty);
            all.size = all.size.max(shape.size);
            payload_align = payload_align.max(shape.align);
            all.flat = all.flat.max(shape.flat);
            all.take(&shape);
        }
        all.align = all.align.max(payload_align);
        all.flat = (all.flat + 1).min(FLAT_MAX + 1);
        let payload_at = discriminant.next_multiple_of(payload_align);
        let size = payload_at.saturating_add(all.size).next_multiple_of(all.align);
        Shape { size, depth: all.depth + 1, payload_at, ..all }
    }

    /// Appends the core types of a value of type `ty`, which has at most [`FLAT_MAX`].
    pub fn flatten(&self, ty: Ty, out: &mut Vec<Flat>) {
        match ty {
            Ty::S64 | Ty::U64 => out.push(Flat::I64),
            Ty::F32 => out.push(Flat::F32),
            Ty::F64 => out.push(Flat::F64),
            Ty::String => out.extend([Flat::I32, Flat::I32]),
            Ty::Def(id) => out.extend(&self.defs[id.0 as usize].flat),
            _ => out.push(Flat::I32),
        }
    }

    fn flat_of(&self, def: &Def) -> Vec<Flat> {
        let mut out = Vec::new();
        match def {
            Def::Record(fields) => fields.iter().for_each(|(_, ty)| self.flatten(*ty, &mut out)),
            Def::Tuple(types) => types.iter().for_each(|ty| self.flatten(*ty, &mut out)),
            Def::List(_) => out.extend([Flat::I32, Flat::I32]),
            Def::Variant(_) | Def::Enum(_) | Def::Option(_) | Def::Result { .. } => {
                self.flatten_cases(def.payloads(), &mut out);
            }
            Def::Flags(_) | Def::Own(_) | Def::Borrow(_) => out.push(Flat::I32),
        }
        out
    }

    fn flatten_cases(&self, payloads: impl Iterator<Item = Ty>, out: &mut Vec<Flat>) {
        out.push(Flat::I32);
        let mut flat = Vec::new();
        for ty in payloads {
            flat.clear();
            self.flatten(ty, &mut flat);
            for (i, ty) in flat.iter().enumerate() {
                match out.get_mut(i + 1) {
                    Some(slot) => *slot = join(*slot, *ty),
                    None => out.push(*ty),
                }
            }
        }
    }
}

impl Shape {
    /// Counts what is within it.
    fn take(&mut self, inner: &Shape) {
        self.nodes = self.nodes.saturating_add(inner.nodes);
        self.depth = self.depth.max(inner.depth);
        self.has_handle |= inner.has_handle;
    }
}
