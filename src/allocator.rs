//! The allocator of static binaries: several dlmallocs, each behind a lock of its own.
//!
//! musl's own takes the system's help for much of what it does. The crate `dlmalloc` has a global allocator, but its one lock
//! took a fifth of the gateway's processor time: a worker and the thread that reads for it allocate at the same time.
//! So threads take turns in getting one of a few arenas. A block goes back to where it came from, whoever frees it: the
//! number of its arena is in front of it.
#![allow(unsafe_code)]

use dlmalloc::Dlmalloc;
use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

/// Arenas. Few threads run at a time, and each arena keeps some free memory.
const ARENAS: usize = 4;

/// Bytes in front of a block, at least: they hold the number of its arena, and keep the alignment that most blocks have.
const HEAD_BYTES: usize = 16;

/// All memory of the program.
pub struct Arenas {
    arenas: [Mutex<Dlmalloc>; ARENAS],
    threads: AtomicUsize,
}

thread_local! {
    /// The arena of this thread, plus 1. A plain number: it needs no memory, and nothing to be done at the thread's end.
    static OWN: Cell<usize> = const { Cell::new(0) };
}

/// The layout of a block with its head, and the size of the head: a multiple of the alignment.
fn with_head(layout: Layout, size: usize) -> Option<(Layout, usize)> {
    let align = layout.align().max(HEAD_BYTES);
    let whole = Layout::from_size_align(size.checked_add(align)?, align).ok()?;
    Some((whole, align))
}

impl Arenas {
    /// Without memory yet.
    pub const fn new() -> Arenas {
        Arenas { arenas: [const { Mutex::new(Dlmalloc::new()) }; ARENAS], threads: AtomicUsize::new(0) }
    }

    /// The number of this thread's arena. A thread that is ending may have lost it, and uses the first.
    fn own(&self) -> usize {
        let own = OWN.try_with(|own| {
            if own.get() == 0 {
                own.set(1 + self.threads.fetch_add(1, Relaxed) % ARENAS);
            }
            own.get() - 1
        });
        own.unwrap_or(0)
    }

    /// The standard library's lock allocates nothing on Linux: it is a number and a futex.
    fn arena(&self, number: usize) -> MutexGuard<'_, Dlmalloc> {
        // Nothing panics while it is held.
        self.arenas[number % ARENAS].lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Gives back to the system what is free at the ends of the arenas.
    pub fn trim(&self) {
        for number in 0..ARENAS {
            // SAFETY: the arena is under its lock. What is given back is in no block.
            unsafe { self.arena(number).trim(0) };
        }
    }

    /// A block, by `take` of an arena.
    ///
    /// # Safety
    /// `take` gives a block of that size and alignment, or null.
    unsafe fn take(
        &self,
        layout: Layout,
        take: impl FnOnce(&mut Dlmalloc, usize, usize) -> *mut u8,
    ) -> *mut u8 {
        let Some((whole, head)) = with_head(layout, layout.size()) else { return std::ptr::null_mut() };
        let number = self.own();
        let begin = take(&mut self.arena(number), whole.size(), whole.align());
        if begin.is_null() {
            return begin;
        }
        // SAFETY: `begin` has `head` bytes more than the caller asked for, aligned to 16 and more.
        unsafe {
            begin.cast::<usize>().write(number);
            begin.add(head)
        }
    }
}

