//! A text that is read from its beginning to its end, and what is said about a place in it.

use crate::base::escape::{cut, printable};

/// The longest piece of a text that a message shows, in bytes.
const SHOWN_BYTES_MAX: usize = 40;

/// A text, and how far it is read.
#[derive(Debug, Clone)]
pub struct Cursor<'t> {
    text: &'t str,
    /// The place of the next byte. It is where a character begins.
    at: usize,
}

impl<'t> Cursor<'t> {
    /// At the beginning of `text`.
    pub fn new(text: &'t str) -> Cursor<'t> {
        Cursor { text, at: 0 }
    }

    /// The place of the next byte.
    pub fn at(&self) -> usize {
        self.at
    }

    /// What is not read yet.
    pub fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next byte.
    pub fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Takes the next character.
    pub fn take(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Takes `mark`, if it is next.
    pub fn eat(&mut self, mark: &str) -> bool {
        let is_next = self.rest().starts_with(mark);
        if is_next {
            self.at += mark.len();
        }
        is_next
    }

    /// Takes ASCII characters as long as `is_part` says so.
    pub fn run(&mut self, is_part: fn(&u8) -> bool) -> &'t str {
        let rest = self.rest();
        let len = rest.bytes().take_while(|byte| byte.is_ascii() && is_part(byte)).count();
        self.at += len;
        &rest[..len]
    }

    /// Takes what is before the next byte that ends it. That must be one of ASCII.
    pub fn until(&mut self, is_end: fn(u8) -> bool) -> &'t str {
        let rest = self.rest();
        let len = rest.bytes().position(|byte| byte.is_ascii() && is_end(byte)).unwrap_or(rest.len());
        self.at += len;
        &rest[..len]
    }

    /// Takes white space, as JSON and WAVE have it.
    pub fn space(&mut self) {
        self.run(|byte| b" \t\r\n".contains(byte));
    }

    /// Where the next byte is: `column 7`, or with the line if there are more.
    pub fn place(&self, at: usize) -> String {
        let before = self.text.get(..at).unwrap_or(self.text);
        let (lines, last) = before.rsplit_once('\n').unwrap_or(("", before));
        let column = last.chars().count() + 1;
        match before.contains('\n') {
            false => format!("column {column}"),
            true => format!("line {}, column {column}", lines.split('\n').count() + 1),
        }
    }

    /// `expected u8, found ...`: what is at `at`.
    pub fn expected(&self, at: usize, expected: &str) -> String {
        let rest = self.text.get(at..).unwrap_or_default();
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"%-+._".contains(byte);
        let word = rest.bytes().take_while(is_word).count();
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let is_quote = |c: &char| matches!(c, '"' | '\'');
        let quote = rest.chars().next().filter(is_quote);
        let quoted = quote.and_then(|quote| rest[1..].find(quote)).map_or(0, |len| len + 2);
        match &rest[..word.max(first).max(quoted)] {
            "" => format!("expected {expected}, found the end"),
            found => format!("expected {expected}, found `{}`", printable(&cut(found, SHOWN_BYTES_MAX))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn places_and_what_is_there() {
        assert_eq!(Cursor::new("\"é x\", 1").expected(0, "x"), "expected x, found `\"é x\"`");
        assert_eq!(Cursor::new("'a").expected(0, "x"), "expected x, found `'`");
        let text = Cursor::new("ab é-1,\n\u{1b}x");
        assert_eq!(text.place(0), "column 1");
        assert_eq!(text.place(3), "column 4");
        assert_eq!(text.place(5), "column 5");
        assert_eq!(text.place(9), "line 2, column 1");
        assert_eq!(text.place(10), "line 2, column 2");
        assert_eq!(text.expected(0, "x"), "expected x, found `ab`");
        assert_eq!(text.expected(3, "x"), "expected x, found `é`");
        assert_eq!(text.expected(5, "x"), "expected x, found `-1`");
        assert_eq!(text.expected(7, "x"), "expected x, found `,`");
        assert_eq!(text.expected(9, "x"), "expected x, found `\\u{1b}`");
        assert_eq!(text.expected(11, "x"), "expected x, found the end");
        let long = "a".repeat(1000);
        assert!(Cursor::new(&long).expected(0, "x").len() < 80);
    }
}
