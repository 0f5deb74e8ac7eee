//! Looks up commands and flags in the table, and makes the errors for unknown ones.

use crate::cli::args::near::nearest;
use crate::cli::args::table::commands::{COMMANDS, CommandHelp};
use crate::cli::args::table::flag::{Completes, Flag, Topic};
use crate::cli::args::table::{clients, fleet, limits, other, serve};

/// Every flag of every command.
pub fn flags() -> impl Iterator<Item = &'static Flag> {
    [serve::FLAGS, fleet::FLAGS, clients::FLAGS, other::FLAGS, limits::FLAGS].into_iter().flatten()
}

/// The flags of a command.
pub fn flags_of(topic: Topic) -> impl Iterator<Item = &'static Flag> {
    flags().filter(move |flag| flag.commands.contains(&topic))
}

/// The flag called `name`, of any command.
pub fn flag(name: &str) -> Option<&'static Flag> {
    flags().find(|flag| flag.name == name || flag.short == Some(name))
}

/// Whether the flag `name` takes a value.
pub fn takes_value(name: &str) -> bool {
    flag(name).is_some_and(|flag| flag.value.is_some())
}

/// The entry of a command; none for all of them.
pub fn command(topic: Topic) -> Option<&'static CommandHelp> {
    COMMANDS.iter().find(|command| command.topic == topic)
}

/// The command's name.
pub fn name_of(topic: Topic) -> &'static str {
    command(topic).map_or("", |command| command.name)
}

/// The command called `name`.
///
/// # Errors
/// A sentence with the existing commands, or with the probably intended one.
pub fn command_called(name: &str) -> Result<Topic, String> {
    if let Some(command) = COMMANDS.iter().find(|command| command.name == name) {
        return Ok(command.topic);
    }
    let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
    Err(match nearest(name, names.iter().copied()) {
        Some(near) => format!("unknown command `{name}`; did you mean `{near}`?"),
        None => format!("unknown command `{name}`; the commands are {}", listed(&names, "and")),
    })
}

/// The error for the flag `name`, which the command does not take.
pub fn not_a_flag(topic: Topic, name: &str) -> String {
    let own = name_of(topic);
    if let Some(flag) = flag(name) {
        let others: Vec<&str> = flag.commands.iter().map(|topic| name_of(*topic)).collect();
        return format!("{name} is not a flag of `fuelbox {own}`; it belongs to {}", listed(&others, "and"));
    }
    match (nearest(name, flags_of(topic).map(|flag| flag.name)), topic) {
        (Some(near), _) => format!("unknown flag {name}; did you mean {near}?"),
        (None, Topic::Run) => format!("unknown flag {name}; the arguments of a program follow the module"),
        (None, _) => format!("unknown flag {name}; `fuelbox {own} --help` lists the flags"),
    }
}

/// The flag of `serve` that the key `key` of the configuration file sets.
///
/// # Errors
/// A sentence, with the probably intended key.
pub fn flag_of_key(key: &str) -> Result<&'static Flag, String> {
    let in_file = || flags_of(Topic::Serve).filter(|flag| flag.in_file);
    let name_of_key = |flag: &'static Flag| flag.name.trim_start_matches('-');
    if let Some(flag) = in_file().find(|flag| name_of_key(flag) == key) {
        return Ok(flag);
    }
    if flags_of(Topic::Serve).any(|flag| name_of_key(flag) == key) {
        return Err(format!("`{key}` cannot be set in a configuration file"));
    }
    Err(match nearest(key, in_file().map(name_of_key)) {
        Some(near) => format!("`{key}` is not a flag of `fuelbox serve`; did you mean `{near}`?"),
        None => format!("`{key}` is not a flag of `fuelbox serve`"),
    })
}

/// The operands of a command as its usage shows them.
pub fn operands(command: &CommandHelp) -> String {
    let shown = command.operands.iter().map(|operand| match operand.is_optional {
        true => format!(" [{}]", operand.shown),
        false => format!(" {}", operand.shown),
    });
    shown.collect()
}

/// The error for an operand that is missing.
pub fn missing(topic: Topic, at: usize) -> String {
    let name = name_of(topic);
    let shown = command(topic).and_then(|command| Some(command.operands.get(at)?.shown)).unwrap_or("operand");
    format!("{shown} is missing; see `fuelbox {name} --help`")
}

/// The maximum number of operands of a command; `None` for any number.
pub fn most_operands(topic: Topic) -> Option<usize> {
    let operands = command(topic)?.operands;
    let is_open = operands.iter().any(|operand| operand.shown.ends_with("..."));
    (!is_open).then_some(operands.len())
}

/// `a, b and c`.
pub fn listed(words: &[&str], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).into(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// The choices of a flag, for messages.
pub fn choices(flag: &Flag) -> Option<String> {
    (flag.completes == Completes::Choice).then(|| listed(&flag.choices(), "or"))
}
