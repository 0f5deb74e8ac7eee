//! Allocations whose size a guest or a client decides. If the system has too little memory, the result is an
//! error. Rust's own `Vec` would abort the process.
//!
//! A system that overcommits refuses memory only where the address space is limited (`ulimit -v`), or where
//! overcommitting is off. There, these allocations leave some memory for the many small ones that cannot fail.

use crate::base::limits::{HEAP_CHECKED_BYTES, HEAP_SPARE_BYTES};
use rustix::process::{Resource, getrlimit};
use std::fmt;
use std::sync::{LazyLock, OnceLock};

/// The system has no memory for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoMemory;

impl fmt::Display for NoMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the system has no memory for it")
    }
}

impl From<NoMemory> for std::io::Error {
    fn from(_: NoMemory) -> std::io::Error {
        std::io::ErrorKind::OutOfMemory.into()
    }
}

/// Reserves room for `more` bytes.
///
/// # Errors
/// The system does not have that much, or would not have enough left.
pub fn reserve(buffer: &mut Vec<u8>, more: usize) -> Result<(), NoMemory> {
    if more <= buffer.capacity() - buffer.len() {
        return Ok(());
    }
    // A vector that grows takes twice of what it had.
    let wanted = more.max(buffer.capacity());
    if wanted >= HEAP_CHECKED_BYTES {
        check(wanted)?;
    }
    buffer.try_reserve(more).map_err(|_| NoMemory)
}

/// Appends `bytes`.
///
/// # Errors
/// As [`reserve`]; the buffer is unchanged.
pub fn extend(buffer: &mut Vec<u8>, bytes: &[u8]) -> Result<(), NoMemory> {
    reserve(buffer, bytes.len())?;
    buffer.extend_from_slice(bytes);
    Ok(())
}

/// So many zeros, for what is read into them.
///
/// # Errors
/// As [`reserve`].
#[cfg(any(feature = "component", feature = "isolation"))]
pub fn zeroed(size: usize) -> Result<Vec<u8>, NoMemory> {
    let mut bytes = Vec::new();
    reserve(&mut bytes, size)?;
    bytes.resize(size, 0);
    Ok(bytes)
}

/// A copy of `bytes`.
///
/// # Errors
/// As [`reserve`].
pub fn copy(bytes: &[u8]) -> Result<Vec<u8>, NoMemory> {
    let mut copy = Vec::new();
    extend(&mut copy, bytes)?;
    Ok(copy)
}

/// See [`is_strict`]. The system is asked once.
static IS_STRICT: LazyLock<bool> = LazyLock::new(|| {
    // proc_sys_vm(5): 2 is never to overcommit.
    let overcommit = std::fs::read_to_string("/proc/sys/vm/overcommit_memory");
    overcommit.is_ok_and(|text| text.trim() == "2")
});

/// Whether this system counts memory that was never used.
pub fn is_strict() -> bool {
    *IS_STRICT
}

/// What gives free memory of the program's allocator back to the system, if that has to be told.
static TRIM: OnceLock<fn()> = OnceLock::new();

/// Has [`trim`] call this.
pub fn trims_by(give_back: fn()) {
    // The first one stays.
    let _ = TRIM.set(give_back);
}

/// Gives free memory back to the system. What a load took stays with some allocators for good otherwise.
pub fn trim() {
    if let Some(give_back) = TRIM.get() {
        give_back();
    }
}

/// Asks the system what [`check`] has to know, while this process may still ask.
pub fn prepare() {
    LazyLock::force(&IS_STRICT);
    LazyLock::force(&ADDRESS_LIMIT);
}

/// Checks that the system has `bytes` and enough left.
///
/// # Errors
/// It does not.
pub fn check(bytes: usize) -> Result<(), NoMemory> {
    let all = bytes.checked_add(HEAP_SPARE_BYTES).ok_or(NoMemory)?;
    if !can_fail() {
        return Ok(());
    }
    let mut probe = Vec::<u8>::new();
    let has = probe.try_reserve_exact(all).map_err(|_| NoMemory);
    // Without this, the compiler may remove the unused allocation and assume that it succeeded.
    std::hint::black_box(probe.as_ptr());
    has
}

/// Counts small allocations of one operation, which cannot fail, and asks now and then whether there is memory for more.
#[cfg(feature = "component")]
#[derive(Debug, Default)]
pub struct Small {
    unasked_bytes: usize,
}

/// Bytes of small allocations between two questions: a part of what is left for those, as allocators take more for each.
#[cfg(feature = "component")]
const SMALL_BYTES: usize = HEAP_SPARE_BYTES / 8;

#[cfg(feature = "component")]
impl Small {
    /// Notes that `bytes` are about to be allocated.
    ///
    /// # Errors
    /// The system would not have enough left.
    pub fn take(&mut self, bytes: usize) -> Result<(), NoMemory> {
        self.unasked_bytes = self.unasked_bytes.saturating_add(bytes);
        if self.unasked_bytes < SMALL_BYTES {
            return Ok(());
        }
        self.unasked_bytes = 0;
        check(bytes)
    }
}

/// Whether this system refuses memory before it kills a process.
fn can_fail() -> bool {
    address_limit().is_some() || is_strict()
}

/// Bytes of addresses that this process may have, as it was when that was first asked. None if they are plenty.
pub fn address_limit() -> Option<u64> {
    *ADDRESS_LIMIT
}

static ADDRESS_LIMIT: LazyLock<Option<u64>> = LazyLock::new(|| {
    // getrlimit(2): memory that is mapped to be written counts to the data, too.
    let limits = [Resource::As, Resource::Data].map(|resource| getrlimit(resource).current);
    let machine = cfg!(target_pointer_width = "32").then_some(2 << 30);
    limits.into_iter().chain([machine]).flatten().min()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_much_is_an_error_and_changes_nothing() {
        let mut buffer = b"before".to_vec();
        assert_eq!(reserve(&mut buffer, isize::MAX as usize), Err(NoMemory));
        assert_eq!(reserve(&mut buffer, usize::MAX), Err(NoMemory));
        assert_eq!(check(usize::MAX), Err(NoMemory));
        assert_eq!(extend(&mut buffer, b" and after"), Ok(()));
        assert_eq!(buffer, b"before and after");
        assert_eq!(copy(&buffer), Ok(buffer));
    }
}
