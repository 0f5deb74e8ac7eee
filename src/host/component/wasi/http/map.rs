//! Header fields as the host keeps them: valid, and no more than a response may have.

use crate::base::escape::is_token;
use crate::base::limits::REPLY_HEAD_BYTES_MAX;
use crate::host::component::account::{Account, Kept};
use crate::host::component::fail::Fail;
use crate::host::component::value::Value;
use crate::host::wasi::ctx::WasiCtx;

/// Fields of a response. `Status` is one more where it is printed, and the reader of a program's output takes 100.
pub const FIELDS_MAX: usize = 99;

/// Bytes of a response's fields as they are printed. With the line `Status: 200` and the empty line at their end they are
/// the 16 KiB that the reader of a program's output takes.
pub const FIELDS_BYTES_MAX: usize = REPLY_HEAD_BYTES_MAX - STATUS_BYTES;

const STATUS_BYTES: usize = "Status: 200\r\n\r\n".len();

/// Bytes of header fields that are kept, beside bodies that wait for their head.
const FIELDS_KEPT_BYTES_MAX: usize = 256 * 1024;

/// Bytes that a field takes beside its name and its value, at a rough guess.
const ENTRY_BYTES: usize = 64;

const CONTENT_LENGTH: &str = "content-length";

/// Fields that concern a connection, and `host`, which is the authority of a request. A guest sees none of them and sets none.
const FORBIDDEN: [&str; 11] = [
    "connection",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Why fields are not changed: the cases of `header-error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderError {
    /// A name or a value has characters that it must not have.
    InvalidSyntax,
    /// The name is not the guest's to set; or there would be too many fields, or too many bytes of them.
    Forbidden,
    /// They cannot be changed.
    Immutable,
}

impl HeaderError {
    /// As a value.
    pub fn value(self) -> Value {
        Value::case(match self {
            HeaderError::InvalidSyntax => 0,
            HeaderError::Forbidden => 1,
            HeaderError::Immutable => 2,
        })
    }
}

/// Why something was not done.
#[derive(Debug, PartialEq)]
pub enum Refused {
    /// The guest is told.
    Told(HeaderError),
    /// It is stopped.
    Fail(Fail),
}

impl From<HeaderError> for Refused {
    fn from(error: HeaderError) -> Refused {
        Refused::Told(error)
    }
}

/// Fields in their order. Names are as they were written, and compared without regard to case.
pub struct Map {
    entries: Vec<(String, Vec<u8>)>,
    /// Bytes of the fields as they are printed.
    bytes: usize,
    kept: Kept,
    /// Bytes that all shares of the account may have.
    limit: usize,
}

impl Map {
    /// No fields. What they will take is counted to `account`, which has at most `limit` bytes.
    pub fn new(account: &Account, limit: usize) -> Map {
        Map { entries: Vec::new(), bytes: 0, kept: account.share(), limit }
    }

    /// The same fields once more.
    ///
    /// # Errors
    /// The account is full.
    pub fn copy(&self, account: &Account, limit: usize) -> Result<Map, Fail> {
        let mut copy = Map::new(account, limit);
        for (name, value) in &self.entries {
            copy.put(name, value)?;
        }
        Ok(copy)
    }

    /// Adds a field, unless it is none that a guest may set.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn append(&mut self, name: &str, value: &[u8]) -> Result<(), Refused> {
        check_name(name)?;
        check_value(name, value)?;
        let bytes = self.bytes.saturating_add(printed_bytes(name, value));
        if self.entries.len() >= FIELDS_MAX || bytes > FIELDS_BYTES_MAX {
            return Err(HeaderError::Forbidden.into());
        }
        self.put(name, value).map_err(Refused::Fail)
    }

    /// Adds a field of a request. One that is not valid, or not for the guest, is left out.
    ///
    /// # Errors
    /// The account is full.
    pub fn receive(&mut self, name: &str, value: &[u8]) -> Result<(), Fail> {
        match check_name(name).and_then(|()| check_value(name, value)) {
            Ok(()) => self.put(name, value),
            Err(_) => Ok(()),
        }
    }

    fn put(&mut self, name: &str, value: &[u8]) -> Result<(), Fail> {
        if !self.kept.grow(ENTRY_BYTES + name.len() + value.len(), self.limit) {
            return Err(full(self.limit));
        }
        self.bytes += printed_bytes(name, value);
        self.entries.push((name.into(), value.into()));
        Ok(())
    }

    /// Has the fields `name` be these.
    ///
    /// # Errors
    /// What is wrong with them. Nothing is changed then.
    pub fn set(&mut self, name: &str, values: &[&[u8]]) -> Result<(), Refused> {
        check_name(name)?;
        for value in values {
            check_value(name, value)?;
        }
        let old = self.get(name);
        let (old_count, old_bytes) =
            old.fold((0, 0), |(count, bytes), value| (count + 1, bytes + printed_bytes(name, value)));
        let bytes = values.iter().map(|value| printed_bytes(name, value)).fold(0, usize::saturating_add);
        let count = self.entries.len() - old_count + values.len();
        if count > FIELDS_MAX || (self.bytes - old_bytes).saturating_add(bytes) > FIELDS_BYTES_MAX {
            return Err(HeaderError::Forbidden.into());
        }
        self.remove(name);
        for value in values {
            self.put(name, value).map_err(Refused::Fail)?;
        }
        Ok(())
    }

    /// Takes the fields `name` away.
    ///
    /// # Errors
    /// It is no name that a guest may set.
    pub fn delete(&mut self, name: &str) -> Result<(), HeaderError> {
        check_name(name)?;
        self.remove(name);
        Ok(())
    }

    fn remove(&mut self, name: &str) {
        let (kept, bytes) = (&mut self.kept, &mut self.bytes);
        self.entries.retain(|(own, value)| {
            let stays = !own.eq_ignore_ascii_case(name);
            if !stays {
                kept.shrink(ENTRY_BYTES + own.len() + value.len());
                *bytes -= printed_bytes(own, value);
            }
            stays
        });
    }

    /// The values of the fields `name`.
    pub fn get(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let is_it = move |(own, _): &&(String, Vec<u8>)| own.eq_ignore_ascii_case(name);
        self.entries.iter().filter(is_it).map(|(_, value)| &**value)
    }

    /// All fields.
    pub fn entries(&self) -> &[(String, Vec<u8>)] {
        &self.entries
    }

    /// Bytes of all names and values.
    pub fn text_bytes(&self) -> u64 {
        (self.bytes - self.entries.len() * printed_bytes("", b"")) as u64
    }

    /// Bytes that they are counted with.
    pub fn kept_bytes(&self) -> usize {
        self.kept.bytes()
    }

    /// Whether a response may have these.
    pub fn fits(&self) -> bool {
        self.entries.len() <= FIELDS_MAX && self.bytes <= FIELDS_BYTES_MAX
    }

    /// Bytes of the fields as they are printed.
    pub fn printed_bytes(&self) -> usize {
        self.bytes
    }

    /// The length that they give the body.
    ///
    /// # Errors
    /// There are two of them.
    pub fn content_length(&self) -> Result<Option<u64>, ()> {
        let mut lengths = self.get(CONTENT_LENGTH).map(length);
        let first = lengths.next().flatten();
        if lengths.all(|other| other == first) { Ok(first) } else { Err(()) }
    }
}

/// Bytes that are kept of header fields and bodies. What is sent of them counts to the output.
pub fn kept_max(ctx: &WasiCtx) -> usize {
    ctx.files.stdout.room().saturating_add(FIELDS_KEPT_BYTES_MAX)
}

/// The guest is stopped, as more than `limit` bytes would be kept for it.
pub fn full(limit: usize) -> Fail {
    Fail::trap(format!("headers and bodies that wait to be sent take more than {limit} bytes"))
}

/// `name: value` and a line end.
fn printed_bytes(name: &str, value: &[u8]) -> usize {
    name.len() + ": ".len() + value.len() + "\r\n".len()
}

/// Whether a guest may set a field of this name.
///
/// # Errors
/// Why not.
pub fn check_name(name: &str) -> Result<(), HeaderError> {
    if !is_token(name) {
        return Err(HeaderError::InvalidSyntax);
    }
    match FORBIDDEN.iter().any(|forbidden| name.eq_ignore_ascii_case(forbidden)) {
        true => Err(HeaderError::Forbidden),
        false => Ok(()),
    }
}

/// Whether a field may have this value: no control characters but the tab (RFC 9110, section 5.5); and a length is a number.
fn check_value(name: &str, value: &[u8]) -> Result<(), HeaderError> {
    let is_text = value.iter().all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f));
    let is_length = !name.eq_ignore_ascii_case(CONTENT_LENGTH) || length(value).is_some();
    if is_text && is_length { Ok(()) } else { Err(HeaderError::InvalidSyntax) }
}

fn length(value: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(value).ok()?;
    if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
}
