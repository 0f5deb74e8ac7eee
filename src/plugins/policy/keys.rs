//! The keys of a policy's file and the types of their values. What the values mean is checked in `file.rs`.
//!
//! Each key is read by hand: code that serde derives for the same tables takes five times the space in the binary.

use super::at::{At, table_of};
use super::plugin::Access;
use super::routes::RawRoute;
use crate::base::units;
use std::collections::BTreeMap;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value as it is in the file.
type Value<'a> = Spanned<DeValue<'a>>;

/// The values of the keys.
#[derive(Default)]
pub struct Raw {
    pub convention: Option<Spanned<String>>,
    pub functions: Option<Spanned<Vec<Spanned<String>>>>,
    pub access: Access,
    pub workers: Option<Spanned<usize>>,
    pub warm: Option<usize>,
    pub isolation: Option<Spanned<String>>,
    pub content_type: Option<Spanned<String>>,
    pub args: Vec<Spanned<String>>,
    /// Each with its function, if one is named.
    pub routes: Vec<RawRoute>,
    pub wagi: bool,
    pub trace: bool,
    pub limits: Option<Spanned<RawLimits>>,
    pub env: BTreeMap<String, Spanned<String>>,
    pub dirs: Vec<Spanned<String>>,
    /// For Extism plug-ins.
    pub config: BTreeMap<String, Spanned<String>>,
    /// Patterns of URLs.
    pub http: Vec<Spanned<String>>,
}

const KEYS: &[&str] = &[
    "convention",
    "functions",
    "access",
    "workers",
    "warm",
    "isolation",
    "content-type",
    "args",
    "routes",
    "wagi",
    "trace",
    "limits",
    "env",
    "dirs",
    "config",
    "http",
];

/// Named like the server's flags, which are their upper bounds.
#[derive(Default)]
pub struct RawLimits {
    pub fuel: Option<Spanned<u64>>,
    pub timeout: Option<Spanned<Option<Duration>>>,
    pub memory_pages: Option<Spanned<u32>>,
    pub max_input: Option<Spanned<usize>>,
    pub max_output: Option<Spanned<usize>>,
    pub max_recursion: Option<Spanned<usize>>,
    pub max_stack: Option<Spanned<usize>>,
    pub max_table_elements: Option<Spanned<u32>>,
    pub max_descriptors: Option<Spanned<usize>>,
    pub dir_quota: Option<Spanned<u64>>,
    pub http_calls: Option<Spanned<u32>>,
}

const LIMIT_KEYS: &[&str] = &[
    "fuel",
    "timeout",
    "memory-pages",
    "max-input",
    "max-output",
    "max-recursion",
    "max-stack",
    "max-table-elements",
    "max-descriptors",
    "dir-quota",
    "http-calls",
];

/// Reads the keys of the file `text`.
///
/// # Errors
/// It is no TOML or empty, a key is unknown, or a value has the wrong type.
pub fn read(text: &str) -> Result<Raw, At> {
    let table = table_of(text)?;
    if !holds_a_value(table.get_ref()) {
        // Editors leave an empty file for an instant before they write. As a policy, it would allow everything.
        return Err(At::new(
            0..0,
            "the policy is empty: it has no key; a plug-in without a policy needs no file",
        ));
    }
    let mut raw = Raw::default();
    for (key, value) in table.get_ref().iter() {
        match key.get_ref().as_ref() {
            "convention" => raw.convention = Some(string(value)?),
            "functions" => raw.functions = Some(Spanned::new(value.span(), strings(value)?)),
            "access" => raw.access = access(value)?,
            "workers" => raw.workers = Some(count(value)?),
            "warm" => raw.warm = Some(count(value)?.into_inner()),
            "isolation" => raw.isolation = Some(string(value)?),
            "content-type" => raw.content_type = Some(string(value)?),
            "args" => raw.args = strings(value)?,
            "routes" => raw.routes = routes(value)?,
            "wagi" => raw.wagi = flag(value)?,
            "trace" => raw.trace = flag(value)?,
            "limits" => raw.limits = Some(Spanned::new(value.span(), limits(value)?)),
            "env" => raw.env = named_strings(value)?,
            "dirs" => raw.dirs = strings(value)?,
            "config" => raw.config = named_strings(value)?,
            "http" => raw.http = strings(value)?,
            _ => return Err(unknown(key, KEYS)),
        }
    }
    Ok(raw)
}

fn limits(value: &Value<'_>) -> Result<RawLimits, At> {
    let mut raw = RawLimits::default();
    for (key, value) in table(value)?.iter() {
        match key.get_ref().as_ref() {
            "fuel" => raw.fuel = Some(Spanned::new(value.span(), number(value, u64::MAX)?)),
            "timeout" => raw.timeout = Some(time(value)?),
            "memory-pages" => raw.memory_pages = Some(small(value)?),
            "max-input" => raw.max_input = Some(size(value)?),
            "max-output" => raw.max_output = Some(size(value)?),
            "max-recursion" => raw.max_recursion = Some(count(value)?),
            "max-stack" => raw.max_stack = Some(size(value)?),
            "max-table-elements" => raw.max_table_elements = Some(small(value)?),
            "max-descriptors" => raw.max_descriptors = Some(count(value)?),
            "dir-quota" => raw.dir_quota = Some(Spanned::new(value.span(), size(value)?.into_inner() as u64)),
            "http-calls" => raw.http_calls = Some(small(value)?),
            _ => return Err(unknown(key, LIMIT_KEYS)),
        }
    }
    Ok(raw)
}

