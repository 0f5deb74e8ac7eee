//! The command line: parsing into an enum (`args`), then one file for each command.
//!
//! Results go to stdout; notes, logs and errors go to stderr.

#[doc(hidden)]
pub mod args;
mod client;
mod commands;
mod confined;
mod confinement;
mod exit;
mod failure;
mod guest_env;
#[doc(hidden)]
pub mod help;
mod manifest;
mod output;
mod site;
mod speedscope;
mod system_memory;
mod target;
mod tracing;
mod wagi;
mod watchdog;

use crate::base::heap;
use crate::cli::args::command::{Command, LogFormat};
use crate::cli::args::{config, parse};
use crate::cli::failure::Failure;
use crate::cli::help::{completions, manual, text};
use crate::cli::output::messages::print;
use crate::cli::output::{logging, stderr};
use crate::isolation::{child, helper};
use std::ffi::OsString;

/// Runs the command line `args` (without the program's name) and gives the exit code. A server calls `give_back` now and
/// then, to have free memory of the program's allocator given back to the system.
pub fn main(args: Vec<OsString>, give_back: Option<fn()>) -> u8 {
    if let Some(give_back) = give_back {
        heap::trims_by(give_back);
    }
    match args.first() {
        Some(first) if first == child::COMMAND => {
            // What ends the server, it tells its processes itself.
            guest_env::no_signal_ends_this();
            return child::main(&args[1..]);
        }
        Some(first) if first == helper::COMMAND => return helper::main(),
        Some(first) if first == confined::NAME => return confined::main(&args[1..]),
        _ => {}
    }
    let code = run_line(args);
    stderr::STDERR.settle();
    code
}

fn run_line(args: Vec<OsString>) -> u8 {
    // Before the first message, because stderr can be a file, too.
    let ready = guest_env::errors_for_large_files();
    let parsed = ready.and_then(|()| parse::parse(args).map_err(|what| Failure::new(exit::USAGE, what)));
    let (failure, format) = match parsed.and_then(config::resolve) {
        Err(failure) => (failure, LogFormat::Text),
        Ok(command) => {
            logging::start(&command);
            let format = logging::of(&command);
            match execute(command) {
                Ok(()) => return exit::SUCCESS,
                Err(failure) => (failure, format),
            }
        }
    };
    if !failure.message.is_empty() {
        logging::say(format, log::Level::Error, &failure.message);
    }
    failure.code
}

fn execute(command: Command) -> Result<(), Failure> {
    match command {
        Command::Help(topic) => print(text::text(topic).as_bytes()),
        // `args::parse` has refused them where they are no part of the build.
        Command::Man | Command::Completions(_) if !cfg!(feature = "manual") => Ok(()),
        Command::Man => print(manual::page().as_bytes()),
        Command::Completions(shell) => print(completions::script::script(shell).as_bytes()),
        Command::Version => print(concat!("fuelbox ", env!("CARGO_PKG_VERSION"), "\n").as_bytes()),
        Command::Run(run) => commands::run::execute(run),
        Command::Call(call) => commands::call::execute(call),
        Command::Serve(serve) => commands::serve::lifecycle::execute(serve),
        // `config::resolve` has made it `Command::Serve`.
        Command::Configured { .. } => Ok(()),
        Command::Check(check) => commands::check::execute(check),
        Command::List(list) => commands::list::execute(list),
        Command::Inspect(inspect) => commands::inspect::execute(inspect),
        Command::Deploy(deploy) => commands::deploy::execute(deploy),
        Command::Fleet(fleet) => commands::fleet::execute(fleet),
        Command::Health(address) => commands::health::execute(address),
    }
}
