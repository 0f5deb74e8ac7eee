//! Parses the command line into a plain enum. Pure: no file, environment or terminal is touched.

pub(crate) mod config;
pub(crate) mod flags;
pub mod serve;
pub mod values;

use super::help::completions::Shell;
use crate::abi::Convention;
use crate::base::limits::Limits;
use crate::base::units::DirArg;
use crate::cli::args::flags::{guest_env, limits, site, source};
pub use crate::cli::args::serve::{LogFormat, Serve, SiteArgs};
use crate::cli::args::values::{
    free, listen_address, nothing_left, os_value, take_switch, text, unexpected, value,
};
use crate::gateway::server::DEFAULT_LISTEN;
use pico_args::Arguments;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Where plug-ins are looked for unless `--plugins` says otherwise.
pub const DEFAULT_FOLDER: &str = "plugins";

/// What the command line asks for.
#[derive(Debug, PartialEq)]
pub enum Command {
    /// Show the help of a command, or of all.
    Help(Topic),
    /// Show the manual page.
    Man,
    /// Show the completions of a shell.
    Completions(Shell),
    /// Show the version.
    Version,
    /// Run a program or a function of numbers.
    Run(Run),
    /// Call a function with bytes.
    Call(Call),
    /// Serve plug-ins over HTTP.
    Serve(Serve),
    /// The same, with more flags in a file.
    Configured {
        /// The file.
        file: PathBuf,
        /// The flags of the command line.
        args: Vec<OsString>,
    },
    /// Check whether the plug-ins of a folder would serve.
    Check(Check),
    /// List plug-ins.
    List(List),
    /// Show what a module holds.
    Inspect(Inspect),
    /// Ask the gateway at this address whether it is alive.
    Health(SocketAddr),
}

/// What help is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Topic {
    All,
    Run,
    Call,
    Serve,
    List,
    Inspect,
    Health,
    Check,
    Help,
}

/// Which plug-ins are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The folder that was named; it must exist.
    Folder(PathBuf),
    /// The default folder or, if there is none, the built-in guests.
    Default,
}

/// The flags of a guest's environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GuestEnvArgs {
    /// Environment: `K=V`, or `K` to pass one on.
    pub env: Vec<OsString>,
    /// Directories.
    pub dirs: Vec<DirArg>,
    /// Configuration of an Extism plug-in.
    pub config: Vec<(String, String)>,
    /// The seed of a reproducible run.
    pub seed: Option<u64>,
}

/// `fuelbox run`.
#[derive(Debug, PartialEq)]
pub struct Run {
    /// A file, or a plug-in's name.
    pub target: OsString,
    /// The function; none runs `_start`.
    pub func: Option<String>,
    /// Its arguments as text.
    pub args: Vec<OsString>,
    /// Environment, directories and reproducibility.
    pub guest_env: GuestEnvArgs,
    /// Limits.
    pub limits: Limits,
    /// Plug-ins.
    pub source: Source,
    /// Whether to print what the run used.
    pub report: bool,
}

/// Where `fuelbox call` takes its input from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// No input.
    Empty,
    /// The flag's value.
    Text(OsString),
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

/// `fuelbox call`.
#[derive(Debug, PartialEq)]
pub struct Call {
    /// A file, or a plug-in's name.
    pub target: OsString,
    /// The function.
    pub func: String,
    /// The input.
    pub data: Data,
    /// A forced convention.
    pub convention: Option<Convention>,
    /// Environment, directories and reproducibility.
    pub guest_env: GuestEnvArgs,
    /// Limits.
    pub limits: Limits,
    /// Plug-ins.
    pub source: Source,
    /// Whether to print what the run used.
    pub report: bool,
}

/// `fuelbox check`.
#[derive(Debug, PartialEq)]
pub struct Check {
    /// The folder.
    pub folder: PathBuf,
    /// The server's limits.
    pub limits: Limits,
    /// The server's keys and directories.
    pub site: SiteArgs,
}

/// `fuelbox list`.
#[derive(Debug, PartialEq)]
pub struct List {
    /// Limits.
    pub limits: Limits,
    /// Plug-ins.
    pub source: Source,
}

/// `fuelbox inspect`.
#[derive(Debug, PartialEq)]
pub struct Inspect {
    /// A file, or a plug-in's name.
    pub target: OsString,
    /// Limits.
    pub limits: Limits,
    /// Plug-ins.
    pub source: Source,
}

/// Parses the arguments after the program's name.
///
/// # Errors
/// A sentence that names the argument and what would be right.
pub fn parse(args: Vec<OsString>) -> Result<Command, String> {
    let mut args = args;
    // What follows `--` is the guest's, whatever it looks like.
    let rest = match args.iter().position(|arg| arg == "--") {
        Some(at) => {
            let rest = args.split_off(at + 1);
            args.pop();
            Some(rest)
        }
        None => None,
    };
    let mut args = crate::cli::args::values::split_equals(args);
    let help = take_switch(&mut args, ["-h", "--help"]);
    if take_switch(&mut args, ["-V", "--version"]) {
        return Ok(Command::Version);
    }
    let mut args = Arguments::from_vec(args);
    let name = args.subcommand().map_err(|error| error.to_string())?;
    let topic = topic(name.as_deref())?;
    if help {
        return Ok(Command::Help(topic));
    }
    if name.is_none() {
        return match args.finish().first() {
            None => Ok(Command::Help(Topic::All)),
            Some(word) => Err(format!("the command comes first, before `{}`", word.to_string_lossy())),
        };
    }
    if rest.is_some() && topic != Topic::Run {
        return Err("`--` is for the arguments of `fuelbox run`".into());
    }
    match topic {
        Topic::All | Topic::Help => help_about(args),
        Topic::Run => run(args, rest).map(Command::Run),
        Topic::Call => call(args).map(Command::Call),
        Topic::Serve => serve(args),
        Topic::Check => check(args).map(Command::Check),
        Topic::List => list(args).map(Command::List),
        Topic::Inspect => inspect(args).map(Command::Inspect),
        Topic::Health => health(args).map(Command::Health),
    }
}

