//! Types as WIT, for listings.
//!
//! A type without a name is written where it is used: `record { a: u32 }`. WIT itself has no such form for records,
//! variants, enums and flags; people can read it.

use crate::base::escape::cut;
use crate::module::component::types::{Def, DefId, FuncTy, ResourceId, Ty, Types};
use std::collections::HashMap;

/// Prints types.
pub struct WitText<'a> {
    /// Where they are.
    pub types: &'a Types,
    /// Those that have names.
    pub names: &'a HashMap<DefId, String>,
    /// What resources are called.
    pub resource_name: &'a dyn Fn(ResourceId) -> String,
    /// The most bytes of a text. A longer one is cut, with an ellipsis: a component names its types as it likes, and a type
    /// may be used many times.
    pub most: usize,
}

impl WitText<'_> {
    /// `func(name: string) -> u32`.
    pub fn func(&self, func: &FuncTy) -> String {
        let mut out = String::from("func");
        let params = func.params.iter().map(|(name, ty)| (&**name, Some(*ty)));
        self.push_items(params, ["(", ": ", "", ")"], &mut out);
        if let Some(ty) = func.result {
            out.push_str(" -> ");
            self.push(ty, &mut out);
        }
        cut(&out, self.most)
    }

    /// A type: its name, if it has one, or what it is made of.
    pub fn ty(&self, ty: Ty) -> String {
        let mut out = String::new();
        self.push(ty, &mut out);
        cut(&out, self.most)
    }

    /// What a type with a name is made of.
    pub fn definition(&self, id: DefId) -> String {
        let mut out = String::new();
        self.push_def(self.types.def(id), &mut out);
        cut(&out, self.most)
    }

    fn push(&self, ty: Ty, out: &mut String) {
        match ty {
            // It will be cut.
            _ if out.len() > self.most => {}
            Ty::Def(id) => match self.names.get(&id) {
                Some(name) => push_name(name, out),
                None => self.push_def(self.types.def(id), out),
            },
            _ => out.push_str(plain(ty)),
        }
    }

    fn push_def(&self, def: &Def, out: &mut String) {
        match def {
            Def::Record(fields) => {
                out.push_str("record");
                let fields = fields.iter().map(|(name, ty)| (&**name, Some(*ty)));
                self.push_items(fields, [" { ", ": ", "", " }"], out);
            }
            Def::Variant(cases) => {
                out.push_str("variant");
                let cases = cases.iter().map(|(name, ty)| (&**name, *ty));
                self.push_items(cases, [" { ", "(", ")", " }"], out);
            }
            Def::Flags(names) | Def::Enum(names) => {
                out.push_str(if matches!(def, Def::Flags(_)) { "flags" } else { "enum" });
                let names = names.iter().map(|name| (&**name, None));
                self.push_items(names, [" { ", "", "", " }"], out);
            }
            Def::List(ty) => self.push_generic("list", [Some(*ty)].into_iter(), out),
            Def::Option(ty) => self.push_generic("option", [Some(*ty)].into_iter(), out),
            Def::Tuple(types) => self.push_generic("tuple", types.iter().copied().map(Some), out),
            Def::Result { ok: None, err: None } => out.push_str("result"),
            Def::Result { ok, err: None } => self.push_generic("result", [*ok].into_iter(), out),
            Def::Result { ok, err } => self.push_generic("result", [*ok, *err].into_iter(), out),
            Def::Own(id) => self.push_handle("own", *id, out),
            Def::Borrow(id) => self.push_handle("borrow", *id, out),
        }
    }

    /// Names with or without types, between `open` and `close`; `before` and `after` stand around each type.
    fn push_items<'n>(
        &self,
        items: impl Iterator<Item = (&'n str, Option<Ty>)>,
        [open, before, after, close]: [&str; 4],
        out: &mut String,
    ) {
        out.push_str(open);
        for (i, (name, ty)) in items.enumerate() {
            if out.len() > self.most {
                return;
            }
            out.push_str(if i == 0 { "" } else { ", " });
            push_name(name, out);
            if let Some(ty) = ty {
                out.push_str(before);
                self.push(ty, out);
                out.push_str(after);
            }
        }
        out.push_str(close);
    }

    fn push_generic(&self, name: &str, types: impl Iterator<Item = Option<Ty>>, out: &mut String) {
        out.push_str(name);
        for (i, ty) in types.enumerate() {
            out.push_str(if i == 0 { "<" } else { ", " });
            match ty {
                Some(ty) => self.push(ty, out),
                None => out.push('_'),
            }
        }
        out.push('>');
    }

    fn push_handle(&self, kind: &str, id: ResourceId, out: &mut String) {
        out.push_str(kind);
        out.push('<');
        push_name(&(self.resource_name)(id), out);
        out.push('>');
    }
}

