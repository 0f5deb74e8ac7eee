//! What reads JSON: arrays, objects and strings, and the way to where something is wrong.

use crate::abi::component::cursor::Cursor;
use crate::abi::component::omitted::{Omitted, shown};
use crate::abi::component::places::{Places, names};
use crate::base::error::Names;
use crate::base::heap::Small;
use crate::module::component::types::{DefId, Types};
use std::fmt::Write;

/// Where something is wrong, and what.
pub type Wrong = (usize, String);

/// A step on the way to a value.
pub enum Step {
    /// Into a field or a case.
    Name(String),
    /// Into an array.
    At(usize),
}

/// Reads JSON by types.
pub struct Reader<'t> {
    /// The types.
    pub types: &'t Types,
    /// The text.
    pub text: Cursor<'t>,
    /// Where names are in the types.
    pub places: Places<'t>,
    /// What the text may leave out.
    pub omitted: Omitted,
    /// The way to what is read. Where something is wrong, it stays.
    pub path: Vec<Step>,
    /// Values, each of which is an allocation.
    pub small: Small,
}

impl<'t> Reader<'t> {
    /// Of `text`.
    pub fn new(types: &'t Types, text: &'t str) -> Reader<'t> {
        let (cursor, places) = (Cursor::new(text), Places::new(types));
        let (omitted, path, small) = (Omitted::of(text.len()), Vec::new(), Small::default());
        Reader { types, text: cursor, places, omitted, path, small }
    }

    /// Reads something to which nothing is added.
    pub fn whole<T>(&mut self, read: &mut dyn FnMut(&mut Self) -> Result<T, Wrong>) -> Result<T, String> {
        let done = read(self).and_then(|value| {
            self.text.space();
            match self.text.peek() {
                None => Ok(value),
                Some(_) => self.wrong("the end"),
            }
        });
        done.map_err(|(at, why)| {
            let mut path = String::from("$");
            for step in &self.path {
                let _ = match step {
                    Step::Name(name) => write!(path, ".{}", shown(name)),
                    Step::At(at) => write!(path, "[{at}]"),
                };
            }
            format!("{path} ({}): {why}", self.text.place(at))
        })
    }

    /// What is next is not what was expected.
    pub fn wrong<T>(&self, expected: &str) -> Result<T, Wrong> {
        self.wrong_at(self.text.at(), expected)
    }

    /// What is at `at` is not what was expected.
    pub fn wrong_at<T>(&self, at: usize, expected: &str) -> Result<T, Wrong> {
        Err((at, self.text.expected(at, expected)))
    }

    /// One of the names of the type `id` was expected.
    pub fn unknown<T>(&self, at: usize, id: DefId, what: &str) -> Result<T, Wrong> {
        let known: Names = names(self.types.def(id)).collect();
        self.wrong_at(at, &format!("{what} ({known})"))
    }

    /// Takes `mark`, if it is next.
    pub fn eat(&mut self, mark: &str) -> bool {
        self.text.space();
        self.text.eat(mark)
    }

    /// The next byte that is no space.
    pub fn peek(&mut self) -> Option<u8> {
        self.text.space();
        self.text.peek()
    }

    /// Takes `mark`, which must be next.
    pub fn expect(&mut self, mark: &str) -> Result<(), Wrong> {
        match self.eat(mark) {
            true => Ok(()),
            false => self.wrong(&format!("`{mark}`")),
        }
    }

    /// Reads an array.
    pub fn array(
        &mut self,
        expected: &str,
        item: &mut dyn FnMut(&mut Self, usize) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        if !self.eat("[") {
            return self.wrong(expected);
        }
        if self.eat("]") {
            return Ok(());
        }
        let mut place = 0;
        loop {
            self.path.push(Step::At(place));
            self.text.space();
            item(self, place)?;
            self.path.pop();
            place += 1;
            if self.eat("]") {
                return Ok(());
            }
            if !self.eat(",") {
                return self.wrong("`,` or `]`");
            }
        }
    }

    /// Reads an object. `item` gets each key, with its place in the text, and reads the value.
    pub fn object(
        &mut self,
        expected: &str,
        item: &mut dyn FnMut(&mut Self, usize, String) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        if !self.eat("{") {
            return self.wrong(expected);
        }
        if self.eat("}") {
            return Ok(());
        }
        loop {
            self.text.space();
            let at = self.text.at();
            let key = self.string("a key")?;
            self.expect(":")?;
            item(self, at, key)?;
            if self.eat("}") {
                return Ok(());
            }
            if !self.eat(",") {
                return self.wrong("`,` or `}`");
            }
        }
    }

    /// Reads a string.
    pub fn string(&mut self, expected: &str) -> Result<String, Wrong> {
        if !self.eat("\"") {
            return self.wrong(expected);
        }
        let mut text = String::new();
        loop {
            text.push_str(self.text.until(|byte| byte == b'"' || byte == b'\\' || byte < b' '));
            let at = self.text.at();
            match self.text.take() {
                Some('"') => return Ok(text),
                Some('\\') => match escape(&mut self.text) {
                    Some(c) => text.push(c),
                    None => return self.wrong_at(at, "an escape of JSON"),
                },
                Some(_) => return self.wrong_at(at, "a closing quote, or an escape"),
                None => return self.wrong_at(at, "a closing quote"),
            }
        }
    }
}

/// What is behind a backslash.
fn escape(from: &mut Cursor<'_>) -> Option<char> {
    Some(match from.take()? {
        c @ ('"' | '\\' | '/') => c,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let first = unit(from)?;
            if let Some(c) = char::from_u32(first) {
                return Some(c);
            }
            // Beyond four digits: a pair of surrogates.
            let second = from.eat("\\u").then(|| unit(from))??;
            char::decode_utf16([first as u16, second as u16]).next()?.ok()?
        }
        _ => return None,
    })
}

fn unit(from: &mut Cursor<'_>) -> Option<u32> {
    let digits = from.rest().get(..4)?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| from.eat(digits))?;
    u32::from_str_radix(digits, 16).ok()
}