// SAFETY: a block lies in one of an arena that is larger by its head, behind which it begins, aligned because the head's size
// is a multiple of the alignment. Arenas are used under their locks only, and get back what they gave, with its size and
// alignment. Neither they nor the locks unwind.
unsafe impl GlobalAlloc for Arenas {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: `malloc` gives what `take` asks for; the size is not 0.
        unsafe { self.take(layout, |arena, size, align| arena.malloc(size, align)) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as of `alloc`.
        unsafe { self.take(layout, |arena, size, align| arena.calloc(size, align)) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some((whole, head)) = with_head(layout, layout.size()) else { return };
        // SAFETY: `block` came from `take` with this layout, so that its head is in front of it, and `whole` is what the
        // arena gave.
        unsafe {
            let begin = block.sub(head);
            let number = begin.cast::<usize>().read();
            self.arena(number).free(begin, whole.size(), whole.align());
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (Some((whole, head)), Some((larger, _))) =
            (with_head(layout, layout.size()), with_head(layout, size))
        else {
            return std::ptr::null_mut();
        };
        // SAFETY: as of `dealloc`. The head has the same size in both, and is moved with the block.
        unsafe {
            let begin = block.sub(head);
            let number = begin.cast::<usize>().read();
            let moved = self.arena(number).realloc(begin, whole.size(), whole.align(), larger.size());
            if moved.is_null() { moved } else { moved.add(head) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn trimming_takes_nothing_from_blocks() {
        static ARENAS: Arenas = Arenas::new();
        let layout = Layout::from_size_align(100_000, 16).unwrap();
        for round in 0..20 {
            let mut blocks: Vec<Block> = (0..20)
                // SAFETY: the layout is not empty.
                .map(|mark| Block { begin: unsafe { ARENAS.alloc(layout) } as usize, layout, mark })
                .collect();
            blocks.iter_mut().for_each(Block::fill);
            let freed = blocks.split_off(round);
            // SAFETY: each came from there with this layout, and goes back once.
            freed.iter().for_each(|block| unsafe { ARENAS.dealloc(block.begin as *mut u8, layout) });
            ARENAS.trim();
            assert!(blocks.iter().all(Block::is_whole), "{round}");
            // SAFETY: as above.
            blocks.iter().for_each(|block| unsafe { ARENAS.dealloc(block.begin as *mut u8, layout) });
        }
    }

    /// A block that knows what it holds.
    struct Block {
        begin: usize,
        layout: Layout,
        mark: u8,
    }

    impl Block {
        fn bytes(&self) -> &[u8] {
            // SAFETY: the block has this size, all of it was written, and it belongs to one thread at a time.
            unsafe { std::slice::from_raw_parts(self.begin as *const u8, self.layout.size()) }
        }

        fn fill(&mut self) {
            // SAFETY: the block has this size, and belongs to one thread at a time.
            unsafe { (self.begin as *mut u8).write_bytes(self.mark, self.layout.size()) }
        }

        fn is_whole(&self) -> bool {
            self.begin.is_multiple_of(self.layout.align())
                && self.bytes().iter().all(|byte| *byte == self.mark)
        }
    }

    /// Numbers without order (xorshift).
    fn next(state: &mut u64) -> usize {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 11) as usize
    }

    fn made(memory: &Arenas, state: &mut u64) -> Block {
        let size = 1 + next(state) % [20, 300, 5_000, 300_000][next(state) % 4];
        let layout = Layout::from_size_align(size, 1 << (next(state) % 13)).unwrap();
        let is_zeroed = next(state).is_multiple_of(2);
        // SAFETY: the layout is not empty.
        let begin = unsafe { if is_zeroed { memory.alloc_zeroed(layout) } else { memory.alloc(layout) } };
        assert!(!begin.is_null());
        let mut block = Block { begin: begin as usize, layout, mark: next(state) as u8 };
        assert!(!is_zeroed || block.bytes().iter().all(|byte| *byte == 0));
        block.fill();
        block
    }

    fn resized(memory: &Arenas, mut block: Block, size: usize) -> Block {
        let kept = size.min(block.layout.size());
        // SAFETY: the block came from there with this layout; the size is not 0.
        block.begin = unsafe { memory.realloc(block.begin as *mut u8, block.layout, size) } as usize;
        block.layout = Layout::from_size_align(size, block.layout.align()).unwrap();
        // SAFETY: what was there before was written.
        let before = unsafe { std::slice::from_raw_parts(block.begin as *const u8, kept) };
        assert!(before.iter().all(|byte| *byte == block.mark));
        block.fill();
        block
    }

    /// Threads make, resize and free blocks, their own and each other's. No byte of one is ever another's.
    #[test]
    fn blocks_keep_what_they_hold_whoever_frees_them() {
        let memory = Arenas::new();
        let (send, receive) = channel::<Block>();
        let receive = Mutex::new(receive);
        std::thread::scope(|scope| {
            for thread in 1..=2 * ARENAS as u64 {
                let (memory, send, receive) = (&memory, send.clone(), &receive);
                scope.spawn(move || {
                    let (mut state, mut held) = (thread.wrapping_mul(0x9E37_79B9_7F4A_7C15), Vec::new());
                    for _ in 0..3_000 {
                        match next(&mut state) % 4 {
                            0 | 1 => held.push(made(memory, &mut state)),
                            2 => {
                                let Some(block) = held.pop() else { continue };
                                let size = 1 + next(&mut state) % 10_000;
                                send.send(resized(memory, block, size)).unwrap();
                            }
                            _ => {
                                let other = receive.lock().unwrap().try_recv().ok();
                                let Some(block) = other.or_else(|| held.pop()) else { continue };
                                assert!(block.is_whole());
                                // SAFETY: it came from there with this layout, and nobody uses it any more.
                                unsafe { memory.dealloc(block.begin as *mut u8, block.layout) };
                            }
                        }
                    }
                    assert!(held.iter().all(Block::is_whole));
                });
            }
        });
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let memory = Arenas::new();
        let layout = Layout::from_size_align(isize::MAX as usize - 8, 8).unwrap();
        // SAFETY: the layout is not empty.
        assert!(unsafe { memory.alloc(layout) }.is_null());
        let small = Layout::from_size_align(8, 8).unwrap();
        // SAFETY: as above; and the block came from there with this layout.
        unsafe {
            let block = memory.alloc(small);
            block.write_bytes(7, 8);
            assert!(memory.realloc(block, small, isize::MAX as usize - 8).is_null());
            assert_eq!(std::slice::from_raw_parts(block, 8), [7; 8]);
            memory.dealloc(block, small);
        }
    }
}
