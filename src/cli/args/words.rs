//! The words of a command line, from which flags and operands are taken. A flag must be in the table to be
//! taken. Pure.

use crate::cli::args::table::flag::{Flag, Range, Topic};
use crate::cli::args::table::lookup;
use crate::cli::args::values::{Measured, is_whole_number};
use pico_args::Arguments;
use std::cell::Cell;
use std::ffi::OsString;

/// The words after the command.
pub struct Words {
    topic: Topic,
    args: Arguments,
}

impl Words {
    /// The words of a command, whose flags are all in the table.
    ///
    /// # Errors
    /// A sentence about the first word that is not a flag of the command, or lacks its value.
    pub fn new(topic: Topic, words: Vec<OsString>) -> Result<Words, String> {
        check(topic, &words)?;
        Ok(Words { topic, args: Arguments::from_vec(words) })
    }

    /// The entry of the flag `name`. Without one, the flag cannot be given; the parser's tests detect that.
    fn flag(&self, name: &str) -> Result<&'static Flag, String> {
        let mut flags = lookup::flags_of(self.topic);
        flags.find(|flag| flag.name == name).ok_or_else(|| format!("{name} is not in the table of flags"))
    }

    /// Whether the switch is given.
    pub fn switch(&mut self, name: &'static str) -> Result<bool, String> {
        let flag = self.flag(name)?;
        Ok(self.args.contains(flag.name))
    }

    /// The unparsed value of a flag.
    pub fn os_value(&mut self, name: &'static str) -> Result<Option<OsString>, String> {
        let flag = self.flag(name)?;
        let taken = self.args.opt_value_from_os_str(flag.name, |value| Ok::<_, String>(value.to_os_string()));
        taken.map_err(|error| unusable(flag, error))
    }

    /// The values of a repeatable flag.
    pub fn all(&mut self, name: &'static str) -> Result<Vec<OsString>, String> {
        let flag = self.flag(name)?;
        let values = self.args.values_from_os_str(flag.name, |value| Ok::<_, String>(value.to_os_string()));
        values.map_err(|error| unusable(flag, error))
    }

    /// The value of a flag, parsed; an error names the flag and the value.
    pub fn value<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        let Some(text) = self.os_value(name)? else { return Ok(None) };
        let shown = text.to_string_lossy();
        let parsed = text.to_str().ok_or_else(|| "not UTF-8".to_string()).and_then(parse);
        parsed.map(Some).map_err(|what| format!("{name} `{shown}`: {what}"))
    }

    /// A value within the flag's range.
    pub fn measured<T: Measured>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        let Some(range) = self.flag(name)?.range else { return self.value(name, parse) };
        let has_none = self.flag(name)?.value.is_some_and(|value| value.ends_with("|none"));
        let none = if has_none { "; `none` sets no limit" } else { "" };
        let outside = Cell::new(None);
        let value = self.value(name, |text| {
            let parsed = parse(text);
            let is_negative = text.starts_with('-');
            let allowed = match &parsed {
                Ok(value) if value.measure().is_none_or(|value| range.contains(value)) => None,
                Ok(_) => Some(range),
                // A number that does not fit the type.
                Err(_) if !range.is_of_numbers() || !is_whole_number(text) => None,
                Err(_) if is_negative => Some(range),
                Err(_) => Some(Range { most: Some(range.most.unwrap_or(T::MOST)), ..range }),
            };
            outside.set(allowed.map(|range| format!("{name} {text}: {}{none}", range.refusal())));
            parsed
        });
        outside.into_inner().map_or(value, Err)
    }

    /// One of the values that the table lists.
    pub fn choice<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let choices = lookup::choices(self.flag(name)?).unwrap_or_default();
        self.value(name, |text| parse(text).ok_or_else(|| format!("use {choices}")))
    }

    /// The operands: the words left after all flags are taken.
    pub fn operands(self) -> Result<Vec<OsString>, String> {
        let most = lookup::most_operands(self.topic);
        let words = self.args.finish();
        if let Some(flag) = words.iter().find_map(flag_name) {
            return Err(format!("{flag} is in the table of flags, but the parser does not know it"));
        }
        match most.and_then(|most| words.get(most)) {
            Some(extra) => Err(unexpected(self.topic, extra)),
            None => Ok(words),
        }
    }

    /// The remaining words, including flags.
    pub fn rest(self) -> Vec<OsString> {
        self.args.finish()
    }
}

