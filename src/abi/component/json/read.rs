//! Reads values from JSON.
//!
//! `serde_json` reads numbers to the next but one float, takes the last of two equal keys, and knows no type: its values
//! would be read once more. So this reads by the type, at once.

use super::print::NOT_FINITE;
use super::reader::{Reader, Step, Wrong};
use crate::abi::component::numbers;
use crate::abi::component::omitted::{is_option, shown};
use crate::abi::component::out::HANDLE;
use crate::abi::component::places::case;
use crate::base::base64;
use crate::base::error::Names;
use crate::base::heap;
use crate::host::component::value::Value;
use crate::module::component::types::{Def, DefId, FuncTy, Ty, Types};
use crate::module::component::wit_text::kind;
use std::collections::HashMap;

/// The value of type `ty` that `text` is.
///
/// # Errors
/// It is none: where not (`$.a[2]`), what was expected there, and what was found.
#[cfg(test)]
pub fn parse(types: &Types, ty: Ty, text: &str) -> Result<Value, String> {
    Reader::new(types, text).whole(&mut |reader| reader.value(ty))
}

/// Values that a list has room for at first.
const FEW_VALUES: usize = 4;

/// The arguments for a function of type `func`: an object by the names of the parameters, or an array. Options may be left
/// out, in an array only the last ones. If all may be left out, so may the whole text.
///
/// # Errors
/// As [`parse`].
pub fn args(types: &Types, func: &FuncTy, text: &str) -> Result<Vec<Value>, String> {
    Reader::new(types, text).whole(&mut |reader| reader.args(&func.params))
}

