//! Decodes hexadecimal digits. Anything else is an error that says where.
//! Convention: packed, with an error.

#[path = "../../packed.rs"]
mod packed;

/// # Safety
/// As for [`packed::respond`].
#[no_mangle]
pub unsafe extern "C" fn unhex(ptr: *const u8, len: usize) -> u64 {
    unsafe { packed::try_respond(ptr, len, decode) }
}

fn decode(digits: &[u8]) -> Result<Vec<u8>, String> {
    let value = |at: usize| {
        let digit = char::from(digits[at]).to_digit(16);
        digit.ok_or_else(|| format!("no hexadecimal digit at byte {at}"))
    };
    if digits.len() % 2 != 0 {
        return Err(format!("{} digits, which is no even number", digits.len()));
    }
    let byte = |at: usize| Ok((value(at)? << 4 | value(at + 1)?) as u8);
    (0..digits.len()).step_by(2).map(byte).collect()
}
