//! Takes chunked bodies apart (RFC 9112, section 7.1).

use super::problem::{BAD_REQUEST, TOO_LARGE};
use super::reject::{NO_ROOM, Reject, reject};
use crate::base::escape::is_token;
use crate::base::heap;

/// A chunk's size line with its extensions, in bytes.
const CHUNK_LINE_BYTES_MAX: usize = 256;

/// The trailer section after the last chunk, in bytes.
const TRAILER_BYTES_MAX: usize = 4096;

/// Where a chunked body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expecting {
    Size,
    Data(usize),
    DataEnd,
    Trailer,
}

/// Takes a chunked body apart (RFC 9112, section 7.1); extensions and trailers are read and dropped.
#[derive(Debug)]
pub struct Chunked {
    expecting: Expecting,
    trailer_bytes: usize,
}

impl Default for Chunked {
    fn default() -> Self {
        Chunked { expecting: Expecting::Size, trailer_bytes: 0 }
    }
}

impl Chunked {
    /// Takes what it can from `input` and appends data to `body`. Gives the number of bytes taken, and
    /// whether the body is complete; what is left over must be given again with more behind it.
    ///
    /// # Errors
    /// [`Reject`] with 413 for a body of more than `max` bytes, 400 for anything malformed.
    pub fn feed(&mut self, input: &[u8], body: &mut Vec<u8>, max: usize) -> Result<(usize, bool), Reject> {
        let mut rest = input;
        loop {
            let taken = input.len() - rest.len();
            match self.expecting {
                Expecting::Size => {
                    let Some((line, after)) = line(rest, CHUNK_LINE_BYTES_MAX)? else {
                        return Ok((taken, false));
                    };
                    let size = chunk_size(line)?;
                    if size > (max - body.len()) as u64 {
                        return reject(TOO_LARGE, "the body is too large");
                    }
                    rest = after;
                    self.expecting =
                        if size == 0 { Expecting::Trailer } else { Expecting::Data(size as usize) };
                }
                Expecting::Data(left) => {
                    let n = left.min(rest.len());
                    heap::extend(body, &rest[..n]).map_err(|_| NO_ROOM)?;
                    rest = &rest[n..];
                    self.expecting = if n == left { Expecting::DataEnd } else { Expecting::Data(left - n) };
                    if n < left {
                        return Ok((taken + n, false));
                    }
                }
                Expecting::DataEnd => match rest {
                    [b'\r', b'\n', after @ ..] => {
                        rest = after;
                        self.expecting = Expecting::Size;
                    }
                    [] | [b'\r'] => return Ok((taken, false)),
                    _ => return reject(BAD_REQUEST, "a chunk is longer than its size"),
                },
                Expecting::Trailer => {
                    let room = TRAILER_BYTES_MAX - self.trailer_bytes;
                    let Some((line, after)) = line(rest, room)? else { return Ok((taken, false)) };
                    self.trailer_bytes += rest.len() - after.len();
                    rest = after;
                    if line.is_empty() {
                        return Ok((input.len() - rest.len(), true));
                    }
                    check_trailer(line)?;
                    if self.trailer_bytes >= TRAILER_BYTES_MAX {
                        return reject(BAD_REQUEST, "the trailer section is too long");
                    }
                }
            }
        }
    }
}

/// A line, and what follows it.
type Line<'a> = (&'a [u8], &'a [u8]);

/// The line at the beginning of `bytes` without its CR LF, and what follows; `None` while it is not whole.
fn line(bytes: &[u8], max: usize) -> Result<Option<Line<'_>>, Reject> {
    match bytes.iter().position(|byte| !(0x20..0x7f).contains(byte) && *byte != b'\t') {
        Some(at) if at > max => reject(BAD_REQUEST, "a line of a chunked body is too long"),
        None if bytes.len() > max => reject(BAD_REQUEST, "a line of a chunked body is too long"),
        None => Ok(None),
        Some(at) => match &bytes[at..] {
            [b'\r', b'\n', after @ ..] => Ok(Some((&bytes[..at], after))),
            [b'\r'] => Ok(None),
            _ => reject(BAD_REQUEST, "a line of a chunked body does not end with CR LF"),
        },
    }
}

/// A trailer is a header field (RFC 9112, section 7.1.2), dropped or not: another reader could take what is none for the
/// next request.
fn check_trailer(line: &[u8]) -> Result<(), Reject> {
    let name = line.iter().position(|byte| *byte == b':').map(|at| &line[..at]);
    match name.and_then(|name| std::str::from_utf8(name).ok()).is_some_and(is_token) {
        true => Ok(()),
        false => reject(BAD_REQUEST, "a trailer is no header field"),
    }
}

/// The size in hexadecimal; what follows a semicolon is an extension.
fn chunk_size(line: &[u8]) -> Result<u64, Reject> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let digits = digits.trim_ascii_end();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return reject(BAD_REQUEST, "a chunk size is not a hexadecimal number");
    }
    let significant = digits.trim_ascii_start();
    let text = std::str::from_utf8(significant).unwrap_or_default();
    // More than a u64 holds is too large, whatever the limit.
    Ok(u64::from_str_radix(text, 16).unwrap_or(u64::MAX))
}
