//! Characters between quotes, and words that stand for themselves.

use crate::abi::component::cursor::Cursor;
use crate::host::component::value::Value;
use crate::module::component::types::Ty;

/// Words that stand for themselves. A case of that name has a `%` before it.
pub const KEYWORDS: [&str; 8] = ["true", "false", "inf", "nan", "some", "none", "ok", "err"];

/// Reads a `char` or a `string`.
///
/// # Errors
/// No WAVE: where, and what was expected.
pub fn value(from: &mut Cursor<'_>, ty: Ty) -> Result<Value, (usize, &'static str)> {
    let at = from.at();
    match ty {
        Ty::Char if from.eat("'") => match one(from, '\'')? {
            Some(c) if from.eat("'") => Ok(Value::Char(c)),
            _ => Err((at, "one character between quotes")),
        },
        Ty::Char => Err((at, "a character such as 'x'")),
        _ if from.eat("\"") => text(from).map(Value::String),
        _ => Err((at, "a string such as \"x\"")),
    }
}

/// Reads what is behind the first quote of a string.
fn text(from: &mut Cursor<'_>) -> Result<String, (usize, &'static str)> {
    if is_lines(from) {
        return lines(from);
    }
    let mut text = String::new();
    while let Some(c) = one(from, '"')? {
        text.push(c);
    }
    Ok(text)
}

/// Reads one character, or the closing quote.
fn one(from: &mut Cursor<'_>, quote: char) -> Result<Option<char>, (usize, &'static str)> {
    let at = from.at();
    match from.take() {
        Some('\\') => {
            escape(from).map(Some).ok_or((at, "an escape: \\', \\\", \\\\, \\t, \\n, \\r or \\u{...}"))
        }
        Some('\n') => Err((at, "a closing quote, or `\\n` for a new line")),
        Some(c) if c == quote => Ok(None),
        Some(c) => Ok(Some(c)),
        None => Err((at, "a closing quote")),
    }
}

/// What is behind a backslash.
fn escape(from: &mut Cursor<'_>) -> Option<char> {
    Some(match from.take()? {
        c @ ('\'' | '"' | '\\') => c,
        't' => '\t',
        'n' => '\n',
        'r' => '\r',
        'u' if from.eat("{") => {
            let digits = from.run(u8::is_ascii_hexdigit);
            let c = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
            from.eat("}").then_some(c)?
        }
        _ => return None,
    })
}

/// Whether two quotes more and a new line are next: a text of several lines.
fn is_lines(from: &Cursor<'_>) -> bool {
    let lines = from.rest().strip_prefix("\"\"").unwrap_or_default();
    lines.starts_with('\n') || lines.starts_with("\r\n")
}

/// Reads a text of several lines. Each begins with the spaces that stand before the closing quotes.
fn lines(from: &mut Cursor<'_>) -> Result<String, (usize, &'static str)> {
    from.eat("\"\"");
    let _ = from.eat("\r");
    from.eat("\n");
    let Some(end) = from.rest().find("\"\"\"") else {
        return Err((from.at(), "closing quotes \"\"\""));
    };
    let lines = &from.rest()[..end];
    let indent = &lines[lines.rfind('\n').map_or(0, |at| at + 1)..];
    let last = from.at() + end - indent.len();
    if indent.bytes().any(|byte| byte != b' ') {
        return Err((last, "spaces before the closing quotes"));
    }
    let mut text = String::new();
    while from.at() < last {
        if !from.eat(indent) {
            return Err((from.at(), "as many spaces as stand before the closing quotes"));
        }
        while !from.eat("\n") {
            match from.take() {
                // At the end of a line, it is a part of the new line.
                Some('\r') if from.rest().starts_with('\n') => {}
                Some('\\') => {
                    let at = from.at();
                    text.push(escape(from).ok_or((at, "an escape"))?);
                }
                Some(c) => text.push(c),
                None => return Err((from.at(), "a new line")),
            }
        }
        if from.at() < last {
            text.push('\n');
        }
    }
    from.eat(indent);
    from.eat("\"\"\"");
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_new_lines() {
        for (given, expected) in [
            (r#"""#, Ok("")),
            (r#"a'\'\"\\\t\n\r\u{0}\u{1F600}é" rest"#, Ok("a''\"\\\t\n\r\0\u{1f600}é")),
            ("\"\"\n\"\"\"", Ok("")),
            ("\"\"\n  \"\"\"", Ok("")),
            ("\"\"\nA single line\n\"\"\"", Ok("A single line")),
            ("\"\"\r\n    a\\t\"b\"\r\n      c\r\n  \"\"\"", Ok("  a\t\"b\"\n    c")),
            ("\"\"\n  a\\r\n  \"\"\\\"\"\n  \"\"\"", Ok("a\r\n\"\"\"\"")),
            ("\"\"\n a\n  \"\"\"", Err(3)),
            ("\"\"\n  a\n b \"\"\"", Err(7)),
            ("\"\"\n a", Err(3)),
            ("\"\"\n\\\n\"\"\"", Err(4)),
            ("a\nb\"", Err(1)),
            (r#"ab\x""#, Err(2)),
            (r#"\u{110000}""#, Err(0)),
            (r#"\u{d800}""#, Err(0)),
            (r#"\u{}""#, Err(0)),
            (r#"\u{1"#, Err(0)),
            ("\\", Err(0)),
            ("ab", Err(2)),
            ("", Err(0)),
        ] {
            let found = text(&mut Cursor::new(given)).map_err(|(at, _)| at);
            assert_eq!(found.as_deref(), expected.as_ref().map(|text| *text), "{given:?}");
        }
    }
}