/// Whether a table or one of its subtables has a key. Comments and headings alone do not count.
fn holds_a_value(table: &DeTable<'_>) -> bool {
    table.iter().any(|(_, value)| match value.get_ref() {
        DeValue::Table(table) => holds_a_value(table),
        _ => true,
    })
}

fn unknown(key: &Spanned<std::borrow::Cow<'_, str>>, keys: &[&str]) -> At {
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    At::new(key.span(), format!("unknown field `{}`, expected one of {}", key.get_ref(), keys.join(", ")))
}

/// The value is not repeated: it may be a secret, and everyone can read the message.
fn invalid(value: &Value<'_>, expected: &str) -> At {
    At::new(value.span(), format!("invalid type: {}, expected {expected}", value.get_ref().type_str()))
}

fn table<'v, 'a>(value: &'v Value<'a>) -> Result<&'v DeTable<'a>, At> {
    value.get_ref().as_table().ok_or_else(|| invalid(value, "a table"))
}

fn text<'v>(value: &'v Value<'_>, expected: &str) -> Result<&'v str, At> {
    value.get_ref().as_str().ok_or_else(|| invalid(value, expected))
}

fn string(value: &Value<'_>) -> Result<Spanned<String>, At> {
    Ok(Spanned::new(value.span(), text(value, "a string")?.to_string()))
}

fn strings(value: &Value<'_>) -> Result<Vec<Spanned<String>>, At> {
    value
        .get_ref()
        .as_array()
        .ok_or_else(|| invalid(value, "a list of strings"))?
        .iter()
        .map(string)
        .collect()
}

fn named_strings(value: &Value<'_>) -> Result<BTreeMap<String, Spanned<String>>, At> {
    let mut named = BTreeMap::new();
    for (name, value) in table(value)?.iter() {
        named.insert(name.get_ref().to_string(), string(value)?);
    }
    Ok(named)
}

/// A list of routes, or a table of routes and their functions.
fn routes(value: &Value<'_>) -> Result<Vec<RawRoute>, At> {
    let Some(table) = value.get_ref().as_table() else {
        return Ok(strings(value)?.into_iter().map(|route| (route, None)).collect());
    };
    let named = |(route, function): (&Spanned<_>, &Value<'_>)| {
        let route: &std::borrow::Cow<'_, str> = route.get_ref();
        Ok((Spanned::new(function.span(), route.to_string()), Some(string(function)?)))
    };
    table.iter().map(named).collect()
}

fn flag(value: &Value<'_>) -> Result<bool, At> {
    value.get_ref().as_bool().ok_or_else(|| invalid(value, "true or false"))
}

fn access(value: &Value<'_>) -> Result<Access, At> {
    let name = text(value, "`open` or `token`")?;
    let unknown = || At::new(value.span(), format!("unknown variant `{name}`, expected `open` or `token`"));
    [Access::Open, Access::Token].into_iter().find(|access| access.name() == name).ok_or_else(unknown)
}

/// A whole number of at most `most`.
fn number(value: &Value<'_>, most: u64) -> Result<u64, At> {
    let DeValue::Integer(digits) = value.get_ref() else { return Err(invalid(value, "a whole number")) };
    let number = u64::from_str_radix(digits.as_str(), digits.radix()).ok().filter(|number| *number <= most);
    number.ok_or_else(|| At::new(value.span(), format!("expected a whole number from 0 to {most}")))
}

fn small(value: &Value<'_>) -> Result<Spanned<u32>, At> {
    Ok(Spanned::new(value.span(), number(value, u32::MAX.into())? as u32))
}

fn count(value: &Value<'_>) -> Result<Spanned<usize>, At> {
    Ok(Spanned::new(value.span(), number(value, usize::MAX as u64)? as usize))
}

/// A number of bytes, or a string such as "64KiB".
fn size(value: &Value<'_>) -> Result<Spanned<usize>, At> {
    if let DeValue::Integer(_) = value.get_ref() {
        return count(value);
    }
    let text = text(value, "a size: bytes, or a text such as \"64KiB\"")?;
    units::size(text)
        .map(|bytes| Spanned::new(value.span(), bytes))
        .map_err(|what| At::new(value.span(), what))
}

/// A string such as "500ms"; "none" for none.
fn time(value: &Value<'_>) -> Result<Spanned<Option<Duration>>, At> {
    let text = text(value, "a time such as \"500ms\"")?;
    units::timeout(text)
        .map(|time| Spanned::new(value.span(), time))
        .map_err(|what| At::new(value.span(), what))
}
