//! Parses single values. Pure.

pub use crate::base::units::{duration, number, size, timeout};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::Duration;

/// A value that a range of the table of flags can be held against.
pub trait Measured {
    /// The largest of these numbers.
    const MOST: u64;

    /// The number that ranges mean: a count, bytes or nanoseconds. None for a value that is outside of all ranges.
    fn measure(&self) -> Option<u64>;
}

impl Measured for u32 {
    const MOST: u64 = u32::MAX as u64;

    fn measure(&self) -> Option<u64> {
        Some(u64::from(*self))
    }
}

impl Measured for u64 {
    const MOST: u64 = u64::MAX;

    fn measure(&self) -> Option<u64> {
        Some(*self)
    }
}

impl Measured for usize {
    const MOST: u64 = usize::MAX as u64;

    fn measure(&self) -> Option<u64> {
        Some(*self as u64)
    }
}

impl Measured for Duration {
    const MOST: u64 = u64::MAX;

    fn measure(&self) -> Option<u64> {
        Some(u64::try_from(self.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl Measured for Option<Duration> {
    const MOST: u64 = u64::MAX;

    fn measure(&self) -> Option<u64> {
        self.as_ref().and_then(Duration::measure)
    }
}

/// Whether `text` is a whole number of any size, with a sign or without.
pub fn is_whole_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A word that must be UTF-8.
pub fn text(word: OsString) -> Result<String, String> {
    word.into_string().map_err(|word| format!("`{}` is not UTF-8", word.to_string_lossy()))
}

/// `ADDRESS:PORT`, `:PORT` (loopback) or `localhost:PORT`.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let local = text.strip_prefix("localhost").unwrap_or(text);
    let full = if local.starts_with(':') { format!("127.0.0.1{local}") } else { local.to_string() };
    full.parse().map_err(|_| "not an address: give one like 127.0.0.1:8080 or [::1]:8080".into())
}

/// A number of percent, with the sign or without.
pub fn percent(text: &str) -> Result<u32, String> {
    number(text.strip_suffix('%').unwrap_or(text))
}

/// Parses an `--extism-config`.
pub fn setting(text: &OsString) -> Result<(String, String), String> {
    let shown = text.to_string_lossy();
    let text = text.to_str().ok_or_else(|| format!("--extism-config `{shown}`: not UTF-8"))?;
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.into(), value.into())),
        _ => Err(format!("--extism-config `{shown}`: give K=V")),
    }
}
