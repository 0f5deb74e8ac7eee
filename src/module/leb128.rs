//! Numbers of the binary format.

/// Appends `value` in unsigned LEB128 (core specification, section 5.2.2).
pub fn leb128(mut value: u32, out: &mut Vec<u8>) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            return out.push(byte);
        }
        out.push(byte | 0x80);
    }
}

/// `value` in unsigned LEB128 of at least `length` bytes; the binary format allows longer encodings.
pub fn leb128_of_length(value: u32, length: usize) -> Vec<u8> {
    let mut out = Vec::new();
    leb128(value, &mut out);
    while out.len() < length {
        if let Some(last) = out.last_mut() {
            *last |= 0x80;
        }
        out.push(0);
    }
    out
}

/// `value` in signed LEB128, as indices of types in block types are written (core specification, section 5.4.1).
pub fn leb128_signed(mut value: u32) -> Vec<u8> {
    let mut out = Vec::new();
    // The sixth bit of the last byte is the sign.
    while value >= 0x40 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}
