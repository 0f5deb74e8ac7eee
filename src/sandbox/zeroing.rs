//! An allocator that hands out the memory of value stacks cleaned.
//!
//! The interpreter takes the memory of its value stack from the allocator as it comes and trusts itself never to
//! read a cell before it has written it. Its translator has had a fault that did just that (`docs/upstream.md`), and a
//! guest read other clients' requests there, which the host had held in the same memory before. Such a read gives
//! zeroes here, whatever the next fault is. A value stack is made of cells of eight bytes, so only what is aligned
//! as they are is cleaned: not text, not bodies of requests, not linear memory, which the interpreter fills itself.
//!
//! The `fuelbox` program uses it. A program that uses the library has an allocator of its own and should wrap it.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout};

/// An allocator that cleans what it hands out of `A`, as far as the interpreter's value stack could be in it. Should the
/// interpreter once more read what it never wrote, guests find zeroes there and nothing of the program's.
///
/// ```
/// use std::alloc::System;
///
/// #[global_allocator]
/// static ALLOCATOR: fuelbox::ZeroingAllocator<System> = fuelbox::ZeroingAllocator(System);
/// # fn main() {}
/// ```
pub struct ZeroingAllocator<A>(pub A);

/// Bytes below which nothing is cleaned: a value stack begins with [`crate::base::limits::STACK_BYTES_INITIAL`].
const SMALLEST_BYTES: usize = crate::base::limits::STACK_BYTES_INITIAL;

/// Whether a value stack may have this layout.
fn may_hold_cells(layout: Layout, bytes: usize) -> bool {
    bytes >= SMALLEST_BYTES && layout.align() >= align_of::<u64>()
}

// SAFETY: every block comes from `A` by the very call that was made here, or by `alloc_zeroed`, whose contract is
// `alloc`'s and more; it goes back to `A` with the layout that it came with. No method unwinds unless `A` does.
unsafe impl<A: GlobalAlloc> GlobalAlloc for ZeroingAllocator<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises for `alloc` are all that either asks for: a layout that is not empty.
        unsafe {
            if may_hold_cells(layout, layout.size()) {
                self.0.alloc_zeroed(layout)
            } else {
                self.0.alloc(layout)
            }
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: `block` came from `A` with this layout.
        unsafe { self.0.dealloc(block, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are passed on.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promises are passed on.
        let moved = unsafe { self.0.realloc(block, layout, size) };
        if !moved.is_null() && size > layout.size() && may_hold_cells(layout, size) {
            // SAFETY: `moved` has `size` bytes, of which those from the old size on are new and nobody's yet.
            unsafe { moved.add(layout.size()).write_bytes(0, size - layout.size()) };
        }
        moved
    }
}
