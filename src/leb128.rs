//! Numbers in the binary format.

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

/// `value` in unsigned LEB128, in the five bytes that any takes.
pub fn leb128_padded(value: u32) -> [u8; 5] {
    std::array::from_fn(|k| {
        let bits = (value >> (7 * k)) as u8 & 0x7f;
        if k < 4 { bits | 0x80 } else { bits }
    })
}
