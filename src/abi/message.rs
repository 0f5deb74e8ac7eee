//! The message of an error that a guest gave.

use crate::base::escape::printable_lines;
use crate::base::limits::MESSAGE_BYTES_MAX;

/// A guest's text, cut off where it is too long, without control characters.
pub fn shown_message(message: &[u8]) -> String {
    let cut = &message[..message.len().min(MESSAGE_BYTES_MAX)];
    let text = String::from_utf8_lossy(cut);
    let text = text.trim_end_matches(|c| message.len() > cut.len() && c == char::REPLACEMENT_CHARACTER);
    format!("{}{}", printable_lines(text), if message.len() > cut.len() { "…" } else { "" })
}
