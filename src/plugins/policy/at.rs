//! What is wrong with a policy, and where.

use crate::base::escape::cut;
use crate::base::limits::MESSAGE_BYTES_MAX;
use std::ops::Range;
#[cfg(feature = "cli")]
use std::path::Path;
use toml::Spanned;
use toml::de::DeTable;

/// The table in `text`, which is TOML.
///
/// # Errors
/// What is not.
pub fn table_of(text: &str) -> Result<Spanned<DeTable<'_>>, At> {
    DeTable::parse(text)
        .map_err(|error| At::new(error.span().unwrap_or(0..0), error.message().replace('\n', "; ")))
}

/// An error, and the bytes of the file that it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// Position in the file, in bytes.
    pub span: Range<usize>,
    /// The message.
    pub what: String,
    /// Whether the result may change without a change of the file.
    pub may_pass: bool,
}

impl At {
    /// What is wrong at `span`.
    pub(super) fn new(span: Range<usize>, what: impl Into<String>) -> At {
        // The message may repeat a word of the file, which may be the whole file. Listings and the log repeat
        // the message.
        At { span, what: cut(&what.into(), MESSAGE_BYTES_MAX), may_pass: false }
    }

    /// Where it is and what it is: `FILE:LINE:COLUMN: …`, of the file at `path` with `text`.
    #[cfg(feature = "cli")]
    pub fn told(&self, path: &Path, text: &str) -> String {
        let (line, column) = self.line_and_column(text);
        format!("{}:{line}:{column}: {}", path.display(), self.what)
    }

    /// Line and column of its start in `text`, counted from 1; columns in characters.
    pub fn line_and_column(&self, text: &str) -> (usize, usize) {
        let mut start = self.span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &text[..start];
        let line_begin = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_begin..].chars().count() + 1)
    }
}
