//! Types as JSON Schema (draft 2020-12), for what [`print`](super::print) writes.
//!
//! It is written as text and then parsed: code that makes the values one by one takes four times the space in the binary.

use super::print::{NOT_FINITE, escaped};
use crate::abi::component::numbers::range;
use crate::abi::component::omitted::is_option;
use crate::abi::component::out::{NotPrinted, Out};
use crate::module::component::types::{Def, FuncTy, Ty, Types};
use serde_json::Value;

/// Bytes of a schema, at most. What does not fit may be anything. A component names its types as it likes, and a type may be
/// used many times.
const SCHEMA_BYTES_MAX: usize = 64 * 1024;

/// Types nested in each other that a schema has, with up to four arrays and objects each. What is deeper may be anything.
/// Readers of JSON stop at a depth of 128.
const SCHEMA_DEPTH_MAX: u32 = 30;

/// The schema of anything.
const ANYTHING: &str = "true";

const NULL: &str = r#"{"type":"null"}"#;

/// The schema of a type. A type with a resource in it has no values.
pub fn schema(types: &Types, ty: Ty) -> Value {
    whole(types, &mut |schemas| schemas.of(ty))
}

/// The schema of a function's arguments, by the names of its parameters.
pub fn args_schema(types: &Types, func: &FuncTy) -> Value {
    whole(types, &mut |schemas| schemas.record(&func.params))
}

fn whole(types: &Types, write: &mut dyn FnMut(&mut Schemas<'_>) -> Written) -> Value {
    let mut schemas = Schemas { types, out: Out::new(SCHEMA_BYTES_MAX), depth: 0 };
    let text = write(&mut schemas).map(|()| schemas.out.finish());
    text.ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(Value::Bool(true))
}

/// An error is a text that would be too long.
type Written = Result<(), NotPrinted>;

struct Schemas<'a> {
    types: &'a Types,
    out: Out,
    depth: u32,
}

