//! Parses the command line into a plain enum. Pure: no file, environment or terminal is touched.

use crate::abi::Convention;
use crate::cli::args::command::{
    Call, Change, Check, Command, Data, Deploy, Inspect, List, Run, Shell, Shown,
};
use crate::cli::args::flags::{guest_env, limits, on_or_off, site, source, tracing};
use crate::cli::args::fleet;
use crate::cli::args::near::nearest;
use crate::cli::args::serve;
use crate::cli::args::table::flag::Topic;
use crate::cli::args::table::lookup::{command_called, flags_of, missing, takes_value};
use crate::cli::args::values::{listen_address, text};
use crate::cli::args::words::{Words, flag_name, split_equals, take_switch, unexpected};
use crate::gateway::server::DEFAULT_LISTEN;
use crate::plugins::files::ENDINGS;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Parses the arguments after the program's name.
///
/// # Errors
/// A sentence that names the argument and what would be right.
pub fn parse(args: Vec<OsString>) -> Result<Command, String> {
    let mut args = args;
    // `fuelbox hello.wasm` runs it.
    if args.first().is_some_and(is_module) {
        args.insert(0, "run".into());
    }
    let guests = match args.first() {
        Some(first) if first == "run" => Some(guests_words(&mut args)),
        _ if args.iter().any(|arg| arg == "--") => {
            return Err("`--` belongs to `fuelbox run`: the arguments of a program follow it".into());
        }
        _ => None,
    };
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
    let words = Words::new(topic, words)?;
    match topic {
        Topic::All | Topic::Help => help(words),
        Topic::Run => run(words, guests.unwrap_or_default()).map(Command::Run),
        Topic::Call => call(words).map(Command::Call),
        Topic::Serve => serve(words),
        Topic::Check => check(words).map(Command::Check),
        Topic::List => list(words).map(Command::List),
        Topic::Inspect => inspect(words).map(Command::Inspect),
        Topic::Deploy => deploy(words).map(Command::Deploy),
        Topic::Fleet => fleet::command(words).map(Command::Fleet),
        Topic::Health => health(words).map(Command::Health),
    }
}

/// Whether a word in the place of a command is the file of a module.
fn is_module(word: &OsString) -> bool {
    let word = word.to_string_lossy();
    let has_ending =
        ENDINGS.iter().any(|ending| word.strip_suffix(ending).is_some_and(|stem| stem.ends_with('.')));
    !word.starts_with('-') && (has_ending || word.contains('/'))
}

