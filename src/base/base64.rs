//! Base64 (RFC 4648, section 4), with padding.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The text of `bytes`.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * place)) as usize % 64];
            text.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// The bytes that `text` is the one text of.
#[cfg(any(feature = "component", feature = "cli", feature = "nats"))]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for group in digits.as_bytes().chunks(4) {
        let mut bits = 0;
        for digit in group {
            bits = bits << 6 | u32::from(value(*digit)?);
        }
        let unused = group.len() * 6 % 8;
        if group.len() == 1 || bits & ((1 << unused) - 1) != 0 {
            return None;
        }
        bits >>= unused;
        let count = group.len() * 6 / 8;
        bytes.extend((0..count).rev().map(|place| (bits >> (8 * place)) as u8));
    }
    let padding = digits.len().next_multiple_of(4) - digits.len();
    (text.len() - digits.len() == padding).then_some(bytes)
}

#[cfg(any(feature = "component", feature = "cli", feature = "nats"))]
fn value(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(all(test, feature = "component"))]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_that_of_its_bytes_alone() {
        // RFC 4648, section 10.
        let all = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, text) in all {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!(encode(&[0xfb, 0xff, 0xfe]), "+//+");
        for wrong in [
            "Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8", "Zm9v=", "====", "=", "Z=g=", "-//-", "Zm9v\n",
            "é===",
        ] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
        let bytes: Vec<u8> = (0..=255).collect();
        for len in 0..bytes.len() {
            assert_eq!(decode(&encode(&bytes[len..])).as_deref(), Some(&bytes[len..]));
        }
    }
}
