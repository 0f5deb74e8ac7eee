//! Prints values as JSON.

use crate::abi::component::numbers;
use crate::abi::component::omitted::is_option;
use crate::abi::component::out::{NotPrinted, Out};
use crate::abi::component::places::{case, flags};
use crate::base::base64;
use crate::host::component::value::Value;
use crate::module::component::types::{Def, Ty, Types};

/// Floats that are no numbers of JSON: a NaN and the infinities.
pub const NOT_FINITE: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// The JSON of `value`, which is of type `ty`, if it has at most `most` bytes. It is one line.
///
/// # Errors
/// It would be longer; there is a resource in it.
pub fn print(types: &Types, ty: Ty, value: &Value, most: usize) -> Result<String, NotPrinted> {
    let mut printer = Printer { types, out: Out::new(most) };
    printer.value(ty, value)?;
    Ok(printer.out.finish())
}

struct Printer<'a> {
    types: &'a Types,
    out: Out,
}

impl Printer<'_> {
    fn value(&mut self, ty: Ty, value: &Value) -> Result<(), NotPrinted> {
        let Ty::Def(id) = ty else { return self.plain(ty, value) };
        let def = self.types.def(id);
        match (def, value) {
            (Def::List(Ty::U8), Value::Bytes(bytes)) => self.bytes(bytes),
            (Def::List(ty), Value::List(values)) => {
                self.sequence(["[", "]"], values.len(), &mut |printer, at| printer.value(*ty, &values[at]))
            }
            (Def::Tuple(types), Value::Record(values)) if types.len() == values.len() => {
                self.sequence(["[", "]"], values.len(), &mut |printer, at| {
                    printer.value(types[at], &values[at])
                })
            }
            (Def::Record(fields), Value::Record(values)) if fields.len() == values.len() => {
                self.sequence(["{", "}"], values.len(), &mut |printer, at| {
                    let (name, ty) = &fields[at];
                    printer.pair(name, Some((*ty, &values[at])))
                })
            }
            (Def::Flags(names), Value::Flags(bits)) => {
                let names: Vec<&str> = flags(names, *bits).ok_or(NotPrinted::Mismatch)?.collect();
                self.sequence(["[", "]"], names.len(), &mut |printer, at| printer.string(names[at]))
            }
            (_, Value::Variant(place, payload)) => {
                let (name, ty) = case(def, *place).ok_or(NotPrinted::Mismatch)?;
                match (ty, payload) {
                    (Some(ty), Some(value)) => self.case(def, name, Some((ty, value))),
                    (None, None) => self.case(def, name, None),
                    _ => Err(NotPrinted::Mismatch),
                }
            }
            (Def::Own(_) | Def::Borrow(_), _) => Err(NotPrinted::Handle),
            _ => Err(NotPrinted::Mismatch),
        }
    }

    /// A case with what it carries.
    fn case(&mut self, def: &Def, name: &str, payload: Option<(Ty, &Value)>) -> Result<(), NotPrinted> {
        match (def, payload) {
            (Def::Option(_), None) => self.out.push("null"),
            // Options of options are not all `null`.
            (Def::Option(_), Some((ty, value))) if !is_option(self.types, ty) => self.value(ty, value),
            (Def::Variant(_) | Def::Enum(_), None) => self.string(name),
            _ => self.sequence(["{", "}"], 1, &mut |printer, _| printer.pair(name, payload)),
        }
    }

    /// A key and its value, `null` if there is none.
    fn pair(&mut self, name: &str, value: Option<(Ty, &Value)>) -> Result<(), NotPrinted> {
        self.string(name)?;
        self.out.push(":")?;
        match value {
            Some((ty, value)) => self.value(ty, value),
            None => self.out.push("null"),
        }
    }

    fn plain(&mut self, ty: Ty, value: &Value) -> Result<(), NotPrinted> {
        match (ty, value) {
            (Ty::Bool, Value::Bool(true)) => self.out.push("true"),
            (Ty::Bool, Value::Bool(false)) => self.out.push("false"),
            (Ty::Char, Value::Char(c)) => self.string(c.encode_utf8(&mut [0; 4])),
            (Ty::String, Value::String(text)) => self.string(text),
            _ => match numbers::not_finite(ty, value, NOT_FINITE) {
                Some(text) => self.string(text),
                None => self.out.push(&numbers::print(ty, value).ok_or(NotPrinted::Mismatch)?),
            },
        }
    }

    /// Items between marks, by their places.
    fn sequence(
        &mut self,
        [open, close]: [&str; 2],
        count: usize,
        item: &mut dyn FnMut(&mut Self, usize) -> Result<(), NotPrinted>,
    ) -> Result<(), NotPrinted> {
        self.out.push(open)?;
        for at in 0..count {
            self.out.push(if at == 0 { "" } else { "," })?;
            item(self, at)?;
        }
        self.out.push(close)
    }

    /// A `list<u8>`, in pieces without padding but for the last.
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), NotPrinted> {
        self.out.push("\"")?;
        for piece in bytes.chunks(3 * 1024) {
            self.out.push(&base64::encode(piece))?;
        }
        self.out.push("\"")
    }

    fn string(&mut self, text: &str) -> Result<(), NotPrinted> {
        self.out.push("\"")?;
        self.out.push_written(text, escaped)?;
        self.out.push("\"")
    }
}

/// As it stands between quotes.
pub fn escaped(text: &str) -> String {
    // A string is always JSON.
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().into()
}
