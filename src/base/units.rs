//! Parses numbers, sizes, times and directories from flags and policies. Pure.

use std::ffi::OsString;
use std::time::Duration;

/// A whole number; `_` may separate digits.
pub fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    digits.parse().map_err(|_| "not a whole number in range".to_string())
}

/// Bytes: a number, or one followed by KiB, MiB or GiB.
pub fn size(text: &str) -> Result<usize, String> {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    let unit = units.iter().find_map(|(name, bytes)| Some((text.strip_suffix(name)?, *bytes)));
    let (digits, bytes) = unit.unwrap_or((text, 1usize));
    let count: usize = number(digits.trim_end())
        .map_err(|_| "not a size: give bytes, or a whole number with KiB, MiB or GiB".to_string())?;
    count.checked_mul(bytes).ok_or_else(|| "more than this machine can address".into())
}

/// A duration like `500ms`, `5s` or `1m 30s`; `none` for no deadline.
pub fn timeout(text: &str) -> Result<Option<Duration>, String> {
    if text == "none" {
        return Ok(None);
    }
    humantime::parse_duration(text)
        .map(Some)
        .map_err(|_| "not a time: give one like 500ms, 5s or 2m, or `none`".into())
}

/// A duration like `500ms` or `5s`.
pub fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "not a time: give one like 500ms, 5s or 2m".into())
}

/// `HOST[::GUEST][:ro]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirArg {
    /// The host's directory.
    pub host: OsString,
    /// Its name for the guest.
    pub guest: String,
    /// Whether it is read-only.
    pub read_only: bool,
}

/// Parses a directory to open for a guest. Without GUEST, the guest sees it under its name on the host.
pub fn directory(text: &OsString) -> Result<DirArg, String> {
    let shown = text.to_string_lossy();
    let bytes = text.as_encoded_bytes();
    let (bytes, read_only) = match bytes.strip_suffix(b":ro") {
        Some(rest) => (rest, true),
        None => (bytes, false),
    };
    let split = bytes.windows(2).position(|two| two == b"::");
    let (host, guest) = split.map_or((bytes, bytes), |at| (&bytes[..at], &bytes[at + 2..]));
    let guest = std::str::from_utf8(guest)
        .map_err(|_| format!("`{shown}`: the guest's name for it must be UTF-8 (HOST::GUEST)"))?;
    // A colon in the guest's name is more likely a typing error, such as `:r0`, than intended.
    if host.is_empty() || guest.is_empty() || guest.contains(':') {
        return Err(format!("`{shown}`: give HOST, HOST::GUEST or either with :ro after it"));
    }
    let host = cut(text, host.len()).ok_or_else(|| format!("`{shown}`: not a path"))?;
    Ok(DirArg { host, guest: guest.into(), read_only })
}

/// The first `len` bytes of `word`.
#[cfg(unix)]
fn cut(word: &OsString, len: usize) -> Option<OsString> {
    use std::os::unix::ffi::OsStringExt;
    Some(OsString::from_vec(word.as_encoded_bytes()[..len].to_vec()))
}

#[cfg(not(unix))]
fn cut(word: &OsString, len: usize) -> Option<OsString> {
    Some(word.to_str()?[..len].into())
}