/// Takes the words of `fuelbox run` that are not its own: the module, and all behind it. A `--` before the module ends the
/// flags; one right behind it is left out.
fn guests_words(args: &mut Vec<OsString>) -> Vec<OsString> {
    let mut is_value = false;
    let first = args.iter().skip(1).position(|arg| {
        let was_value = std::mem::replace(&mut is_value, false);
        is_value = !was_value && arg.to_str().is_some_and(takes_value);
        !was_value && (arg == "--" || flag_name(arg).is_none())
    });
    let Some(first) = first else { return Vec::new() };
    let mut words = args.split_off(first + 1);
    if words[0] == "--" {
        words.remove(0);
    } else if words.get(1).is_some_and(|word| word == "--") {
        words.remove(1);
    }
    words
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

fn run(mut words: Words, guests: Vec<OsString>) -> Result<Run, String> {
    // Texts of any kind first: one that looks like a flag is a value.
    let guest_env = guest_env(&mut words)?;
    let limits = limits(&mut words)?;
    let source = source(&mut words)?;
    let report = words.switch("--report")?;
    let tracing = tracing(&mut words)?;
    let confine = words.choice("--confine", on_or_off)?.unwrap_or(true);
    let invoke = words.value("--invoke", |call| Ok(call.to_string()))?;
    words.operands()?;
    let mut guests = guests.into_iter();
    let target = needed(guests.next(), Topic::Run, 0)?;
    Ok(Run { target, invoke, words: guests.collect(), guest_env, limits, source, report, tracing, confine })
}

fn call(mut words: Words) -> Result<Call, String> {
    // Texts of any kind first: one that looks like a flag is a value.
    let text_data = words.os_value("--data")?.map(Data::Text);
    let file_data = words.os_value("--data-file")?.map(|file| Data::File(file.into()));
    let guest_env = guest_env(&mut words)?;
    let limits = limits(&mut words)?;
    let source = source(&mut words)?;
    let report = words.switch("--report")?;
    let tracing = tracing(&mut words)?;
    let confine = words.choice("--confine", on_or_off)?.unwrap_or(true);
    let convention = words.choice("--abi", Convention::parse)?;
    let mut operands = words.operands()?;
    // The first operand is the module.
    let dash = operands.iter().skip(1).position(|word| word == "-").map(|at| operands.remove(at + 1));
    let mut given = [text_data, file_data, dash.map(|_| Data::Stdin)].into_iter().flatten();
    let data = given.next().unwrap_or(Data::Piped);
    if given.next().is_some() {
        return Err("give the input once: --data TEXT, --data-file FILE or -".into());
    }
    let mut operands = operands.into_iter();
    let target = needed(operands.next(), Topic::Call, 0)?;
    let func = operands.next().map(text).transpose()?;
    let args = operands.map(text).collect::<Result<Vec<_>, _>>()?;
    if !args.is_empty() && data != Data::Piped {
        return Err("give the input once: --data TEXT, --data-file FILE, -, or ARG...".into());
    }
    Ok(Call { target, func, args, data, convention, guest_env, limits, source, report, tracing, confine })
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
    let shown = shown(&mut words)?;
    words.operands()?;
    Ok(List { limits, source, shown })
}

fn inspect(mut words: Words) -> Result<Inspect, String> {
    let (limits, source) = (limits(&mut words)?, source(&mut words)?);
    let shown = shown(&mut words)?;
    let target = needed(words.operands()?.pop(), Topic::Inspect, 0)?;
    Ok(Inspect { target, limits, source, shown })
}

/// The form of a listing.
fn shown(words: &mut Words) -> Result<Shown, String> {
    match (words.switch("--names")?, words.switch("--json")?) {
        (false, false) => Ok(Shown::Text),
        (true, false) => Ok(Shown::Names),
        (false, true) => Ok(Shown::Json),
        (true, true) => Err("give only one of --names and --json".into()),
    }
}

fn deploy(mut words: Words) -> Result<Deploy, String> {
    let mut file = |name| words.os_value(name).map(|file| file.map(PathBuf::from));
    let (token, policy) = (file("--token")?, file("--policy")?);
    let (signature, all) = (file("--signature")?, file("--all")?);
    let mut text_of = |flag| words.value(flag, |text| Ok(text.to_string()));
    let (name, rollback, to) = (text_of("--name")?, text_of("--rollback")?, text_of("--to")?);
    let mut operands = words.operands()?.into_iter();
    let host = match all {
        Some(_) => None,
        None => Some(text(needed(operands.next(), Topic::Deploy, 0)?)?),
    };
    let change = match rollback {
        Some(_) if name.is_some() || policy.is_some() || signature.is_some() => {
            return Err("--rollback: a former version has its own --name, --policy and --signature".into());
        }
        Some(name) => Change::RollBack { name, to },
        None if to.is_some() => return Err("--to is for --rollback only".into()),
        None => {
            let module = needed(operands.next(), Topic::Deploy, 1)?.into();
            Change::Put { module, name, policy, signature }
        }
    };
    match operands.next() {
        Some(extra) => Err(unexpected(Topic::Deploy, &extra)),
        None => Ok(Deploy { host, all, token, change }),
    }
}

fn health(mut words: Words) -> Result<SocketAddr, String> {
    let address = words.value("--address", listen_address)?.unwrap_or(DEFAULT_LISTEN);
    words.operands()?;
    Ok(address)
}
