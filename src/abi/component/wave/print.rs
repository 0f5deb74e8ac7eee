//! Prints values as WAVE.

use super::letters::KEYWORDS;
use crate::abi::component::numbers;
use crate::abi::component::omitted::is_option;
use crate::abi::component::out::{NotPrinted, Out};
use crate::abi::component::places::{case, flags};
use crate::base::escape::printable;
use crate::host::component::value::Value;
use crate::module::component::types::{Def, Ty, Types};

/// The text of `value`, which is of type `ty`, if it has at most `most` bytes. It is one line, and has nothing in it that a
/// terminal would interpret.
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
            (Def::List(Ty::U8), Value::Bytes(bytes)) => {
                self.sequence(["[", "]"], bytes.len(), &mut |printer, at| {
                    printer.out.push(&bytes[at].to_string())
                })
            }
            (Def::List(ty), Value::List(values)) => {
                self.sequence(["[", "]"], values.len(), &mut |printer, at| printer.value(*ty, &values[at]))
            }
            (Def::Tuple(types), Value::Record(values)) if types.len() == values.len() => {
                self.sequence(["(", ")"], values.len(), &mut |printer, at| {
                    printer.value(types[at], &values[at])
                })
            }
            (Def::Record(fields), Value::Record(values)) if fields.len() == values.len() => {
                self.record(fields, values)
            }
            (Def::Flags(names), Value::Flags(bits)) => {
                let names: Vec<&str> = flags(names, *bits).ok_or(NotPrinted::Mismatch)?.collect();
                self.sequence(["{", "}"], names.len(), &mut |printer, at| printer.out.push(names[at]))
            }
            (_, Value::Variant(place, payload)) => {
                let (name, ty) = case(def, *place).ok_or(NotPrinted::Mismatch)?;
                let is_escaped = matches!(def, Def::Variant(_) | Def::Enum(_)) && KEYWORDS.contains(&name);
                self.out.push(if is_escaped { "%" } else { "" })?;
                self.out.push(name)?;
                match (ty, payload) {
                    (Some(ty), Some(value)) => {
                        self.out.push("(")?;
                        self.value(ty, value)?;
                        self.out.push(")")
                    }
                    (None, None) => Ok(()),
                    _ => Err(NotPrinted::Mismatch),
                }
            }
            (Def::Own(_) | Def::Borrow(_), _) => Err(NotPrinted::Handle),
            _ => Err(NotPrinted::Mismatch),
        }
    }

    fn plain(&mut self, ty: Ty, value: &Value) -> Result<(), NotPrinted> {
        match (ty, value) {
            (Ty::Bool, Value::Bool(true)) => self.out.push("true"),
            (Ty::Bool, Value::Bool(false)) => self.out.push("false"),
            (Ty::Char, Value::Char('\'')) => self.out.push(r"'\''"),
            (Ty::Char, Value::Char('"')) => self.out.push("'\"'"),
            (Ty::Char, Value::Char(c)) => {
                self.out.push(&format!("'{}'", escaped(c.encode_utf8(&mut [0; 4]))))
            }
            (Ty::String, Value::String(text)) => {
                self.out.push("\"")?;
                self.out.push_written(text, escaped)?;
                self.out.push("\"")
            }
            _ => match numbers::not_finite(ty, value, ["nan", "inf", "-inf"]) {
                Some(text) => self.out.push(text),
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
            self.out.push(if at == 0 { "" } else { ", " })?;
            item(self, at)?;
        }
        self.out.push(close)
    }

    /// A record without its options that are `none`. Without any field it is `{:}`, which cannot be taken for flags.
    fn record(&mut self, fields: &[(Box<str>, Ty)], values: &[Value]) -> Result<(), NotPrinted> {
        let is_left_out = |ty: Ty, value: &Value| *value == Value::NONE && is_option(self.types, ty);
        let written = fields.iter().zip(values).filter(|((_, ty), value)| !is_left_out(*ty, value));
        let written: Vec<_> = written.collect();
        if written.is_empty() {
            return self.out.push("{:}");
        }
        self.sequence(["{", "}"], written.len(), &mut |printer, at| {
            let ((name, ty), value) = written[at];
            printer.out.push(name)?;
            printer.out.push(": ")?;
            printer.value(*ty, value)
        })
    }
}

/// As it stands between quotes.
fn escaped(text: &str) -> String {
    printable(&text.replace('\\', r"\\").replace('"', "\\\"").replace('\t', r"\t"))
}