fn topic(name: Option<&str>) -> Result<Topic, String> {
    Ok(match name {
        None => Topic::All,
        Some("help") => Topic::Help,
        Some("run") => Topic::Run,
        Some("call") => Topic::Call,
        Some("serve") => Topic::Serve,
        Some("list") => Topic::List,
        Some("inspect") => Topic::Inspect,
        Some("health") => Topic::Health,
        Some("check") => Topic::Check,
        Some(other) => {
            return Err(format!(
                "no command `{other}`; there is: run, call, serve, list, inspect, check, health, help"
            ));
        }
    })
}

/// `fuelbox help [COMMAND]`.
fn help_about(mut args: Arguments) -> Result<Command, String> {
    let shell = value(&mut args, "--completions", Shell::parse)?;
    let is_man = args.contains("--man");
    let words = free(args)?;
    match (is_man, shell, words.first()) {
        (false, None, _) => {}
        (true, None, None) => return Ok(Command::Man),
        (false, Some(shell), None) => return Ok(Command::Completions(shell)),
        _ => return Err("give one of COMMAND, --man and --completions SHELL".into()),
    }
    match words.as_slice() {
        [] => Ok(Command::Help(Topic::All)),
        [name] => topic(name.to_str()).map(Command::Help),
        [_, extra, ..] => Err(unexpected(extra)),
    }
}

fn run(mut args: Arguments, rest: Option<Vec<OsString>>) -> Result<Run, String> {
    // Texts of any kind first: one that looks like a flag is none.
    let guest_env = guest_env(&mut args)?;
    let limits = limits(&mut args)?;
    let source = source(&mut args)?;
    let report = args.contains("--report");
    let mut words = free(args)?.into_iter();
    let target = words.next().ok_or("which FILE? See `fuelbox run --help`")?;
    let func = words.next().map(text).transpose()?;
    let args = words.chain(rest.into_iter().flatten()).collect();
    Ok(Run { target, func, args, guest_env, limits, source, report })
}

fn call(mut args: Arguments) -> Result<Call, String> {
    // Texts of any kind first: one that looks like a flag is none.
    let text_data = os_value(&mut args, "--data")?.map(Data::Text);
    let file_data = os_value(&mut args, "--data-file")?.map(|file| Data::File(file.into()));
    let guest_env = guest_env(&mut args)?;
    let limits = limits(&mut args)?;
    let source = source(&mut args)?;
    let report = args.contains("--report");
    let convention = value(&mut args, "--abi", |name| {
        Convention::parse(name).ok_or_else(|| format!("use {}", Convention::names()))
    })?;
    let mut words = free(args)?;
    let dash = words.iter().position(|word| word == "-").map(|at| words.remove(at));
    let mut given = [text_data, file_data, dash.map(|_| Data::Stdin)].into_iter().flatten();
    let data = given.next().unwrap_or(Data::Empty);
    if given.next().is_some() {
        return Err("give the input once: --data TEXT, --data-file FILE or -".into());
    }
    let mut words = words.into_iter();
    let target = words.next().ok_or("which FILE or PLUGIN? See `fuelbox call --help`")?;
    let func = words.next().ok_or("which FUNC? See `fuelbox call --help`")?;
    if let Some(extra) = words.next() {
        return Err(unexpected(&extra));
    }
    Ok(Call { target, func: text(func)?, data, convention, guest_env, limits, source, report })
}

fn serve(mut args: Arguments) -> Result<Command, String> {
    if let Some(file) = os_value(&mut args, "--config")? {
        // What is left is looked at together with what the file says.
        return Ok(Command::Configured { file: file.into(), args: args.finish() });
    }
    crate::cli::args::serve::parse(args).map(Command::Serve)
}

fn check(mut args: Arguments) -> Result<Check, String> {
    let (limits, site) = (limits(&mut args)?, site(&mut args)?);
    let mut words = free(args)?.into_iter();
    let folder = words.next().ok_or("which DIR? See `fuelbox check --help`")?.into();
    if let Some(extra) = words.next() {
        return Err(unexpected(&extra));
    }
    Ok(Check { folder, limits, site })
}

fn list(mut args: Arguments) -> Result<List, String> {
    let (limits, source) = (limits(&mut args)?, source(&mut args)?);
    nothing_left(args)?;
    Ok(List { limits, source })
}

fn inspect(mut args: Arguments) -> Result<Inspect, String> {
    let (limits, source) = (limits(&mut args)?, source(&mut args)?);
    let mut words = free(args)?.into_iter();
    let target = words.next().ok_or("which FILE? See `fuelbox inspect --help`")?;
    if let Some(extra) = words.next() {
        return Err(unexpected(&extra));
    }
    Ok(Inspect { target, limits, source })
}

fn health(mut args: Arguments) -> Result<SocketAddr, String> {
    let address = value(&mut args, "--address", listen_address)?.unwrap_or(DEFAULT_LISTEN);
    nothing_left(args)?;
    Ok(address)
}
