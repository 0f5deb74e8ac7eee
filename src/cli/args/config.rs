//! The file of `serve --config`: every flag of `serve` by its name, in TOML. What the command line gives as well, the
//! command line has.

use crate::cli::args::command::Command;
use crate::cli::args::parse::parse;
use crate::cli::args::table::lookup::flag_of_key;
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::plugins::policy::At;
use std::ffi::OsString;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A flag from the file, with its values as words.
#[derive(Debug, PartialEq)]
struct Set {
    flag: &'static str,
    values: Vec<String>,
    span: std::ops::Range<usize>,
}

/// `command`, with what its configuration file says, if it has one.
pub fn resolve(command: Command) -> Result<Command, Failure> {
    let Command::Configured { file, args } = command else { return Ok(command) };
    let failed = |what: String| Failure::new(exit::USAGE, format!("--config {}: {what}", file.display()));
    let text = std::fs::read_to_string(&file).map_err(|error| failed(error.to_string()))?;
    let told = |at: At| told(&file, &text, &at);
    let sets = read(&text).map_err(told)?;
    let words = ["serve".into()].into_iter().chain(merged(&sets, &args)).collect();
    parse(words).map_err(|what| {
        // An error begins with the flag that it is about.
        let flag = what.split([' ', ',']).next().unwrap_or_default();
        let is_given = args.iter().any(|arg| arg == flag);
        match sets.iter().find(|set| set.flag == flag && !is_given) {
            Some(set) => told(At { span: set.span.clone(), what: what.clone(), may_pass: false }),
            None => Failure::new(exit::USAGE, what),
        }
    })
}

fn told(file: &Path, text: &str, at: &At) -> Failure {
    let (line, column) = at.line_and_column(text);
    Failure::new(exit::USAGE, format!("{}:{line}:{column}: {}", file.display(), at.what))
}

/// The command line's words, and those of the file that they leave open.
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
    let table = DeTable::parse(text)
        .map_err(|error| wrong(error.span().unwrap_or(0..0), error.message().replace('\n', "; ")))?;
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
