//! Strings in the three encodings of the canonical ABI (`CanonicalABI.md`, "Loading" and "Storing" of strings).

use super::handles::Trap;
use crate::base::heap;
use crate::module::component::plan::Encoding;

/// In the length of a string, whether its encoding is UTF-16 and not Latin-1.
const UTF16_TAG: u32 = 1 << 31;

/// Code units, alignment, and whether they are of UTF-16, of a string with this length in this encoding.
pub fn layout(encoding: Encoding, len: u32) -> (u32, u32, bool) {
    match encoding {
        Encoding::Utf8 => (len, 1, false),
        Encoding::Utf16 => (len, 2, true),
        Encoding::Latin1OrUtf16 => (len & !UTF16_TAG, 2, len & UTF16_TAG != 0),
    }
}

/// The text of these bytes.
///
/// # Errors
/// They are no text.
pub fn decode(encoding: Encoding, is_utf16: bool, bytes: &[u8]) -> Result<String, Trap> {
    let mut out = Vec::new();
    // A code unit of UTF-16 takes up to three bytes in UTF-8, and one of Latin-1 up to two.
    let most = match encoding {
        Encoding::Utf8 => bytes.len(),
        _ if is_utf16 => bytes.len() / 2 * 3,
        _ => 2 * bytes.len(),
    };
    heap::reserve(&mut out, most).map_err(|_| "the system has no memory for a string")?;
    let mut out = String::from_utf8(out).unwrap_or_default();
    if is_utf16 {
        let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        for c in char::decode_utf16(units) {
            out.push(c.map_err(|_| "a string is not UTF-16")?);
        }
        return Ok(out);
    }
    if encoding == Encoding::Utf8 {
        out.push_str(std::str::from_utf8(bytes).map_err(|_| "a string is not UTF-8")?);
        return Ok(out);
    }
    // The first 256 characters of Unicode are those of Latin-1.
    out.extend(bytes.iter().map(|byte| char::from(*byte)));
    Ok(out)
}

/// A string as a guest gets it: its bytes, their alignment, and the length that goes with the pointer.
///
/// # Errors
/// It is too long.
pub fn encode(encoding: Encoding, text: &str) -> Result<(std::borrow::Cow<'_, [u8]>, u32, u32), Trap> {
    let len = |len: usize| {
        u32::try_from(len)
            .ok()
            .filter(|len| *len < UTF16_TAG)
            .ok_or_else(|| "a string is too long".to_string())
    };
    let room = |bytes: usize| {
        let mut room = Vec::new();
        heap::reserve(&mut room, bytes).map_err(|_| "the system has no memory for a string")?;
        Ok::<_, Trap>(room)
    };
    let utf16 = || {
        // A byte of UTF-8 is at most one code unit.
        let mut bytes = room(2 * text.len())?;
        bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        Ok::<_, Trap>(bytes)
    };
    Ok(match encoding {
        Encoding::Utf8 => (text.as_bytes().into(), 1, len(text.len())?),
        Encoding::Utf16 => {
            let bytes = utf16()?;
            let units = len(bytes.len() / 2)?;
            (bytes.into(), 2, units)
        }
        Encoding::Latin1OrUtf16 if text.chars().all(|c| u32::from(c) < 256) => {
            let mut bytes = room(text.len())?;
            bytes.extend(text.chars().map(|c| c as u8));
            let units = len(bytes.len())?;
            (bytes.into(), 2, units)
        }
        Encoding::Latin1OrUtf16 => {
            let bytes = utf16()?;
            let units = len(bytes.len() / 2)?;
            (bytes.into(), 2, units | UTF16_TAG)
        }
    })
}
