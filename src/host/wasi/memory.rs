//! Checked access to guest memory. Every pointer and length from a guest passes through here. Out of bounds is
//! `EFAULT`, and nothing is written unless all of it fits.
//!
//! Pointers need no alignment: the layouts of preview1 suggest one, but no guest depends on a check.

use super::abi::{Errno, IOVEC_BYTES};
use crate::base::limits::{HOST_CALL_BYTES_MAX, IOVECS_MAX, PATH_BYTES_MAX};

/// The `len` bytes at `ptr`.
pub fn slice(memory: &[u8], ptr: u32, len: u32) -> Result<&[u8], Errno> {
    let start = ptr as usize;
    let end = start.checked_add(len as usize).ok_or(Errno::Fault)?;
    memory.get(start..end).ok_or(Errno::Fault)
}

/// The `len` bytes at `ptr`, to be written.
pub fn slice_mut(memory: &mut [u8], ptr: u32, len: u32) -> Result<&mut [u8], Errno> {
    let start = ptr as usize;
    let end = start.checked_add(len as usize).ok_or(Errno::Fault)?;
    memory.get_mut(start..end).ok_or(Errno::Fault)
}

/// Reads a little-endian u32.
pub fn read_u32(memory: &[u8], ptr: u32) -> Result<u32, Errno> {
    let bytes = slice(memory, ptr, 4)?;
    Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

/// Writes `bytes` at `ptr`.
pub fn write(memory: &mut [u8], ptr: u32, bytes: &[u8]) -> Result<(), Errno> {
    let len = u32::try_from(bytes.len()).map_err(|_| Errno::Overflow)?;
    slice_mut(memory, ptr, len)?.copy_from_slice(bytes);
    Ok(())
}

/// Writes a little-endian u32.
pub fn write_u32(memory: &mut [u8], ptr: u32, value: u32) -> Result<(), Errno> {
    write(memory, ptr, &value.to_le_bytes())
}

/// Writes a little-endian u64.
pub fn write_u64(memory: &mut [u8], ptr: u32, value: u64) -> Result<(), Errno> {
    write(memory, ptr, &value.to_le_bytes())
}

/// Reads a list of iovecs and checks that each lies in memory. Gives (pointer, length) pairs whose sum is
/// at most `HOST_CALL_BYTES_MAX`: a longer list is cut, and the call that uses it is short.
pub fn iovecs(memory: &[u8], ptr: u32, count: u32) -> Result<Vec<(u32, u32)>, Errno> {
    if count > IOVECS_MAX {
        return Err(Errno::Inval);
    }
    let list = slice(memory, ptr, count * IOVEC_BYTES)?;
    let mut room = HOST_CALL_BYTES_MAX as u32;
    let mut out = Vec::with_capacity(count as usize);
    for entry in list.chunks_exact(IOVEC_BYTES as usize) {
        let base = u32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]);
        let len = u32::from_le_bytes([entry[4], entry[5], entry[6], entry[7]]);
        slice(memory, base, len)?;
        let taken = len.min(room);
        room -= taken;
        if taken > 0 {
            out.push((base, taken));
        }
    }
    Ok(out)
}

/// Reads a path. A guest's paths are UTF-8 (`string` in the specification), so `EILSEQ` if it is not;
/// `EINVAL` if it holds a NUL, which no host can pass on; `ENAMETOOLONG` beyond `PATH_BYTES_MAX`.
pub fn path(memory: &[u8], ptr: u32, len: u32) -> Result<&str, Errno> {
    let bytes = slice(memory, ptr, len)?;
    check_path(bytes)?;
    std::str::from_utf8(bytes).map_err(|_| Errno::Ilseq)
}

/// Checks what no path may be: `EINVAL` if it holds a NUL, `ENAMETOOLONG` beyond `PATH_BYTES_MAX`.
pub fn check_path(path: &[u8]) -> Result<(), Errno> {
    if path.len() > PATH_BYTES_MAX {
        return Err(Errno::Nametoolong);
    }
    if path.contains(&0) { Err(Errno::Inval) } else { Ok(()) }
}
