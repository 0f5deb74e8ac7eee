//! Parses the command line into a plain enum. Pure: no file, environment or terminal is touched.

use crate::abi::Convention;
use crate::cli::args::command::{Call, Check, Command, Data, Inspect, List, Run, Shell};
use crate::cli::args::flags::{guest_env, limits, on_or_off, site, source};
use crate::cli::args::near::nearest;
use crate::cli::args::serve;
use crate::cli::args::table::flag::Topic;
use crate::cli::args::table::lookup::{command_called, flags_of, missing};
use crate::cli::args::values::{listen_address, text};
use crate::cli::args::words::{Words, split_equals, take_switch};
use crate::gateway::server::DEFAULT_LISTEN;
use std::ffi::OsString;
use std::net::SocketAddr;

/// Parses the arguments after the program's name.
///
/// # Errors
/// A sentence that names the argument and what would be right.
pub fn parse(args: Vec<OsString>) -> Result<Command, String> {
    let mut args = args;
    // Words after `--` belong to the guest.
    let rest = args.iter().position(|arg| arg == "--").map(|at| {
        let rest = args.split_off(at + 1);
        args.pop();
        rest
    });
    let mut words = split_equals(args);
    let is_help = take_switch(&mut words, "--help");
    if take_switch(&mut words, "--version") {
        return Ok(Command::Version);
    }
    if words.is_empty() {
        return Ok(Command::Help(Topic::All));
    }
    let topic = command_of(&words.remove(0))?;
    if is_help {
        return Ok(Command::Help(topic));
    }
    if rest.is_some() && topic != Topic::Run {
        return Err("`--` belongs to `fuelbox run`: the arguments of a program follow it".into());
    }
    let words = Words::new(topic, words)?;
    match topic {
        Topic::All | Topic::Help => help(words),
        Topic::Run => run(words, rest).map(Command::Run),
        Topic::Call => call(words).map(Command::Call),
        Topic::Serve => serve(words),
        Topic::Check => check(words).map(Command::Check),
        Topic::List => list(words).map(Command::List),
        Topic::Inspect => inspect(words).map(Command::Inspect),
        Topic::Health => health(words).map(Command::Health),
    }
}

/// The command that the first word names.
fn command_of(word: &OsString) -> Result<Topic, String> {
    let shown = word.to_string_lossy();
    if !shown.starts_with('-') {
        return command_called(&shown);
    }
    // `--hlep` may be meant for a flag that stands alone.
    let alone =
        flags_of(Topic::Help).map(|flag| flag.name).filter(|name| matches!(*name, "--help" | "--version"));
    Err(match nearest(&shown, alone) {
        Some(near) => format!("unknown flag {shown}; did you mean {near}?"),
        None => format!("the command comes first, before `{shown}`: fuelbox COMMAND [FLAG...]"),
    })
}

/// `fuelbox help [COMMAND]`.
fn help(mut words: Words) -> Result<Command, String> {
    let shell = words.choice("--completions", Shell::parse)?;
    let is_man = words.switch("--man")?;
    let operands = words.operands()?;
    match (is_man, shell, operands.first()) {
        (false, None, None) => Ok(Command::Help(Topic::All)),
        (false, None, Some(name)) => command_called(&name.to_string_lossy()).map(Command::Help),
        (true, None, None) | (false, Some(_), None) if !cfg!(feature = "manual") => {
            Err("this build has no manual page and no completions (cargo feature `manual`)".into())
        }
        (true, None, None) => Ok(Command::Man),
        (false, Some(shell), None) => Ok(Command::Completions(shell)),
        _ => Err("give only one of COMMAND, --man and --completions".into()),
    }
}

/// The required operand at this position.
fn needed(operand: Option<OsString>, topic: Topic, at: usize) -> Result<OsString, String> {
    operand.ok_or_else(|| missing(topic, at))
}

fn run(mut words: Words, rest: Option<Vec<OsString>>) -> Result<Run, String> {
    // Texts of any kind first: one that looks like a flag is a value.
    let guest_env = guest_env(&mut words)?;
    let limits = limits(&mut words)?;
    let source = source(&mut words)?;
    let report = words.switch("--report")?;
    let confine = words.choice("--confine", on_or_off)?.unwrap_or(true);
    let invoke = words.value("--invoke", |call| Ok(call.to_string()))?;
    let mut operands = words.operands()?.into_iter();
    let target = needed(operands.next(), Topic::Run, 0)?;
    let func = operands.next().map(text).transpose()?;
    if invoke.is_some() && func.is_some() {
        return Err("give the function once: --invoke CALL or FUNC".into());
    }
    let args = operands.chain(rest.into_iter().flatten()).collect();
    Ok(Run { target, func, invoke, args, guest_env, limits, source, report, confine })
}

fn call(mut words: Words) -> Result<Call, String> {
    // Texts of any kind first: one that looks like a flag is a value.
    let text_data = words.os_value("--data")?.map(Data::Text);
    let file_data = words.os_value("--data-file")?.map(|file| Data::File(file.into()));
    let guest_env = guest_env(&mut words)?;
    let limits = limits(&mut words)?;
    let source = source(&mut words)?;
    let report = words.switch("--report")?;
    let confine = words.choice("--confine", on_or_off)?.unwrap_or(true);
    let convention = words.choice("--abi", Convention::parse)?;
    let mut operands = words.operands()?;
    let dash = operands.iter().position(|word| word == "-").map(|at| operands.remove(at));
    let mut given = [text_data, file_data, dash.map(|_| Data::Stdin)].into_iter().flatten();
    let data = given.next().unwrap_or(Data::Empty);
    if given.next().is_some() {
        return Err("give the input once: --data TEXT, --data-file FILE or -".into());
    }
    let mut operands = operands.into_iter();
    let target = needed(operands.next(), Topic::Call, 0)?;
    let func = needed(operands.next(), Topic::Call, 1)?;
    let args = operands.map(text).collect::<Result<Vec<_>, _>>()?;
    if !args.is_empty() && data != Data::Empty {
        return Err("give the input once: --data TEXT, --data-file FILE, -, or ARG...".into());
    }
    Ok(Call { target, func: text(func)?, args, data, convention, guest_env, limits, source, report, confine })
}

fn serve(mut words: Words) -> Result<Command, String> {
    if let Some(file) = words.os_value("--config")? {
        // The rest is parsed together with the configuration file.
        return Ok(Command::Configured { file: file.into(), args: words.rest() });
    }
    serve::parse(words).map(Command::Serve)
}

fn check(mut words: Words) -> Result<Check, String> {
    let (limits, site) = (limits(&mut words)?, site(&mut words)?);
    let folder = needed(words.operands()?.pop(), Topic::Check, 0)?.into();
    Ok(Check { folder, limits, site })
}

fn list(mut words: Words) -> Result<List, String> {
    let (limits, source) = (limits(&mut words)?, source(&mut words)?);
    let only_names = words.switch("--names")?;
    words.operands()?;
    Ok(List { limits, source, only_names })
}

fn inspect(mut words: Words) -> Result<Inspect, String> {
    let (limits, source) = (limits(&mut words)?, source(&mut words)?);
    let only_names = words.switch("--names")?;
    let target = needed(words.operands()?.pop(), Topic::Inspect, 0)?;
    Ok(Inspect { target, limits, source, only_names })
}

fn health(mut words: Words) -> Result<SocketAddr, String> {
    let address = words.value("--address", listen_address)?.unwrap_or(DEFAULT_LISTEN);
    words.operands()?;
    Ok(address)
}
