//! Answers `Hello, ` followed by the input, whatever bytes that is.
//! The same guest as `wat/greet.wat`, with the bookkeeping left to Rust.
//! Convention: packed.

#[path = "../../packed.rs"]
mod packed;

const GREETING: &[u8] = b"Hello, ";

/// # Safety
/// As for [`packed::respond`].
#[no_mangle]
pub unsafe extern "C" fn greet(ptr: *const u8, len: usize) -> u64 {
    unsafe { packed::respond(ptr, len, |name| [GREETING, name].concat()) }
}
