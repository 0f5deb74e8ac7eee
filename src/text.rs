//! Text that strangers chose, made fit to be shown.

/// Whether a terminal would act on `c` or lay it out in another order than it was written.
fn is_unsafe(c: char) -> bool {
    // Beside control characters: line and paragraph separators, and the bidirectional controls of
    // Unicode Standard Annex 9.
    c.is_control() && c != '\t'
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text` with what is unsafe to show escaped, line ends included: names of modules' exports and files,
/// messages and output of guests.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// JSON with what is unsafe to show escaped once more, which changes no value: it can only be inside strings.
pub fn json_line(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unsafe(c) {
            shown.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// As [`printable`], for texts of more than one line.
pub fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// The first `most` bytes of `text`, less what is cut of a character there, and a sign if that is not all.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= most).last() {
        _ if text.len() <= most => text.into(),
        end => format!("{}…", &text[..end.unwrap_or(0)]),
    }
}

/// Whether `name` is a token as HTTP has it (RFC 9110, section 5.6.2).
pub fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
