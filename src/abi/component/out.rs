//! Text that is printed, and may not become longer than allowed.
//!
//! Names in a type are as long as a component makes them, and a value of one byte may stand for one of them.

use crate::base::heap;
use std::fmt;

/// Why a value is not printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotPrinted {
    /// The text would be longer than allowed.
    TooLong,
    /// The system has no memory for it.
    NoMemory,
    /// It has a resource in it.
    Handle,
    /// It is not of its type.
    Mismatch,
}

impl fmt::Display for NotPrinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotPrinted::TooLong => "the value is too long as text",
            NotPrinted::NoMemory => "the system has no memory for the value as text",
            NotPrinted::Handle => HANDLE,
            NotPrinted::Mismatch => "the value is not of its type",
        })
    }
}

/// What is said where a value would have to be a resource.
pub const HANDLE: &str = "a handle of a resource cannot be written as text";

/// So much of a text is written anew at once.
const PIECE_BYTES: usize = 4096;

/// A text that becomes longer.
pub struct Out {
    text: Vec<u8>,
    most: usize,
}

impl Out {
    /// It may have at most `most` bytes.
    pub fn new(most: usize) -> Out {
        Out { text: Vec::new(), most }
    }

    /// Appends `text`.
    pub fn push(&mut self, text: &str) -> Result<(), NotPrinted> {
        if text.len() > self.most - self.text.len() {
            return Err(NotPrinted::TooLong);
        }
        heap::extend(&mut self.text, text.as_bytes()).map_err(|_| NotPrinted::NoMemory)
    }

    /// Appends `text` as `written` makes it out of its pieces.
    pub fn push_written(&mut self, text: &str, written: fn(&str) -> String) -> Result<(), NotPrinted> {
        let mut rest = text;
        while !rest.is_empty() {
            let mut end = rest.len().min(PIECE_BYTES);
            while !rest.is_char_boundary(end) {
                end -= 1;
            }
            let (piece, more) = rest.split_at(end);
            self.push(&written(piece))?;
            rest = more;
        }
        Ok(())
    }

    /// How long it is.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Takes back what was appended after it had so many bytes.
    pub fn truncate(&mut self, len: usize) {
        self.text.truncate(len);
    }

    /// The text.
    pub fn finish(self) -> String {
        String::from_utf8(self.text).unwrap_or_default()
    }
}
