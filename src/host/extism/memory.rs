//! The host's memory for an Extism plug-in: blocks of bytes outside its linear memory, each at a 64-bit offset,
//! and which of them are input, output and error (Extism's documentation, "Memory").
//!
//! Offsets only increase until all blocks are freed, so a stale offset never refers to another block. This file
//! does not know the limit: before an allocation, callers ask the limiter for [`cost`].

use crate::base::limits::BLOCK_OVERHEAD_BYTES;
use std::collections::BTreeMap;
use std::ops::Range;

/// Offsets of blocks are multiples of this. That leaves at least a byte between two blocks: the end of one is
/// never the start of the next.
const ALIGN: u64 = 16;

/// Bytes that a block of `len` bytes counts for.
pub fn cost(len: usize) -> usize {
    len.saturating_add(BLOCK_OVERHEAD_BYTES)
}

/// The blocks of one call.
pub struct Blocks {
    /// By offset. None is empty.
    live: BTreeMap<u64, Box<[u8]>>,
    next: u64,
    input: u64,
    output: Output,
    /// Where the message of an error begins; 0 without one.
    error: u64,
}

/// The output that the plug-in set.
#[derive(Default)]
enum Output {
    #[default]
    None,
    /// A part of the block at `block`.
    In { block: u64, part: Range<usize> },
    /// A part of a block that was freed since. The plug-in keeps its output.
    Freed { bytes: Box<[u8]>, part: Range<usize> },
}

impl Default for Blocks {
    fn default() -> Self {
        // Offset 0 is no block.
        Blocks { live: BTreeMap::new(), next: ALIGN, input: 0, output: Output::None, error: 0 }
    }
}

impl Blocks {
    /// The number of blocks, including a freed output.
    pub fn len(&self) -> usize {
        self.live.len() + usize::from(matches!(self.output, Output::Freed { .. }))
    }

    /// Makes a block of `bytes` and returns its offset; 0 for no bytes.
    pub fn insert(&mut self, bytes: Box<[u8]>) -> u64 {
        let offset = self.next;
        let end = offset.checked_add(bytes.len() as u64 + 1);
        match end.and_then(|end| end.checked_next_multiple_of(ALIGN)) {
            Some(next) if !bytes.is_empty() => self.next = next,
            _ => return 0,
        }
        self.live.insert(offset, bytes);
        offset
    }

    /// Frees the block that starts at `offset`. Returns the bytes that no longer count; 0 if there is no block.
    pub fn free(&mut self, offset: u64) -> usize {
        let Some(bytes) = self.live.remove(&offset) else { return 0 };
        match std::mem::take(&mut self.output) {
            Output::In { block, part } if block == offset => {
                self.output = Output::Freed { bytes, part };
                0
            }
            other => {
                self.output = other;
                cost(bytes.len())
            }
        }
    }

    /// The block that begins at `offset`.
    pub fn get(&self, offset: u64) -> Option<&[u8]> {
        self.live.get(&offset).map(|bytes| &**bytes)
    }

    /// Its length; 0 if there is none.
    pub fn length(&self, offset: u64) -> u64 {
        self.get(offset).map_or(0, |bytes| bytes.len() as u64)
    }

    /// Up to `N` bytes at `offset`, which may be inside a block; zeroes beyond its end, or without a block.
    pub fn load<const N: usize>(&self, offset: u64) -> [u8; N] {
        let before = self.live.range(..=offset).next_back();
        before.map_or([0; N], |(start, bytes)| padded(bytes, offset - start))
    }

    /// Writes `value` at `offset`, as far as it fits the block there, if any.
    pub fn store(&mut self, offset: u64, value: &[u8]) {
        let before = self.live.range_mut(..=offset).next_back();
        let Some((start, bytes)) = before else { return };
        let at = usize::try_from(offset - start).unwrap_or(usize::MAX);
        if let Some(room) = bytes.get_mut(at..) {
            let fits = room.len().min(value.len());
            room[..fits].copy_from_slice(&value[..fits]);
        }
    }

    /// Makes the block at `offset` the input.
    pub fn set_input(&mut self, offset: u64) {
        self.input = offset;
    }

    /// Where the input is; 0 without one.
    pub fn input(&self) -> u64 {
        self.input
    }

    /// Bytes of the input; 0 once it is freed.
    pub fn input_length(&self) -> u64 {
        self.length(self.input)
    }

    /// The byte at `index` of the input; 0 beyond it.
    pub fn input_byte(&self, index: u64) -> u8 {
        self.get(self.input).map_or(0, |bytes| padded::<1>(bytes, index)[0])
    }

    /// The eight bytes at `index` of the input; 0 if they are not all there.
    pub fn input_word(&self, index: u64) -> u64 {
        let is_there = index.checked_add(8).is_some_and(|end| end <= self.input_length());
        let word = self.get(self.input).filter(|_| is_there).map(|bytes| padded(bytes, index));
        word.map_or(0, u64::from_le_bytes)
    }

    /// Makes `len` bytes at `offset` the output, if they are in one block. Otherwise nothing changes. Returns
    /// the bytes that no longer count.
    pub fn set_output(&mut self, offset: u64, len: u64) -> usize {
        let Some((start, bytes)) = self.live.range(..=offset).next_back() else { return 0 };
        let from = offset - start;
        let Some(end) = from.checked_add(len).filter(|end| *end <= bytes.len() as u64) else { return 0 };
        let output = Output::In { block: *start, part: from as usize..end as usize };
        match std::mem::replace(&mut self.output, output) {
            Output::Freed { bytes, .. } => cost(bytes.len()),
            _ => 0,
        }
    }

    /// The output; nothing if none was set.
    pub fn output(&self) -> &[u8] {
        let (bytes, part) = match &self.output {
            Output::None => return &[],
            Output::In { block, part } => (self.get(*block), part),
            Output::Freed { bytes, part } => (Some(&**bytes), part),
        };
        bytes.and_then(|bytes| bytes.get(part.clone())).unwrap_or(&[])
    }

    /// Makes the text at `offset` the error message; 0 for none. An offset outside all blocks changes nothing.
    pub fn set_error(&mut self, offset: u64) {
        let before = self.live.range(..=offset).next_back();
        let is_inside = before.is_some_and(|(start, bytes)| offset - start < bytes.len() as u64);
        if offset == 0 || is_inside {
            self.error = offset;
        }
    }

    /// Where the message of an error is; 0 without one.
    pub fn error(&self) -> u64 {
        self.error
    }
}

/// `N` bytes of `bytes` from `from`, zeroes beyond the end.
fn padded<const N: usize>(bytes: &[u8], from: u64) -> [u8; N] {
    let mut padded = [0; N];
    let rest = usize::try_from(from).ok().and_then(|from| bytes.get(from..)).unwrap_or(&[]);
    let there = rest.len().min(N);
    padded[..there].copy_from_slice(&rest[..there]);
    padded
}
