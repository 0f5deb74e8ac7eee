//! The configuration file of `serve --config`: flags of `serve` by name, in TOML. The command line overrides
//! it.

use crate::cli::args::command::Command;
use crate::cli::args::parse::parse;
use crate::cli::args::table::lookup::flag_of_key;
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::plugins::policy::{At, table_of};
use std::ffi::OsString;
use std::path::Path;
use toml::Spanned;
use toml::de::DeValue;

/// A flag from the file, with its values as words.
#[derive(Debug, PartialEq)]
struct Set {
    flag: &'static str,
    values: Vec<String>,
    span: std::ops::Range<usize>,
}

/// Adds the configuration file to `command`, if it has one.
pub fn resolve(command: Command) -> Result<Command, Failure> {
    let Command::Configured { file, args } = command else { return Ok(command) };
    let failed = |what: String| Failure::new(exit::USAGE, format!("--config {}: {what}", file.display()));
    let text = std::fs::read_to_string(&file).map_err(|error| failed(error.to_string()))?;
    let told = |at: At| told(&file, &text, &at);
    let sets = read(&text).map_err(told)?;
    let words = ["serve".into()].into_iter().chain(merged(&sets, &args)).collect();
    parse(words).map_err(|what| {
        // An error starts with the name of the flag.
        let flag = what.split([' ', ',']).next().unwrap_or_default();
        let is_given = args.iter().any(|arg| arg == flag);
        match sets.iter().find(|set| set.flag == flag && !is_given) {
            Some(set) => told(At { span: set.span.clone(), what: what.clone(), may_pass: false }),
            None => Failure::new(exit::USAGE, what),
        }
    })
}

fn told(file: &Path, text: &str, at: &At) -> Failure {
    Failure::new(exit::USAGE, at.told(file, text))
}

/// The words of the command line, and those of the file that it does not override.
fn merged(sets: &[Set], args: &[OsString]) -> Vec<OsString> {
    let mut words = args.to_vec();
    for set in sets.iter().filter(|set| !args.iter().any(|arg| arg == set.flag)) {
        for value in &set.values {
            words.extend([OsString::from(set.flag), value.into()]);
        }
    }
    words
}

fn read(text: &str) -> Result<Vec<Set>, At> {
    let wrong = |span, what: String| At { span, what, may_pass: false };
    let table = table_of(text)?;
    let mut sets = Vec::new();
    for (key, value) in table.get_ref().iter() {
        let flag = flag_of_key(key.get_ref()).map_err(|what| wrong(key.span(), what))?.name;
        let values = match value.get_ref() {
            DeValue::Array(list) => list.iter().map(word).collect(),
            _ => word(value).map(|word| vec![word]),
        };
        let values = values.map_err(|span| wrong(span, format!("{flag} takes a string or a number")))?;
        sets.push(Set { flag, values, span: key.span() });
    }
    Ok(sets)
}

/// A value as it would be written on the command line.
fn word(value: &Spanned<DeValue<'_>>) -> Result<String, std::ops::Range<usize>> {
    match value.get_ref() {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().into()),
        _ => Err(value.span()),
    }
}
