//! Types as JSON Schema (draft 2020-12), for what [`print`](super::print) writes.

use super::NOT_FINITE;
use crate::abi::component::numbers::range;
use crate::abi::component::omitted::is_option;
use crate::module::component::types::{Def, FuncTy, Ty, Types};
use serde_json::Value;

/// About so many bytes are in a schema. What is beyond may be anything.
const SCHEMA_BYTES_MAX: usize = 64 * 1024;

/// Bytes that a schema has beside the names in it.
const NODE_BYTES: usize = 32;

/// The schema of a type. A type with a resource in it has no values.
pub fn schema(types: &Types, ty: Ty) -> Value {
    Schemas { types, left: SCHEMA_BYTES_MAX }.of(ty)
}

/// The schema of a function's arguments, by the names of its parameters.
pub fn args_schema(types: &Types, func: &FuncTy) -> Value {
    Schemas { types, left: SCHEMA_BYTES_MAX }.record(&func.params)
}

struct Schemas<'a> {
    types: &'a Types,
    /// Bytes that are left. A component names its types as it likes, and a type may be used many times.
    left: usize,
}

impl Schemas<'_> {
    /// Whether there is room for a schema with this name.
    fn takes(&mut self, name: &str) -> bool {
        let bytes = name.len() + NODE_BYTES;
        let has_room = bytes <= self.left;
        self.left = self.left.saturating_sub(bytes);
        has_room
    }

    fn of(&mut self, ty: Ty) -> Value {
        if !self.takes("") {
            return true.into();
        }
        if let Some((least, greatest)) = range(ty) {
            let (least, greatest) = (least as i64, greatest as u64);
            return object([
                ("type", "integer".into()),
                ("minimum", least.into()),
                ("maximum", greatest.into()),
            ]);
        }
        let Ty::Def(id) = ty else { return plain(ty) };
        match self.types.def(id) {
            Def::List(Ty::U8) => object([("type", "string".into()), ("contentEncoding", "base64".into())]),
            Def::List(ty) => object([("type", "array".into()), ("items", self.of(*ty))]),
            Def::Tuple(types) => {
                let items: Vec<Value> = types.iter().map(|ty| self.of(*ty)).collect();
                let count = types.len();
                object([
                    ("type", "array".into()),
                    ("prefixItems", items.into()),
                    ("items", false.into()),
                    ("minItems", count.into()),
                ])
            }
            Def::Record(fields) => self.record(fields),
            Def::Flags(names) => object([
                ("type", "array".into()),
                ("items", self.one_of(&mut names.iter().map(|name| &**name))),
                ("uniqueItems", true.into()),
            ]),
            Def::Enum(names) => self.one_of(&mut names.iter().map(|name| &**name)),
            Def::Variant(cases) => {
                let mut bare =
                    cases.iter().filter(|(_, ty)| ty.is_none()).map(|(name, _)| &**name).peekable();
                let mut all = Vec::new();
                if bare.peek().is_some() {
                    all.push(self.one_of(&mut bare));
                }
                all.extend(cases.iter().filter_map(|(name, ty)| Some(self.case(name, Some((*ty)?)))));
                any(all)
            }
            Def::Option(ty) if is_option(self.types, *ty) => any(vec![null(), self.case("some", Some(*ty))]),
            Def::Option(ty) => any(vec![null(), self.of(*ty)]),
            Def::Result { ok, err } => any(vec![self.case("ok", *ok), self.case("err", *err)]),
            Def::Own(_) | Def::Borrow(_) => false.into(),
        }
    }

    /// One of some names.
    fn one_of(&mut self, names: &mut dyn Iterator<Item = &str>) -> Value {
        let mut shown: Vec<Value> = Vec::new();
        for name in names {
            if !self.takes(name) {
                return true.into();
            }
            shown.push(name.into());
        }
        object([("type", "string".into()), ("enum", shown.into())])
    }

    /// An object with one key.
    fn case(&mut self, name: &str, ty: Option<Ty>) -> Value {
        if !self.takes(name) {
            return true.into();
        }
        let carried = ty.map_or_else(null, |ty| self.of(ty));
        closed(vec![(name.into(), carried)], vec![name.into()])
    }

    fn record(&mut self, fields: &[(Box<str>, Ty)]) -> Value {
        let (mut properties, mut required) = (Vec::new(), Vec::new());
        for (name, ty) in fields {
            if !self.takes(name) {
                return true.into();
            }
            if !is_option(self.types, *ty) {
                required.push(Value::from(&**name));
            }
            properties.push((String::from(&**name), self.of(*ty)));
        }
        closed(properties, required)
    }
}

