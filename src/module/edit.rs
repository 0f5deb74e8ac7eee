//! What is to be inserted into a module's code before the interpreter sees it: found by `vet.rs`, done by `rewrite.rs`,
//! which says why.

use std::ops::Range;

/// What is inserted somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Insert {
    /// `i32.const 0; i32.or`.
    OrZero32,
    /// `i64.const 0; i64.or`.
    OrZero64,
    /// So many `nop`.
    Nops(u8),
}

impl Insert {
    /// Its instructions (core specification, section 5.4).
    pub fn bytes(self) -> &'static [u8] {
        match self {
            Insert::OrZero32 => &[0x41, 0x00, 0x72],
            Insert::OrZero64 => &[0x42, 0x00, 0x84],
            Insert::Nops(count) => &[0x01; u8::MAX as usize][..usize::from(count)],
        }
    }
}

/// A place in the module, and what comes before the instruction there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Insertion {
    at: u32,
    what: Insert,
}

impl Insertion {
    /// `what` at so many bytes from the module's first; none beyond 4 GiB, which no module has.
    pub fn new(at: usize, what: Insert) -> Option<Insertion> {
        Some(Insertion { at: u32::try_from(at).ok()?, what })
    }

    /// Bytes from the module's first.
    pub fn at(&self) -> usize {
        self.at as usize
    }

    /// The instructions that are inserted.
    pub fn bytes(&self) -> &'static [u8] {
        self.what.bytes()
    }
}

// A hostile module has one for every three of its bytes.
const _: () = assert!(size_of::<Insertion>() == 8);

/// A function body, and what is inserted into it.
#[derive(Debug, PartialEq, Eq)]
pub struct Edit {
    /// Where the body is in the module, its size not included.
    pub body: Range<usize>,
    /// Where its size is.
    pub size_at: usize,
    /// What is inserted, in order.
    pub insertions: Vec<Insertion>,
}

impl Edit {
    /// Bytes of the body, with what is inserted.
    pub fn new_size(&self) -> usize {
        self.body.len() + self.insertions.iter().map(|insertion| insertion.bytes().len()).sum::<usize>()
    }
}
