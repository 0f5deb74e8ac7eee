//! The places of names in types: fields, cases and flags.

use crate::module::component::types::{Def, DefId, Ty, Types};
use std::collections::HashMap;

/// With so few names, looking at each is the shortest way.
const FEW: usize = 16;

/// Where names are. A type may have ten thousand names, and a text as many of them as it is long.
pub struct Places<'a> {
    types: &'a Types,
    found: HashMap<DefId, HashMap<&'a str, u32>>,
}

impl<'a> Places<'a> {
    /// Of types in `types`.
    pub fn new(types: &'a Types) -> Places<'a> {
        Places { types, found: HashMap::new() }
    }

    /// The place of `name` in the type `id`.
    pub fn find(&mut self, id: DefId, name: &str) -> Option<u32> {
        let def = self.types.def(id);
        if count(def) <= FEW {
            return names(def).position(|other| other == name).map(|place| place as u32);
        }
        let places = self.found.entry(id).or_insert_with(|| names(def).zip(0..).collect());
        places.get(name).copied()
    }
}

fn count(def: &Def) -> usize {
    match def {
        Def::Record(fields) => fields.len(),
        Def::Variant(cases) => cases.len(),
        Def::Flags(names) | Def::Enum(names) => names.len(),
        _ => 0,
    }
}

fn name(def: &Def, place: usize) -> Option<&str> {
    match def {
        Def::Record(fields) => fields.get(place).map(|(name, _)| &**name),
        Def::Variant(cases) => cases.get(place).map(|(name, _)| &**name),
        Def::Flags(names) | Def::Enum(names) => names.get(place).map(|name| &**name),
        _ => None,
    }
}

/// The names in a type, by their places.
pub fn names(def: &Def) -> impl Iterator<Item = &str> {
    (0..count(def)).map_while(|place| name(def, place))
}

/// The name of a case, and what it carries.
pub fn case(def: &Def, place: u32) -> Option<(&str, Option<Ty>)> {
    let place = place as usize;
    match def {
        Def::Variant(cases) => cases.get(place).map(|(name, ty)| (&**name, *ty)),
        Def::Enum(names) => names.get(place).map(|name| (&**name, None)),
        Def::Option(ty) => [("none", None), ("some", Some(*ty))].get(place).copied(),
        Def::Result { ok, err } => [("ok", *ok), ("err", *err)].get(place).copied(),
        _ => None,
    }
}

/// The names of the flags that are set. None if there are bits without a name.
pub fn flags(names: &[Box<str>], bits: u32) -> Option<impl Iterator<Item = &str>> {
    let is_set = move |place: usize| place < 32 && bits >> place & 1 == 1;
    let is_known = (0..32).all(|place| place < names.len() || !is_set(place));
    is_known
        .then(|| names.iter().enumerate().filter(move |(place, _)| is_set(*place)).map(|(_, name)| &**name))
}
