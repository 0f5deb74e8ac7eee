//! The *packed* calling convention, for any guest crate: `#[path = "../../packed.rs"] mod packed;`.
//!
//! The host calls `allocate(len)`, writes the input there and calls the guest's function with `(ptr, len)`. The
//! function only borrows the input and returns `(ptr << 32) | len` of its output. The host then hands both
//! regions back to `deallocate`. Where bit 31 of the length is set, the output is the message of an error.
//!
//! Every region is a leaked `Box<[u8]>`. Its layout is exactly `len` bytes with alignment 1, so the `(ptr, len)`
//! pair is all that it takes to free one, whichever side asked for it. An empty region owns nothing.

use std::{ptr, slice};

/// The bit of an output's length that makes it the message of an error.
const ERROR: u64 = 1 << 31;

/// Reserves `len` zeroed bytes for the host to write to. Traps when the memory cannot grow that far.
#[no_mangle]
pub extern "C" fn allocate(len: usize) -> *mut u8 {
    leak(vec![0; len])
}

/// Frees a region of `len` bytes.
///
/// # Safety
/// `(ptr, len)` comes from [`allocate`] or is the unpacked result of [`respond`], and was not freed before.
/// With `len` 0 any pointer will do.
#[no_mangle]
pub unsafe extern "C" fn deallocate(ptr: *mut u8, len: usize) {
    if len > 0 {
        // SAFETY: the caller's promise: this is the boxed slice that was leaked with this very length.
        drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(ptr, len)) });
    }
}

/// Lends the host's input to `answer` and returns the packed output.
///
/// # Safety
/// `ptr` points to `len` initialised bytes that nobody writes to during the call. With `len` 0 any pointer will do.
#[allow(dead_code)] // A guest takes this or the next.
pub unsafe fn respond(ptr: *const u8, len: usize, answer: impl FnOnce(&[u8]) -> Vec<u8>) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { try_respond(ptr, len, |input| Ok(answer(input))) }
}

/// The same for an `answer` that can fail. The caller of the guest then gets the message instead of an output.
///
/// # Safety
/// As for [`respond`].
#[allow(dead_code)]
pub unsafe fn try_respond(
    ptr: *const u8,
    len: usize,
    answer: impl FnOnce(&[u8]) -> Result<Vec<u8>, String>,
) -> u64 {
    let input = match len {
        0 => &[],
        // SAFETY: the caller's promise.
        _ => unsafe { slice::from_raw_parts(ptr, len) },
    };
    let (output, error) = match answer(input) {
        Ok(output) => (output, 0),
        Err(message) => (message.into_bytes(), ERROR),
    };
    let len = output.len() as u64;
    (leak(output) as u64) << 32 | error | len
}

/// Gives a region to the host. The one place that fixes its layout, and its element type: bytes.
fn leak(bytes: Vec<u8>) -> *mut u8 {
    Box::into_raw(bytes.into_boxed_slice()).cast()
}
