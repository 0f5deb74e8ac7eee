//! Reads values from WAVE.

use super::letters::{self, KEYWORDS};
use crate::abi::component::cursor::Cursor;
use crate::abi::component::numbers;
use crate::abi::component::omitted::Omitted;
use crate::abi::component::out::HANDLE;
use crate::abi::component::places::{Places, case, names};
use crate::base::error::Names;
use crate::host::component::value::Value;
use crate::module::component::types::{Def, DefId, Ty, Types};
use crate::module::component::wit_text::kind;

/// The value of type `ty` that `text` is.
///
/// # Errors
/// It is none: where not, what was expected there, and what was found.
pub fn parse(types: &Types, ty: Ty, text: &str) -> Result<Value, String> {
    let mut reader = Reader::new(types, Cursor::new(text));
    let value = reader.value(ty)?;
    reader.end()?;
    Ok(value)
}

/// A name, where it is, and whether a `%` is before it.
struct Label<'t> {
    at: usize,
    name: &'t str,
    is_escaped: bool,
}

/// Reads values.
pub struct Reader<'t> {
    types: &'t Types,
    text: Cursor<'t>,
    places: Places<'t>,
    omitted: Omitted,
}

impl<'t> Reader<'t> {
    /// Of what is left of `text`.
    pub fn new(types: &'t Types, text: Cursor<'t>) -> Reader<'t> {
        let omitted = Omitted::of(text.rest().len());
        Reader { types, text, places: Places::new(types), omitted }
    }

    /// Nothing but space may follow.
    pub fn end(&mut self) -> Result<(), String> {
        self.space();
        match self.text.peek() {
            None => Ok(()),
            Some(_) => self.wrong("the end"),
        }
    }

    /// The next value.
    pub fn value(&mut self, ty: Ty) -> Result<Value, String> {
        self.space();
        let Ty::Def(id) = ty else { return self.plain(ty) };
        let def = self.types.def(id);
        match def {
            Def::List(Ty::U8) => self.bytes(),
            Def::List(ty) => {
                let mut values = Vec::new();
                self.sequence(["[", "]"], &mut |reader| {
                    values.push(reader.value(*ty)?);
                    Ok(())
                })?;
                Ok(Value::List(values))
            }
            Def::Tuple(types) => self.tuple(types),
            Def::Record(fields) => self.record(id, fields),
            Def::Flags(_) => self.flags(id),
            Def::Enum(_) | Def::Variant(_) => self.case(id),
            Def::Option(_) | Def::Result { .. } => self.option(def),
            Def::Own(_) | Def::Borrow(_) => self.fail(self.text.at(), HANDLE),
        }
    }

    fn tuple(&mut self, types: &'t [Ty]) -> Result<Value, String> {
        let at = self.text.at();
        let mut values = Vec::new();
        self.sequence(["(", ")"], &mut |reader| {
            let Some(ty) = types.get(values.len()) else {
                return reader.wrong(&format!("`)` after {} values", types.len()));
            };
            values.push(reader.value(*ty)?);
            Ok(())
        })?;
        match values.len() == types.len() {
            true => Ok(Value::Record(values)),
            false => self.wrong_at(at, &format!("a tuple of {} values", types.len())),
        }
    }

    /// White space and comments.
    fn space(&mut self) {
        self.text.space();
        while self.text.eat("//") {
            self.text.until(|byte| byte == b'\n');
            self.text.space();
        }
    }

    /// Takes `mark`, if it is next.
    fn eat(&mut self, mark: &str) -> bool {
        self.space();
        self.text.eat(mark)
    }

    fn expect(&mut self, mark: &str) -> Result<(), String> {
        match self.eat(mark) {
            true => Ok(()),
            false => self.wrong(&format!("`{mark}`")),
        }
    }

    /// What is next is not what was expected.
    pub fn wrong<T>(&self, expected: &str) -> Result<T, String> {
        self.wrong_at(self.text.at(), expected)
    }

    fn wrong_at<T>(&self, at: usize, expected: &str) -> Result<T, String> {
        self.fail(at, &self.text.expected(at, expected))
    }

    /// Something is wrong with what is at `at`.
    pub fn fail<T>(&self, at: usize, why: &str) -> Result<T, String> {
        Err(format!("{}: {why}", self.text.place(at)))
    }

    /// What is between marks, with commas.
    pub fn sequence(
        &mut self,
        [open, close]: [&str; 2],
        item: &mut dyn FnMut(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        self.expect(open)?;
        while !self.eat(close) {
            item(self)?;
            if !self.eat(",") && !self.text.rest().starts_with(close) {
                return self.wrong(&format!("`,` or `{close}`"));
            }
        }
        Ok(())
    }

    fn plain(&mut self, ty: Ty) -> Result<Value, String> {
        let at = self.text.at();
        if ty == Ty::Char || ty == Ty::String {
            return letters::value(&mut self.text, ty).or_else(|(at, expected)| self.wrong_at(at, expected));
        }
        let word = self.text.run(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
        let value = match (ty, word) {
            (Ty::Bool, "true") => Some(Value::Bool(true)),
            (Ty::Bool, "false") => Some(Value::Bool(false)),
            (_, "nan") => numbers::special(ty, f64::NAN),
            (_, "inf") => numbers::special(ty, f64::INFINITY),
            (_, "-inf") => numbers::special(ty, f64::NEG_INFINITY),
            _ => numbers::integer(ty, word).or_else(|| numbers::float(ty, word)),
        };
        match value {
            Some(value) => Ok(value),
            None => self.wrong_at(at, &numbers::taken(ty, kind(self.types, ty))),
        }
    }

    /// A `list<u8>`.
    fn bytes(&mut self) -> Result<Value, String> {
        let mut bytes = Vec::new();
        self.sequence(["[", "]"], &mut |reader| {
            if let Value::U8(byte) = reader.value(Ty::U8)? {
                bytes.push(byte);
            }
            Ok(())
        })?;
        Ok(Value::Bytes(bytes))
    }

    /// A name.
    fn label(&mut self) -> Option<Label<'t>> {
        self.space();
        let at = self.text.at();
        let is_escaped = self.text.eat("%");
        let name = self.text.run(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
        name.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(Label { at, name, is_escaped })
    }

    /// The next name, which is one of the type `id`, and its place there.
    fn known(&mut self, id: DefId, what: &str) -> Result<(Label<'t>, usize), String> {
        self.space();
        let at = self.text.at();
        if let Some(label) = self.label()
            && let Some(place) = self.places.find(id, label.name)
        {
            return Ok((label, place as usize));
        }
        let known: Names = names(self.types.def(id)).collect();
        self.wrong_at(at, &format!("{what} ({known})"))
    }

    fn record(&mut self, id: DefId, fields: &'t [(Box<str>, Ty)]) -> Result<Value, String> {
        let at = self.text.at();
        let mut given = vec![None; fields.len()];
        let begin = self.text.clone();
        // Flags that are none look the same but for the colon.
        if !(self.eat("{") && self.eat(":")) {
            self.text = begin;
            self.sequence(["{", "}"], &mut |reader| {
                let (label, place) = reader.known(id, "a field")?;
                reader.expect(":")?;
                let value = reader.value(fields[place].1)?;
                match given[place].replace(value) {
                    None => Ok(()),
                    Some(_) => reader.fail(label.at, &format!("`{}` is there twice", label.name)),
                }
            })?;
        } else {
            self.expect("}")?;
        }
        self.complete(at, fields, given).map(Value::Record)
    }

    /// The values of all fields of what is at `at`.
    pub fn complete(
        &mut self,
        at: usize,
        fields: &[(Box<str>, Ty)],
        given: Vec<Option<Value>>,
    ) -> Result<Vec<Value>, String> {
        self.omitted.complete(self.types, fields, given).or_else(|why| self.fail(at, &why))
    }

    fn flags(&mut self, id: DefId) -> Result<Value, String> {
        let mut bits = 0;
        self.sequence(["{", "}"], &mut |reader| {
            let (label, place) = reader.known(id, "a flag")?;
            let bit = 1u32.checked_shl(place as u32).unwrap_or_default();
            if bits & bit != 0 {
                return reader.fail(label.at, &format!("`{}` is there twice", label.name));
            }
            bits |= bit;
            Ok(())
        })?;
        Ok(Value::Flags(bits))
    }

    /// A case of a variant or an enum.
    fn case(&mut self, id: DefId) -> Result<Value, String> {
        let (Label { at, name, is_escaped }, place) = self.known(id, "a case")?;
        if KEYWORDS.contains(&name) && !is_escaped {
            return self.fail(at, &format!("the case `{name}` is written `%{name}`"));
        }
        let ty = case(self.types.def(id), place as u32).and_then(|(_, ty)| ty);
        self.payload(place as u32, ty)
    }

    /// What a case carries.
    fn payload(&mut self, case: u32, ty: Option<Ty>) -> Result<Value, String> {
        let Some(ty) = ty else { return Ok(Value::case(case)) };
        self.expect("(")?;
        let value = self.value(ty)?;
        self.expect(")")?;
        Ok(Value::Variant(case, Some(Box::new(value))))
    }

    /// An option or a result: one of its cases; or what `some` or `ok` carries, if that is neither.
    fn option(&mut self, def: &Def) -> Result<Value, String> {
        let begin = self.text.clone();
        let word = self.text.run(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
        for place in 0..2 {
            if let Some((name, ty)) = case(def, place)
                && name == word
            {
                return self.payload(place, ty);
            }
        }
        self.text = begin;
        let (flat, expected) = match def {
            Def::Option(_) => (1, "`some(...)` or `none`"),
            _ => (0, "`ok` or `err`"),
        };
        match case(def, flat) {
            Some((_, Some(ty))) if !self.has_cases(ty) => {
                Ok(Value::Variant(flat, Some(Box::new(self.value(ty)?))))
            }
            _ => self.wrong(expected),
        }
    }

    /// Whether it is an option or a result.
    fn has_cases(&self, ty: Ty) -> bool {
        matches!(ty, Ty::Def(id) if matches!(self.types.def(id), Def::Option(_) | Def::Result { .. }))
    }
}
