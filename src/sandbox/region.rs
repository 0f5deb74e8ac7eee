//! Where a guest's memory lies: a range of addresses that is reserved at its largest size, so that growth copies nothing,
//! and whose pages the system provides when they are first used.
//!
//! What an instance left there is zeroed for the next: by writing zeroes where pages are likely to be used again, and by
//! giving all other pages back to the system, whatever they hold. So what is known of the pages decides only how long
//! that takes.
#![allow(unsafe_code)]

use crate::base::heap;
use crate::base::limits::{PAGE_BYTES, RESERVED_PART};
use crate::base::share::{Budget, Share};
use rustix::mm::{self, Advice, MapFlags, ProtFlags};
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::sync::{Arc, LazyLock};

/// Gaps between used pages below this are zeroed with them, in bytes: writing them takes less time than a system call.
const GAP_BYTES: usize = 16 * 1024;

/// A memory of up to this size is zeroed by writing, as a whole: that takes as long as a system call, for which threads would
/// wait for each other.
const SMALL_BYTES: usize = PAGE_BYTES;

/// Ranges that are zeroed by writing. Each has a system call after it.
const RANGES_MAX: usize = 8;

/// Bytes that are zeroed by writing, and so stay with the process until the region is dropped.
const WRITTEN_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A reserved range of addresses. Its pages are private, and zero until they are written.
pub struct Region {
    start: NonNull<u8>,
    len: usize,
    /// Of the addresses, where they are limited.
    _share: Option<Share>,
}

/// Of the addresses, where they are limited.
static BUDGET: LazyLock<Option<Arc<Budget>>> = LazyLock::new(|| {
    let bytes = heap::address_limit()? / RESERVED_PART;
    Some(Budget::new(usize::try_from(bytes).unwrap_or(usize::MAX)))
});

// SAFETY: a region is memory like a vector's: no thread is special to it, and writing needs `&mut`.
unsafe impl Send for Region {}
// SAFETY: as above; `&Region` gives its length alone.
unsafe impl Sync for Region {}

impl Region {
    /// Reserves `len` bytes, a multiple of a WebAssembly page. None if the system does not do that as it is needed here,
    /// or has no room.
    pub fn reserve(len: usize) -> Option<Region> {
        if len == 0 || !len.is_multiple_of(PAGE_BYTES) || !*IS_RELIABLE || heap::is_strict() {
            return None;
        }
        let share = match &*BUDGET {
            Some(budget) => Some(budget.take(len)?),
            None => None,
        };
        // So that something is left for what cannot be refused.
        heap::check(len).ok()?;
        Region::map(len, share)
    }