/// What a type that is not in [`Types`] is called.
pub fn plain(ty: Ty) -> &'static str {
    match ty {
        Ty::Bool => "bool",
        Ty::S8 => "s8",
        Ty::U8 => "u8",
        Ty::S16 => "s16",
        Ty::U16 => "u16",
        Ty::S32 => "s32",
        Ty::U32 => "u32",
        Ty::S64 => "s64",
        Ty::U64 => "u64",
        Ty::F32 => "f32",
        Ty::F64 => "f64",
        Ty::Char => "char",
        Ty::String => "string",
        Ty::Def(_) => "a compound type",
    }
}

/// What kind of type it is, for messages: `u8`, `record`, `list`.
pub fn kind(types: &Types, ty: Ty) -> &'static str {
    let Ty::Def(id) = ty else { return plain(ty) };
    match types.def(id) {
        Def::Record(_) => "record",
        Def::Variant(_) => "variant",
        Def::List(_) => "list",
        Def::Tuple(_) => "tuple",
        Def::Flags(_) => "flags",
        Def::Enum(_) => "enum",
        Def::Option(_) => "option",
        Def::Result { .. } => "result",
        Def::Own(_) => "own",
        Def::Borrow(_) => "borrow",
    }
}

/// Words of WIT, which stand for themselves only with a `%` (`WIT.md`, "Keywords").
const KEYWORDS: [&str; 43] = [
    "as",
    "async",
    "bool",
    "borrow",
    "char",
    "constructor",
    "enum",
    "error-context",
    "export",
    "f32",
    "f64",
    "flags",
    "from",
    "func",
    "future",
    "import",
    "include",
    "interface",
    "list",
    "map",
    "option",
    "own",
    "package",
    "record",
    "resource",
    "result",
    "s16",
    "s32",
    "s64",
    "s8",
    "static",
    "stream",
    "string",
    "tuple",
    "type",
    "u16",
    "u32",
    "u64",
    "u8",
    "use",
    "variant",
    "with",
    "world",
];

fn push_name(name: &str, out: &mut String) {
    if KEYWORDS.contains(&name) {
        out.push('%');
    }
    out.push_str(name);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn def(types: &mut Types, def: Def) -> (Ty, DefId) {
        match types.add(def).unwrap() {
            Ty::Def(id) => (Ty::Def(id), id),
            ty => panic!("{ty:?}"),
        }
    }

    #[test]
    fn types_are_printed_as_wit_has_them() {
        let mut types = Types::default();
        let (list, _) = def(&mut types, Def::List(Ty::U8));
        let (record, record_id) =
            def(&mut types, Def::Record([("a".into(), Ty::U32), ("type".into(), list)].into()));
        let (option, _) = def(&mut types, Def::Option(record));
        let (own, _) = def(&mut types, Def::Own(ResourceId(7)));
        let (borrow, _) = def(&mut types, Def::Borrow(ResourceId(8)));
        let (variant, _) =
            def(&mut types, Def::Variant([("none".into(), None), ("some".into(), Some(own))].into()));
        let (tuple, _) = def(&mut types, Def::Tuple([Ty::Char, Ty::String].into()));
        let (flags, _) = def(&mut types, Def::Flags(["read".into(), "use".into()].into()));
        let (enumeration, _) = def(&mut types, Def::Enum(["x".into()].into()));
        let mut result = |ok, err| def(&mut types, Def::Result { ok, err }).0;
        let results = [
            result(None, None),
            result(Some(tuple), None),
            result(None, Some(flags)),
            result(Some(option), Some(variant)),
        ];
        let mut names = HashMap::new();
        let resource_name = |id: ResourceId| format!("r{}", id.0);
        let text = WitText { types: &types, names: &names, resource_name: &resource_name, most: 1000 };
        let found = results.map(|ty| text.ty(ty));
        assert_eq!(found[0], "result");
        assert_eq!(found[1], "result<tuple<char, string>>");
        assert_eq!(found[2], "result<_, flags { read, %use }>");
        let inline = "record { a: u32, %type: list<u8> }";
        assert_eq!(found[3], format!("result<option<{inline}>, variant {{ none, some(own<r7>) }}>"));
        names.insert(record_id, "stat".into());
        let text = WitText { types: &types, names: &names, resource_name: &resource_name, most: 1000 };
        let params = [("self".into(), borrow), ("x".into(), option), ("enum".into(), enumeration)];
        let func = FuncTy { params: params.into(), result: Some(Ty::F64) };
        let expected = "func(self: borrow<r8>, x: option<stat>, %enum: enum { x }) -> f64";
        assert_eq!(text.func(&func), expected);
        assert_eq!(text.func(&FuncTy { params: [].into(), result: None }), "func()");
        assert_eq!(text.definition(record_id), inline);
        let text = WitText { most: 10, ..text };
        assert_eq!(text.func(&func), "func(self:…");
    }
}
