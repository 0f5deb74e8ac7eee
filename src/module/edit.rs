//! Insertions into a module's code before the interpreter sees it. `code_limits.rs` finds them, and
//! `rewrite.rs` makes them and says why.

use std::ops::Range;

/// What to insert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Insert {
    /// `i32.const 0; i32.or`.
    OrZero32,
    /// `i64.const 0; i64.or`.
    OrZero64,
    /// This many `nop`.
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

/// An insertion before the instruction at a byte of the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Insertion {
    at: u32,
    what: Insert,
}

impl Insertion {
    /// `what` at a byte of the module; `None` beyond 4 GiB, which no module has.
    pub fn new(at: usize, what: Insert) -> Option<Insertion> {
        Some(Insertion { at: u32::try_from(at).ok()?, what })
    }

    /// Position in bytes from the start of the module.
    pub fn at(&self) -> usize {
        self.at as usize
    }

    /// The inserted instructions.
    pub fn bytes(&self) -> &'static [u8] {
        self.what.bytes()
    }
}

// A hostile module has one for every three of its bytes, so it is small.
const _: () = assert!(size_of::<Insertion>() == 8);

/// A function body and its insertions.
#[derive(Debug, PartialEq, Eq)]
pub struct Edit {
    /// Position of the body in the module, without its size.
    pub body: Range<usize>,
    /// Position of its size.
    pub size_at: usize,
    /// Insertions, in order.
    pub insertions: Vec<Insertion>,
}

impl Edit {
    /// Bytes of the body with the insertions.
    pub fn new_size(&self) -> usize {
        self.body.len() + self.insertions.iter().map(|insertion| insertion.bytes().len()).sum::<usize>()
    }
}