    fn map(len: usize, share: Option<Share>) -> Option<Region> {
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::NORESERVE);
        // SAFETY: the system chooses addresses that nothing else has.
        let start = unsafe { mm::mmap_anonymous(ptr::null_mut(), len, access, flags) }.ok()?;
        let region = Region { start: NonNull::new(start.cast())?, len, _share: share };
        // One byte that a guest writes would otherwise take two megabytes, and the time to zero them. Where it fails, the
        // system knows no such pages.
        // SAFETY: the range is this region's own, and the advice changes no byte.
        let _ = unsafe { mm::madvise(start, len, Advice::LinuxNoHugepage) };
        Some(region)
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// All of its bytes.
    ///
    /// # Safety
    /// For as long as the slice, or what was made of it, is used, the caller keeps the region and takes no second slice.
    pub unsafe fn bytes(&mut self) -> &'static mut [u8] {
        // SAFETY: the range is mapped, readable and writable, until the region is dropped; every byte is initialised, by
        // the system at first. That nothing else refers to it is the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the range is this region's own, and whoever has a slice of it keeps the region.
        let _ = unsafe { mm::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

/// Zeroes all of `memory`, which begins a [`Region`]: `used` by writing, the rest by giving its pages back. The ranges
/// begin and end with pages of the system, in order.
pub fn zero(memory: &mut [u8], used: &[Range<usize>]) {
    let mut from = 0;
    for range in used {
        zero_unused(&mut memory[from..range.start]);
        memory[range.clone()].fill(0);
        from = range.end;
    }
    zero_unused(&mut memory[from..]);
}

/// Gives the pages after a memory of `len` bytes back to the system, whatever they hold.
///
/// # Safety
/// `memory` is where a memory begins that lies in a region of `capacity` bytes, and nothing refers to what is after its
/// first `len` bytes, which are whole pages.
pub unsafe fn release_tail(memory: *mut u8, len: usize, capacity: usize) {
    // SAFETY: the range is within the region, mapped, and nobody's by the caller's promise. Its bytes are initialised, by the
    // system or by who wrote them.
    zero_unused(unsafe { std::slice::from_raw_parts_mut(memory.add(len), capacity - len) });
}

/// Zeroes whole pages of a region by giving them back.
fn zero_unused(pages: &mut [u8]) {
    if pages.is_empty() {
        return;
    }
    // SAFETY: `&mut` shows that nothing else refers to these bytes. Of private anonymous memory, the advice drops whole
    // pages, whose bytes are zero from then on (madvise(2)); that this system does so was tried. It refuses what does not
    // begin with a page, or is locked, and then nothing has changed.
    let dropped = unsafe { mm::madvise(pages.as_mut_ptr().cast(), pages.len(), Advice::LinuxDontNeed) };
    if dropped.is_err() {
        pages.fill(0);
    }
}

/// Ranges of `memory`, which begins a [`Region`], whose pages are in use, or that are to be written anyway. None if there are too many, or if the system
/// does not say. What it says need not be true for [`zero`] to be right.
#[cfg(target_os = "linux")]
pub fn in_use(memory: &mut [u8]) -> Option<Vec<Range<usize>>> {
    if memory.len() <= SMALL_BYTES {
        return Some(std::iter::once(0..memory.len()).collect());
    }
    let page = rustix::param::page_size();
    let mut pages = vec![0_u8; memory.len().div_ceil(page)];
    // SAFETY: `pages` has a byte for each page of the range, which is mapped (mincore(2)). Nothing of it is read or
    // written.
    let said = unsafe { libc::mincore(memory.as_mut_ptr().cast(), memory.len(), pages.as_mut_ptr()) };
    if said != 0 {
        return None;
    }
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (number, _) in pages.iter().enumerate().filter(|(_, page)| **page & 1 == 1) {
        let (start, end) = (number * page, (number + 1) * page);
        let is_full = ranges.len() == RANGES_MAX;
        match ranges.last_mut() {
            Some(last) if start - last.end <= GAP_BYTES => last.end = end,
            _ if is_full => return None,
            _ => ranges.push(start..end),
        }
    }
    let bytes: usize = ranges.iter().map(Range::len).sum();
    (bytes <= WRITTEN_BYTES_MAX).then_some(ranges)
}

/// As above.
#[cfg(not(target_os = "linux"))]
pub fn in_use(_memory: &mut [u8]) -> Option<Vec<Range<usize>>> {
    None
}

/// Finds out, once, whether this system does what is needed here.
pub fn prepare() {
    LazyLock::force(&IS_RELIABLE);
}

/// Whether pages that are given back are zero. Linux says so; what only looks like Linux is tried.
static IS_RELIABLE: LazyLock<bool> = LazyLock::new(|| {
    if cfg!(not(target_os = "linux")) || !PAGE_BYTES.is_multiple_of(rustix::param::page_size()) {
        return false;
    }
    let Some(mut region) = Region::map(2 * PAGE_BYTES, None) else { return false };
    // SAFETY: the region outlives the slice, and there is no other.
    let bytes = unsafe { region.bytes() };
    bytes.fill(1);
    // SAFETY: as in `zero_unused`, which would hide a failure.
    let dropped = unsafe { mm::madvise(bytes.as_mut_ptr().cast(), PAGE_BYTES, Advice::LinuxDontNeed) };
    let (given_back, kept) = std::hint::black_box(bytes).split_at(PAGE_BYTES);
    dropped.is_ok() && given_back.iter().all(|byte| *byte == 0) && kept.iter().all(|byte| *byte == 1)
});

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    /// Pages of 64 KiB.
    const PAGES: usize = 4;

    /// A region of which these bytes were written, and what writes into it.
    fn written(at: &[usize]) -> (Region, &'static mut [u8]) {
        let mut region = Region::reserve(PAGES * PAGE_BYTES).unwrap();
        // SAFETY: every test drops the region last.
        let bytes = unsafe { region.bytes() };
        at.iter().for_each(|at| bytes[*at] = 7);
        (region, bytes)
    }

    fn is_zero(bytes: &[u8]) -> bool {
        bytes.iter().all(|byte| *byte == 0)
    }

    const SOME: [usize; 4] = [0, 5_000, PAGE_BYTES, PAGES * PAGE_BYTES - 1];

    #[test]
    fn zeroes_what_is_known_and_what_is_not() {
        let page = rustix::param::page_size();
        let wrong = [0..page, 2 * page..3 * page, 3 * PAGE_BYTES..3 * PAGE_BYTES + page];
        for count in 0..=wrong.len() {
            let used = &wrong[wrong.len() - count..];
            let (_region, bytes) = written(&SOME);
            zero(bytes, used);
            assert!(is_zero(bytes), "{used:?}");
        }
        let (_region, bytes) = written(&SOME);
        let used = in_use(bytes).unwrap();
        zero(bytes, &used);
        assert!(is_zero(bytes));
    }

    #[test]
    fn finds_the_pages_in_use() {
        let page = rustix::param::page_size();
        let (_region, bytes) = written(&[0, 2 * PAGE_BYTES + page]);
        let expected = [0..page, 2 * PAGE_BYTES + page..2 * PAGE_BYTES + 2 * page];
        assert_eq!(in_use(bytes).unwrap(), expected);
        // Too many ranges: every fifth page, and so none within a gap of another.
        let distance = GAP_BYTES + 2 * page;
        let mut region = Region::reserve(16 * PAGE_BYTES).unwrap();
        // SAFETY: the region is dropped last.
        let bytes = unsafe { region.bytes() };
        for n in 0..=RANGES_MAX {
            assert!(in_use(bytes).is_some_and(|ranges| ranges.len() == n), "{n}");
            bytes[n * distance] = 1;
        }
        assert_eq!(in_use(bytes), None);
        // Too many bytes.
        let mut region = Region::reserve(WRITTEN_BYTES_MAX + PAGE_BYTES).unwrap();
        // SAFETY: as above.
        let bytes = unsafe { region.bytes() };
        bytes[..WRITTEN_BYTES_MAX].fill(1);
        assert_eq!(in_use(bytes).unwrap().first(), Some(&(0..WRITTEN_BYTES_MAX)));
        bytes[WRITTEN_BYTES_MAX] = 1;
        assert_eq!(in_use(bytes), None);
    }

    #[test]
    fn zeroes_pages_that_the_system_does_not_take_back() {
        let (_region, bytes) = written(&SOME);
        let locked = &mut bytes[..rustix::param::page_size()];
        // SAFETY: locking changes no byte.
        if unsafe { mm::mlock(locked.as_mut_ptr().cast(), locked.len()) }.is_err() {
            return;
        }
        zero(bytes, &[]);
        assert!(is_zero(bytes));
    }

    #[test]
    fn zeroes_pages_that_are_swapped_out() {
        let (_region, bytes) = written(&SOME);
        let used = in_use(bytes).unwrap();
        // SAFETY: what is swapped out keeps its bytes. Without swap, nothing happens.
        let _ = unsafe { mm::madvise(bytes.as_mut_ptr().cast(), bytes.len(), Advice::LinuxPageOut) };
        zero(bytes, &used);
        assert!(is_zero(bytes));
        bytes[PAGE_BYTES] = 7;
        // SAFETY: as above.
        let _ = unsafe { mm::madvise(bytes.as_mut_ptr().cast(), bytes.len(), Advice::LinuxPageOut) };
        let used = in_use(bytes).unwrap();
        zero(bytes, &used);
        assert!(is_zero(bytes));
    }

    #[test]
    fn reserves_whole_pages_and_releases_them() {
        assert!(Region::reserve(0).is_none() && Region::reserve(PAGE_BYTES + 1).is_none());
        assert!(Region::reserve(usize::MAX / PAGE_BYTES * PAGE_BYTES).is_none());
        let (region, bytes) = written(&SOME);
        // SAFETY: what is after the first page is referred to by nobody else.
        unsafe { release_tail(bytes.as_mut_ptr(), PAGE_BYTES, region.len()) };
        assert_eq!((bytes[0], bytes[5_000], is_zero(&bytes[PAGE_BYTES..])), (7, 7, true));
        // SAFETY: as above.
        unsafe { release_tail(bytes.as_mut_ptr(), region.len(), region.len()) };
        assert_eq!(bytes[0], 7);
    }
}