impl Schemas<'_> {
    /// The schema of a type, or of anything if that does not fit.
    fn of(&mut self, ty: Ty) -> Written {
        let begin = self.out.bytes();
        self.depth += 1;
        let written = match self.depth > SCHEMA_DEPTH_MAX {
            true => Err(NotPrinted::TooLong),
            false => self.fitting(ty),
        };
        self.depth -= 1;
        written.or_else(|_| {
            self.out.truncate(begin);
            self.out.push(ANYTHING)
        })
    }

    fn fitting(&mut self, ty: Ty) -> Written {
        if let Some((least, greatest)) = range(ty) {
            return self.out.push(&format!(r#"{{"type":"integer","minimum":{least},"maximum":{greatest}}}"#));
        }
        let Ty::Def(id) = ty else { return self.plain(ty) };
        match self.types.def(id) {
            Def::List(Ty::U8) => self.out.push(r#"{"type":"string","contentEncoding":"base64"}"#),
            Def::List(ty) => {
                self.out.push(r#"{"type":"array","items":"#)?;
                self.of(*ty)?;
                self.out.push("}")
            }
            Def::Tuple(types) => {
                self.out.push(r#"{"type":"array","prefixItems":"#)?;
                self.items(["[", "]"], types.len(), &mut |schemas, at| schemas.of(types[at]))?;
                self.out.push(&format!(r#","items":false,"minItems":{}}}"#, types.len()))
            }
            Def::Record(fields) => self.record(fields),
            Def::Flags(names) => {
                self.out.push(r#"{"type":"array","items":"#)?;
                self.one_of(names.len(), &|at| &names[at])?;
                self.out.push(r#","uniqueItems":true}"#)
            }
            Def::Enum(names) => self.one_of(names.len(), &|at| &names[at]),
            Def::Variant(cases) => self.variant(cases),
            Def::Option(ty) => {
                self.out.push(&format!(r#"{{"anyOf":[{NULL},"#))?;
                match is_option(self.types, *ty) {
                    true => self.case("some", Some(*ty))?,
                    false => self.of(*ty)?,
                }
                self.out.push("]}")
            }
            Def::Result { ok, err } => {
                self.out.push(r#"{"anyOf":["#)?;
                self.case("ok", *ok)?;
                self.out.push(",")?;
                self.case("err", *err)?;
                self.out.push("]}")
            }
            Def::Own(_) | Def::Borrow(_) => self.out.push("false"),
        }
    }

    fn plain(&mut self, ty: Ty) -> Written {
        let [nan, infinity, negative] = NOT_FINITE;
        match ty {
            Ty::Bool => self.out.push(r#"{"type":"boolean"}"#),
            Ty::Char => self.out.push(r#"{"type":"string","minLength":1,"maxLength":1}"#),
            Ty::F32 | Ty::F64 => self.out.push(&format!(
                r#"{{"anyOf":[{{"type":"number"}},{{"enum":["{nan}","{infinity}","{negative}"]}}]}}"#
            )),
            _ => self.out.push(r#"{"type":"string"}"#),
        }
    }

    /// Cases that carry nothing are one list of strings.
    fn variant(&mut self, cases: &[(Box<str>, Option<Ty>)]) -> Written {
        let bare: Vec<&str> = cases.iter().filter(|(_, ty)| ty.is_none()).map(|(name, _)| &**name).collect();
        let full: Vec<_> = cases.iter().filter(|(_, ty)| ty.is_some()).collect();
        self.out.push(r#"{"anyOf":["#)?;
        if !bare.is_empty() {
            self.one_of(bare.len(), &|at| bare[at])?;
            self.out.push(if full.is_empty() { "" } else { "," })?;
        }
        self.items(["", "]}"], full.len(), &mut |schemas, at| schemas.case(&full[at].0, full[at].1))
    }

    /// One of some names.
    fn one_of<'n>(&mut self, count: usize, name: &dyn Fn(usize) -> &'n str) -> Written {
        self.out.push(r#"{"type":"string","enum":"#)?;
        self.items(["[", "]}"], count, &mut |schemas, at| schemas.name(name(at)))
    }

    /// An object with one key.
    fn case(&mut self, name: &str, ty: Option<Ty>) -> Written {
        self.out.push(r#"{"type":"object","properties":{"#)?;
        self.name(name)?;
        self.out.push(":")?;
        match ty {
            Some(ty) => self.of(ty)?,
            None => self.out.push(NULL)?,
        }
        self.out.push(r#"},"required":["#)?;
        self.name(name)?;
        self.out.push(r#"],"additionalProperties":false}"#)
    }

    fn record(&mut self, fields: &[(Box<str>, Ty)]) -> Written {
        self.out.push(r#"{"type":"object","properties":"#)?;
        self.items(["{", "}"], fields.len(), &mut |schemas, at| {
            let (name, ty) = &fields[at];
            schemas.name(name)?;
            schemas.out.push(":")?;
            schemas.of(*ty)
        })?;
        let required: Vec<&str> =
            fields.iter().filter(|(_, ty)| !is_option(self.types, *ty)).map(|(name, _)| &**name).collect();
        self.out.push(r#","required":"#)?;
        self.items(["[", "]"], required.len(), &mut |schemas, at| schemas.name(required[at]))?;
        self.out.push(r#","additionalProperties":false}"#)
    }

    fn items(
        &mut self,
        [open, close]: [&str; 2],
        count: usize,
        item: &mut dyn FnMut(&mut Self, usize) -> Written,
    ) -> Written {
        self.out.push(open)?;
        for at in 0..count {
            self.out.push(if at == 0 { "" } else { "," })?;
            item(self, at)?;
        }
        self.out.push(close)
    }

    fn name(&mut self, name: &str) -> Written {
        self.out.push("\"")?;
        self.out.push_written(name, escaped)?;
        self.out.push("\"")
    }
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
        assert!(text.len() <= SCHEMA_BYTES_MAX && text.starts_with('{') && text.contains("true,true"));
        let enumeration = types.add(Def::Enum(vec![long; 10].into())).unwrap();
        assert_eq!(schema(&types, enumeration), Value::Bool(true));
    }
    #[test]
    fn a_schema_is_not_deeper_than_allowed() {
        let mut types = Types::default();
        let mut ty = Ty::F32;
        for _ in 0..90 {
            ty = types.add(Def::Variant([("a".into(), Some(ty))].into())).unwrap();
        }
        let text = schema(&types, ty).to_string();
        assert_eq!(text.matches("anyOf").count(), 30);
        assert!(text.contains(r#""a":true"#));
    }
}