impl Reader<'_> {
    /// Adds a value to those of a list, if the system has memory for it.
    fn keep(&mut self, values: &mut Vec<Value>, value: Value) -> Result<(), Wrong> {
        if values.len() == values.capacity() {
            let more = values.len().max(FEW_VALUES);
            let room = heap::check((values.len() + more) * size_of::<Value>());
            if room.is_err() || values.try_reserve_exact(more).is_err() {
                return Err((self.text.at(), heap::NoMemory.to_string()));
            }
        }
        values.push(value);
        Ok(())
    }

    fn value(&mut self, ty: Ty) -> Result<Value, Wrong> {
        self.text.space();
        let at = self.text.at();
        self.small.take(size_of::<Value>()).map_err(|error| (at, error.to_string()))?;
        let Ty::Def(id) = ty else { return self.plain(ty) };
        let def = self.types.def(id);
        match def {
            Def::List(Ty::U8) => self.bytes(),
            Def::List(ty) => {
                let mut values = Vec::new();
                self.array("an array", &mut |reader, _| {
                    let value = reader.value(*ty)?;
                    reader.keep(&mut values, value)
                })?;
                Ok(Value::List(values))
            }
            Def::Tuple(types) => {
                let mut values = Vec::new();
                self.array("an array", &mut |reader, place| match types.get(place) {
                    Some(ty) => {
                        values.push(reader.value(*ty)?);
                        Ok(())
                    }
                    None => reader.wrong("the end of the array"),
                })?;
                match values.len() == types.len() {
                    true => Ok(Value::Record(values)),
                    false => self.wrong_at(at, &format!("an array of {} values", types.len())),
                }
            }
            Def::Record(fields) => {
                let mut given = vec![None; fields.len()];
                self.object("an object", &mut |reader, at, key| match reader.places.find(id, &key) {
                    Some(place) => {
                        reader.field((at, key), &fields[place as usize], &mut given[place as usize])
                    }
                    None => reader.unknown(at, id, "a field"),
                })?;
                self.complete(at, fields, given).map(Value::Record)
            }
            Def::Flags(_) => self.flags(id),
            Def::Enum(_) | Def::Variant(_) => self.case(id, def),
            Def::Option(inner) => {
                if self.text.eat("null") {
                    return Ok(Value::NONE);
                }
                match is_option(self.types, *inner) {
                    true => self.only(id, "`null` or {\"some\": ...}"),
                    false => self.value(*inner).map(Value::some),
                }
            }
            Def::Result { .. } => self.only(id, "{\"ok\": ...} or {\"err\": ...}"),
            Def::Own(_) | Def::Borrow(_) => Err((at, HANDLE.into())),
        }
    }

    fn plain(&mut self, ty: Ty) -> Result<Value, Wrong> {
        let at = self.text.at();
        let is_quoted = self.text.peek() == Some(b'"');
        let value = match ty {
            Ty::String if is_quoted => return self.string("a string").map(Value::String),
            Ty::Char if is_quoted => {
                let text = self.string("a string")?;
                let mut chars = text.chars();
                chars.next().filter(|_| chars.next().is_none()).map(Value::Char)
            }
            // Numbers of JavaScript are exact up to 2^53 only.
            Ty::S64 | Ty::U64 if is_quoted => numbers::integer(ty, &self.string("a string")?),
            Ty::F32 | Ty::F64 if is_quoted => {
                let text = self.string("a string")?;
                let numbers = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
                let place = NOT_FINITE.iter().position(|other| *other == text);
                place.and_then(|place| numbers::special(ty, numbers[place]))
            }
            _ => {
                let word = self.text.run(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
                match (ty, word) {
                    (Ty::Bool, "true") => Some(Value::Bool(true)),
                    (Ty::Bool, "false") => Some(Value::Bool(false)),
                    _ => numbers::integer(ty, word).or_else(|| numbers::float(ty, word)),
                }
            }
        };
        value.ok_or(()).or_else(|()| {
            let expected = match ty {
                Ty::Char => "a string of one character".into(),
                Ty::F32 | Ty::F64 => {
                    format!("a number ({}), or {}", kind(self.types, ty), NOT_FINITE.join(", "))
                }
                _ => numbers::taken(ty, kind(self.types, ty)),
            };
            self.wrong_at(at, &expected)
        })
    }

    /// A `list<u8>`: base64, or an array.
    fn bytes(&mut self) -> Result<Value, Wrong> {
        let at = self.text.at();
        if self.text.peek() == Some(b'"') {
            let text = self.string("a string")?;
            let bytes = base64::decode(&text).map(Value::Bytes);
            return bytes.ok_or_else(|| (at, "expected base64 with padding (RFC 4648, section 4)".into()));
        }
        let mut bytes = Vec::new();
        self.array("base64, or an array of bytes", &mut |reader, _| {
            if let Value::U8(byte) = reader.value(Ty::U8)? {
                bytes.push(byte);
            }
            Ok(())
        })?;
        Ok(Value::Bytes(bytes))
    }

    fn flags(&mut self, id: DefId) -> Result<Value, Wrong> {
        let mut bits = 0;
        self.array("an array of flags", &mut |reader, _| {
            let at = reader.text.at();
            let name = reader.string("a flag")?;
            let Some(place) = reader.places.find(id, &name) else { return reader.unknown(at, id, "a flag") };
            let bit = 1u32.checked_shl(place).unwrap_or_default();
            if bits & bit != 0 {
                return Err((at, "it is there twice".into()));
            }
            bits |= bit;
            Ok(())
        })?;
        Ok(Value::Flags(bits))
    }

    /// A case: a string, or an object if it carries something.
    fn case(&mut self, id: DefId, def: &Def) -> Result<Value, Wrong> {
        let at = self.text.at();
        match self.text.peek() {
            Some(b'{') if matches!(def, Def::Variant(_)) => return self.only(id, "a case"),
            Some(b'"') => {}
            _ => return self.unknown(at, id, "a case"),
        }
        let name = self.string("a case")?;
        match self.places.find(id, &name).map(|place| (place, case(def, place))) {
            Some((_, Some((_, Some(_))))) => {
                let name = shown(&name);
                Err((at, format!("the case `{name}` carries a value: {{\"{name}\": ...}}")))
            }
            Some((place, _)) => Ok(Value::case(place)),
            None => self.unknown(at, id, "a case"),
        }
    }

    /// An object with one key: a case and what it carries.
    fn only(&mut self, id: DefId, expected: &str) -> Result<Value, Wrong> {
        let (begin, def) = (self.text.at(), self.types.def(id));
        let mut found = None;
        self.object(expected, &mut |reader, at, key| {
            if found.is_some() {
                return reader.wrong_at(at, "one key only");
            }
            let place = match def {
                Def::Variant(_) => reader.places.find(id, &key),
                _ => (0..2).find(|place| case(def, *place).is_some_and(|(name, _)| name == key)),
            };
            found = Some(match (def, place, place.and_then(|place| case(def, place))) {
                (Def::Variant(_), None, _) => return reader.unknown(at, id, "a case"),
                (Def::Variant(_), _, Some((name, None))) => {
                    let name = shown(name);
                    return Err((at, format!("the case `{name}` carries no value: \"{name}\"")));
                }
                (_, Some(place), Some((_, Some(ty)))) => {
                    Value::Variant(place, Some(Box::new(reader.within(key, ty)?)))
                }
                (Def::Result { .. }, Some(place), _) if reader.eat("null") => Value::case(place),
                (Def::Result { .. }, Some(_), _) => return reader.wrong("`null`"),
                _ => return reader.wrong_at(at, expected),
            });
            Ok(())
        })?;
        match (found, def) {
            (Some(value), _) => Ok(value),
            (None, Def::Variant(_)) => self.unknown(begin, id, expected),
            (None, _) => self.wrong_at(begin, expected),
        }
    }

    /// The value behind a key.
    fn within(&mut self, key: String, ty: Ty) -> Result<Value, Wrong> {
        self.path.push(Step::Name(key));
        let value = self.value(ty)?;
        self.path.pop();
        Ok(value)
    }

    fn field(
        &mut self,
        (at, key): (usize, String),
        (_, ty): &(Box<str>, Ty),
        given: &mut Option<Value>,
    ) -> Result<(), Wrong> {
        if given.is_some() {
            return Err((at, format!("`{}` is there twice", shown(&key))));
        }
        *given = Some(self.within(key, *ty)?);
        Ok(())
    }

    fn complete(
        &mut self,
        at: usize,
        fields: &[(Box<str>, Ty)],
        given: Vec<Option<Value>>,
    ) -> Result<Vec<Value>, Wrong> {
        self.omitted.complete(self.types, fields, given).map_err(|why| (at, why))
    }

    fn args(&mut self, params: &[(Box<str>, Ty)]) -> Result<Vec<Value>, Wrong> {
        let mut given = vec![None; params.len()];
        let expected = "an object or an array of the arguments";
        match self.peek() {
            None => {}
            Some(b'[') => self.array(expected, &mut |reader, place| match params.get(place) {
                Some((_, ty)) => {
                    given[place] = Some(reader.value(*ty)?);
                    Ok(())
                }
                None => reader.wrong("the end of the arguments"),
            })?,
            Some(_) => {
                let places: HashMap<&str, usize> = params.iter().map(|(name, _)| &**name).zip(0..).collect();
                self.object(expected, &mut |reader, at, key| match places.get(&*key) {
                    Some(place) => reader.field((at, key), &params[*place], &mut given[*place]),
                    None => {
                        let known: Names = params.iter().map(|(name, _)| &**name).collect();
                        reader.wrong_at(at, &format!("a parameter ({known})"))
                    }
                })?;
            }
        }
        self.complete(0, params, given)
    }
}