/// The error for an unexpected word.
pub fn unexpected(topic: Topic, word: &OsString) -> String {
    let name = lookup::name_of(topic);
    format!("unexpected argument `{}`; see `fuelbox {name} --help`", word.to_string_lossy())
}

/// Rewords an error of pico-args about a flag.
fn unusable(flag: &Flag, error: pico_args::Error) -> String {
    match error {
        pico_args::Error::OptionWithoutAValue(_) => without_value(flag),
        other => other.to_string(),
    }
}

fn without_value(flag: &Flag) -> String {
    format!("{} needs a value: {}", flag.name, flag.synopsis())
}

/// The flag name of `word`, without its value; `None` if it is not a flag.
pub fn flag_name(word: &OsString) -> Option<String> {
    let shown = word.to_string_lossy();
    let is_number = shown.parse::<f64>().is_ok();
    let is_flag = shown.starts_with('-') && shown != "-" && !is_number;
    is_flag.then(|| shown.split('=').next().unwrap_or_default().to_string())
}

/// Checks the flags among `words` against the table.
fn check(topic: Topic, words: &[OsString]) -> Result<(), String> {
    let mut seen = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(name) = flag_name(word) else { continue };
        let flag = lookup::flags_of(topic).find(|flag| flag.name == name);
        let flag = flag.ok_or_else(|| lookup::not_a_flag(topic, &name))?;
        if flag.value.is_some() {
            let value = words.next().ok_or_else(|| without_value(flag))?;
            // A number or a time does not look like a flag; a text may.
            let is_next =
                flag.range.is_some() && flag_name(value).is_some_and(|name| lookup::flag(&name).is_some());
            if is_next {
                return Err(without_value(flag));
            }
        } else if word.len() > name.len() {
            return Err(format!("{name} takes no value"));
        }
        if !flag.repeats && seen.contains(&name) {
            return Err(format!("{name} is given twice"));
        }
        seen.push(name);
    }
    Ok(())
}

/// Splits each `--flag=value` into two words, for any bytes. pico-args splits only UTF-8, and removes quotes.
pub fn split_equals(words: Vec<OsString>) -> Vec<OsString> {
    let mut out: Vec<OsString> = Vec::with_capacity(words.len());
    let mut is_value = false;
    for word in words {
        let pair = word.as_encoded_bytes().iter().position(|byte| *byte == b'=').and_then(|at| {
            let name = std::str::from_utf8(&word.as_encoded_bytes()[..at]).ok()?;
            Some((name.to_string(), after(&word, at + 1)?))
        });
        match pair {
            Some((name, value)) if !is_value && lookup::takes_value(&name) => {
                out.extend([name.into(), value])
            }
            _ => {
                is_value = !is_value && word.to_str().is_some_and(lookup::takes_value);
                out.push(word);
            }
        }
    }
    out
}

/// Takes out the switch `name`, and returns whether it was there, other than as the value of a flag.
pub fn take_switch(words: &mut Vec<OsString>, name: &str) -> bool {
    let Some(flag) = lookup::flag(name) else { return false };
    let mut is_value = false;
    let found = words.iter().position(|word| {
        let found =
            !is_value && word.to_str().is_some_and(|word| word == flag.name || flag.short == Some(word));
        is_value = !is_value && word.to_str().is_some_and(lookup::takes_value);
        found
    });
    found.map(|at| words.remove(at)).is_some()
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
