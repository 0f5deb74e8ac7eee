//! Paths of URLs, in one form only.

/// How often a path is decoded at most to look for dot segments: servers do it twice by mistake.
const DECODINGS: usize = 4;

/// A path in the one form that is compared and sent.
///
/// # Errors
/// What is wrong with it.
pub fn path_of(path: &str) -> Result<String, String> {
    if path.is_empty() {
        return Ok("/".into());
    }
    let decoded = without_needless_encoding(path)?;
    let mut segments: Vec<&str> = Vec::new();
    let mut rest = decoded.strip_prefix('/').ok_or("its path does not begin with `/`")?.split('/').peekable();
    while let Some(segment) = rest.next() {
        let is_last = rest.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    segments.pop();
                }
                if is_last {
                    segments.push("");
                }
            }
            _ => segments.push(segment),
        }
    }
    if hides_dots(&segments) {
        return Err("its path has dot segments that are hidden from a first look".into());
    }
    Ok(format!("/{}", segments.join("/")))
}

/// Decodes what need not be encoded, and writes the rest in capital letters (RFC 3986, section 6.2.2).
fn without_needless_encoding(path: &str) -> Result<String, String> {
    let mut out = String::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digits =
                    [bytes.next(), bytes.next()].map(|digit| digit.and_then(|b| char::from(b).to_digit(16)));
                let [Some(high), Some(low)] = digits else {
                    return Err("its path has a `%` without two hex digits".into());
                };
                let value = (high * 16 + low) as u8;
                match value.is_ascii_alphanumeric() || b"-._~".contains(&value) {
                    true => out.push(char::from(value)),
                    false => out.push_str(&format!("%{value:02X}")),
                }
            }
            b if b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&b) => out.push(char::from(b)),
            _ => return Err("its path has characters that must be percent-encoded".into()),
        }
    }
    Ok(out)
}

/// Whether a server that decodes once more than it should, takes `\` for `/`, or cuts parameters (`;`) off before it looks at
/// dot segments, would find some.
fn hides_dots(segments: &[&str]) -> bool {
    let mut path = segments.join("/").into_bytes();
    for _ in 0..DECODINGS {
        let mut parts = path.split(|b| matches!(b, b'/' | b'\\'));
        let has_dots = parts.any(|part| {
            let name = part.split(|b| *b == b';').next().unwrap_or_default();
            matches!(name, b"." | b"..")
        });
        if has_dots || path.contains(&0) {
            return true;
        }
        path = decoded(&path);
    }
    false
}

fn decoded(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((first, after)) = rest.split_first() {
        let hex = |at: usize| after.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (first, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                rest = &after[2..];
            }
            _ => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}
