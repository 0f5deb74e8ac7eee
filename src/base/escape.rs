//! Escapes untrusted text for display.

/// Whether a terminal would interpret `c`, reorder text at it, or not show it, so that two texts look alike.
fn is_unsafe(c: char) -> bool {
    c.is_control() && c != '\t' || is_bidi_control(c) || is_invisible(c)
}

/// Unicode's property Bidi_Control (PropList.txt; Standard Annex 9).
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Line and paragraph separators; what else has the general category Cf and no shape; and letters that are
/// Default_Ignorable_Code_Point, such as Hangul's fillers (DerivedCoreProperties.txt).
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{2028}' | '\u{2029}'
        | '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{feff}'
        | '\u{fff0}'..='\u{fffb}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e007f}'
        | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}')
}

/// Escapes `text` for one line, including line ends: names of exports and files, messages and output of guests.
pub fn printable(text: &str) -> String {
    printable_within(text, usize::MAX).1
}

/// The longest beginning of `text` that takes at most `most` bytes when shown, escaped as in [`printable`],
/// with an ellipsis if it is cut.
pub fn printable_within(text: &str, most: usize) -> (&str, String) {
    let mut shown = String::with_capacity(text.len().min(most));
    let mut from = 0;
    // Guests decide how long the text is, so most of it is not examined.
    for (at, c) in text.char_indices().filter(|(_, c)| !matches!(c, ' '..='~') && is_unsafe(*c)) {
        if shown.len() + (at - from) > most {
            break;
        }
        shown.push_str(&text[from..at]);
        let before = shown.len();
        push_escaped(c, &mut shown);
        if shown.len() > most {
            shown.truncate(before);
            return (&text[..at], shown + "…");
        }
        from = at + c.len_utf8();
    }
    let rest = &text[from..];
    let mut end = rest.len().min(most - shown.len());
    while !rest.is_char_boundary(end) {
        end -= 1;
    }
    shown.push_str(&rest[..end]);
    if end < rest.len() {
        shown.push('…');
    }
    (&text[..from + end], shown)
}

/// As `char::escape_default`, in a quarter of the time.
fn push_escaped(c: char, shown: &mut String) {
    match c {
        '\n' => shown.push_str("\\n"),
        '\r' => shown.push_str("\\r"),
        _ => {
            shown.push_str("\\u{");
            let digits = (u32::BITS - (c as u32).leading_zeros()).div_ceil(4).max(1);
            let digit = |at| char::from_digit(c as u32 >> (4 * at) & 0xf, 16);
            shown.extend((0..digits).rev().filter_map(digit));
            shown.push('}');
        }
    }
}

/// Escapes JSON text once more. That changes no value, because unsafe characters can only be inside strings.
pub fn json_line(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unsafe(c) {
            // Beyond four digits, as JSON has it: a pair of surrogates (RFC 8259, section 7).
            for unit in c.encode_utf16(&mut [0; 2]) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            shown.push(c);
        }
    }
    shown
}

/// As [`printable`], but keeps line ends.
pub fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// The first `most` bytes of `text`, cut at a character, with an ellipsis if it is cut.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= most).last() {
        _ if text.len() <= most => text.into(),
        end => format!("{}…", &text[..end.unwrap_or(0)]),
    }
}

/// Whether `name` is an HTTP token (RFC 9110, section 5.6.2).
pub fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All of Bidi_Control, the separators, and what has no width.
    const UNSAFE: &str = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\
        \u{2028}\u{2029}\u{ad}\u{34f}\u{180e}\u{200b}\u{200c}\u{200d}\u{2060}\u{2064}\u{206a}\u{feff}\u{fff9}\u{3164}\u{ffa0}\
        \u{e0001}\u{e0041}\0\u{1b}\r\n\u{7f}\u{85}\u{9b}";

    #[test]
    fn what_is_unsafe_is_escaped_one_by_one() {
        for c in UNSAFE.chars() {
            let text = format!("a{c}b");
            assert_eq!(printable(&text), format!("a{}b", c.escape_default()));
            let json = serde_json::to_string(&text).unwrap();
            let line = json_line(&json);
            assert!(line.chars().all(|c| !is_unsafe(c)), "{line:?}");
            assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text, "{line}");
        }
    }

    #[test]
    fn what_is_shown_is_cut_where_it_would_take_too_much() {
        for text in [
            "",
            "a",
            "abcdefgh",
            "ab\u{1b}cd",
            "\u{1b}\u{1b}",
            "ab\u{e9}\u{e9}",
            "\u{e0041}a\u{202e}",
            "abcdef\n",
        ] {
            let whole = printable(text);
            for most in 0..=whole.len() + 1 {
                let (begin, shown) = printable_within(text, most);
                assert!(text.starts_with(begin), "{text:?} {most}");
                let is_all = begin.len() == text.len();
                assert_eq!(shown, printable(begin) + if is_all { "" } else { "…" }, "{text:?} {most}");
                assert!(printable(begin).len() <= most);
                // No more would fit.
                let next = text[begin.len()..].chars().next();
                assert!(next.is_none_or(|c| printable(begin).len() + printable(&c.to_string()).len() > most));
            }
        }
    }

    #[test]
    fn what_people_write_is_shown_as_it_is() {
        let text = "naïve\tΑΩ б ע ا ۝ 你好 한글 हिन्दी 🦀\u{fe0f} \u{301} `quoted` \\n";
        assert_eq!(printable(text), text);
        assert_eq!(json_line(text), text);
    }
}