fn plain(ty: Ty) -> Value {
    match ty {
        Ty::Bool => object([("type", "boolean".into())]),
        Ty::Char => object([("type", "string".into()), ("minLength", 1.into()), ("maxLength", 1.into())]),
        Ty::F32 | Ty::F64 => {
            let texts: Vec<Value> = NOT_FINITE.into_iter().map(Value::from).collect();
            any(vec![object([("type", "number".into())]), object([("enum", texts.into())])])
        }
        _ => object([("type", "string".into())]),
    }
}

fn null() -> Value {
    object([("type", "null".into())])
}

fn any(schemas: Vec<Value>) -> Value {
    object([("anyOf", schemas.into())])
}

/// An object with these properties and no others.
fn closed(properties: Vec<(String, Value)>, required: Vec<Value>) -> Value {
    object([
        ("type", "object".into()),
        ("properties", Value::Object(properties.into_iter().collect())),
        ("required", required.into()),
        ("additionalProperties", false.into()),
    ])
}

fn object<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    Value::Object(pairs.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn schemas_of_types() {
        let mut types = Types::default();
        let mut def = |def| types.add(def).unwrap();
        let option = def(Def::Option(Ty::Bool));
        let options = def(Def::Option(option));
        let bytes = def(Def::List(Ty::U8));
        let list = def(Def::List(Ty::Char));
        let tuple = def(Def::Tuple([Ty::String, Ty::F32].into()));
        let flags = def(Def::Flags(["a".into(), "b".into()].into()));
        let variant =
            def(Def::Variant([("x".into(), None), ("y".into(), Some(Ty::S8)), ("z".into(), None)].into()));
        let result = def(Def::Result { ok: None, err: Some(Ty::U64) });
        let record = def(Def::Record([("a".into(), option), ("b".into(), flags)].into()));
        let own = def(Def::Own(crate::module::component::types::ResourceId(0)));
        let boolean = json!({"type": "boolean"});
        let optional = json!({"anyOf": [{"type": "null"}, boolean]});
        let object = |key: &str, value: Value| json!({"type": "object", "properties": {key: value}, "required": [key], "additionalProperties": false});
        let letters =
            json!({"type": "array", "items": {"type": "string", "enum": ["a", "b"]}, "uniqueItems": true});
        let float = json!({"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]});
        for (ty, expected) in [
            (Ty::S64, json!({"type": "integer", "minimum": i64::MIN, "maximum": i64::MAX})),
            (Ty::U64, json!({"type": "integer", "minimum": 0, "maximum": u64::MAX})),
            (option, optional.clone()),
            (options, json!({"anyOf": [{"type": "null"}, object("some", optional.clone())]})),
            (bytes, json!({"type": "string", "contentEncoding": "base64"})),
            (list, json!({"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 1}})),
            (
                tuple,
                json!({"type": "array", "prefixItems": [{"type": "string"}, float], "items": false, "minItems": 2}),
            ),
            (flags, letters.clone()),
            (
                variant,
                json!({"anyOf": [
                    {"type": "string", "enum": ["x", "z"]},
                    object("y", json!({"type": "integer", "minimum": -128, "maximum": 127})),
                ]}),
            ),
            (
                result,
                json!({"anyOf": [
                    object("ok", json!({"type": "null"})),
                    object("err", json!({"type": "integer", "minimum": 0, "maximum": u64::MAX})),
                ]}),
            ),
            (
                record,
                json!({
                    "type": "object", "properties": {"a": optional, "b": letters},
                    "required": ["b"], "additionalProperties": false,
                }),
            ),
            (own, json!(false)),
        ] {
            assert_eq!(schema(&types, ty), expected);
        }
        let func = FuncTy { params: [("p".into(), Ty::Bool)].into(), result: None };
        assert_eq!(args_schema(&types, &func), object("p", boolean));
    }

    #[test]
    fn a_schema_is_not_much_longer_than_allowed() {
        let mut types = Types::default();
        let long: Box<str> = "a".repeat(10_000).into();
        let inner = types.add(Def::Record([(long.clone(), Ty::U8)].into())).unwrap();
        let names = |ty| Def::Tuple(vec![ty; 1000].into());
        let tuple = types.add(names(inner)).unwrap();
        let text = schema(&types, tuple).to_string();
        assert!(text.len() < 8 * SCHEMA_BYTES_MAX, "{}", text.len());
        let enumeration = types.add(Def::Enum(vec![long; 10].into())).unwrap();
        assert_eq!(schema(&types, enumeration), Value::Bool(true));
    }
}
