//! Takes flags and words from the command line, and parses addresses and directories. Pure.

pub use crate::base::units::{duration, number, size, timeout};
use pico_args::Arguments;
use std::ffi::OsString;
use std::net::SocketAddr;

/// The value of `flag`, parsed; the error names the flag and the value.
pub fn value<T>(
    args: &mut Arguments,
    flag: &'static str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    let Some(text) = os_value(args, flag)? else { return Ok(None) };
    let shown = text.to_string_lossy().into_owned();
    let parsed = text.to_str().ok_or_else(|| "not UTF-8".to_string()).and_then(parse);
    parsed.map(Some).map_err(|what| format!("{flag} `{shown}`: {what}"))
}

/// The value of `flag` as it is.
pub fn os_value(args: &mut Arguments, flag: &'static str) -> Result<Option<OsString>, String> {
    let taken = args.opt_value_from_os_str(flag, |value| Ok::<_, String>(value.to_os_string()));
    taken.map_err(|error| match error {
        pico_args::Error::OptionWithoutAValue(_) => format!("{flag} needs a value"),
        other => other.to_string(),
    })
}

/// The words left, none of which may look like a flag.
pub fn free(args: Arguments) -> Result<Vec<OsString>, String> {
    let words = args.finish();
    for word in &words {
        let shown = word.to_string_lossy();
        let is_number = shown.parse::<f64>().is_ok();
        if shown.starts_with('-') && shown != "-" && !is_number {
            let name = shown.split('=').next().unwrap_or_default();
            return Err(if KNOWN_FLAGS.contains(&name) {
                format!("{name} is given twice, or is not a flag of this command")
            } else {
                format!("unknown flag {name} (a guest's own arguments go after `--`)")
            });
        }
    }
    Ok(words)
}

/// Every flag of every command.
pub const KNOWN_FLAGS: &[&str] = &[
    "--fuel",
    "--timeout",
    "--memory-pages",
    "--max-input",
    "--max-output",
    "--max-module",
    "--max-recursion",
    "--max-stack",
    "--max-table-elements",
    "--plugins",
    "--config",
    "--policy-dirs",
    "--trusted-key",
    "--token-file",
    "--env",
    "--extism-config",
    "--dir",
    "--deterministic",
    "--seed",
    "--dir-quota",
    "--max-descriptors",
    "--report",
    "--abi",
    "--data",
    "--data-file",
    "--listen",
    "--address",
    "--workers",
    "--max-connections",
    "--max-connections-per-client",
    "--client-share",
    "--trust-forwarded",
    "--max-head",
    "--max-body",
    "--body-budget",
    "--head-timeout",
    "--body-timeout",
    "--idle-timeout",
    "--write-timeout",
    "--queue",
    "--queue-timeout",
    "--warm",
    "--warm-memory",
    "--warm-uses",
    "--warm-idle",
    "--man",
    "--completions",
    "--log-format",
    "--access-log",
];

/// Flags without a value.
const SWITCHES: &[&str] = &["--report", "--deterministic", "--man"];

/// Makes two words of each `--flag=value`, whatever bytes the value has. pico-args would do so for UTF-8
/// only, and would take quotes away.
pub fn split_equals(words: Vec<OsString>) -> Vec<OsString> {
    let mut out: Vec<OsString> = Vec::with_capacity(words.len());
    let mut is_value = false;
    for word in words {
        let pair = word.as_encoded_bytes().iter().position(|byte| *byte == b'=').and_then(|at| {
            let name = std::str::from_utf8(&word.as_encoded_bytes()[..at]).ok()?;
            Some((name.to_string(), after(&word, at + 1)?))
        });
        match pair {
            Some((name, value)) if !is_value && takes_value(&name) => out.extend([name.into(), value]),
            _ => {
                is_value = !is_value && word.to_str().is_some_and(takes_value);
                out.push(word);
            }
        }
    }
    out
}

/// Whether one of `names` is among `words`, and not as the value of a flag; takes it out.
pub fn take_switch(words: &mut Vec<OsString>, names: [&str; 2]) -> bool {
    let mut is_value = false;
    let found = words.iter().position(|word| {
        let found = !is_value && names.iter().any(|name| word == name);
        is_value = !is_value && word.to_str().is_some_and(takes_value);
        found
    });
    found.map(|at| words.remove(at)).is_some()
}

/// Whether the flag `name` has a value.
fn takes_value(name: &str) -> bool {
    KNOWN_FLAGS.contains(&name) && !SWITCHES.contains(&name)
}

/// The bytes of `word` from `at` on.
#[cfg(unix)]
fn after(word: &OsString, at: usize) -> Option<OsString> {
    use std::os::unix::ffi::OsStringExt;
    Some(OsString::from_vec(word.as_encoded_bytes()[at..].to_vec()))
}

#[cfg(not(unix))]
fn after(word: &OsString, at: usize) -> Option<OsString> {
    Some(word.to_str()?[at..].into())
}

/// Refuses words that are left.
pub fn nothing_left(args: Arguments) -> Result<(), String> {
    match free(args)?.first() {
        Some(extra) => Err(unexpected(extra)),
        None => Ok(()),
    }
}

/// The error for a word too many.
pub fn unexpected(word: &OsString) -> String {
    format!("unexpected argument `{}`", word.to_string_lossy())
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
    let text = text.to_str().ok_or_else(|| format!("--extism-config `{shown}` is not UTF-8"))?;
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.into(), value.into())),
        _ => Err(format!("--extism-config `{shown}`: give K=V")),
    }
}
