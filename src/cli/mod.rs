//! The command line: parsing into an enum (`args.rs`), then one file for each command.
//!
//! Results alone go to stdout; notes, logs and errors go to stderr.

pub mod args;
pub mod commands;
pub mod exit;
mod guest_env;
pub mod help;
pub mod output;
mod site;
mod target;
mod watchdog;

use crate::base::escape::printable_lines;
use args::Command;
use output::stderr::STDERR;
use std::ffi::OsString;
use std::io::Write;

/// Why a command ended early: an exit code and what to say.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    fn new(code: u8, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into() }
    }
}

impl From<crate::base::error::Error> for Failure {
    fn from(error: crate::base::error::Error) -> Failure {
        Failure::new(exit::of_error(&error), error.to_string())
    }
}

impl From<crate::base::outcome::Stop> for Failure {
    fn from(stop: crate::base::outcome::Stop) -> Failure {
        Failure::new(exit::of_stop(&stop), stop.to_string())
    }
}

/// Runs the command line `args` (without the program's name) and gives the exit code.
pub fn main(args: Vec<OsString>) -> u8 {
    let code = run_line(args);
    STDERR.settle();
    code
}

fn run_line(args: Vec<OsString>) -> u8 {
    // Before the first word: standard error may be a file, too.
    let ready = guest_env::errors_for_large_files();
    let parsed = ready.and_then(|()| args::parse(args).map_err(|message| Failure::new(exit::USAGE, message)));
    let (failure, format) = match parsed.and_then(args::config::resolve) {
        Err(failure) => (failure, args::LogFormat::Text),
        Ok(command) => {
            output::logging::start(&command);
            let format = output::logging::of(&command);
            match execute(command) {
                Ok(()) => return exit::SUCCESS,
                Err(failure) => (failure, format),
            }
        }
    };
    if !failure.message.is_empty() {
        output::logging::say(format, log::Level::Error, &failure.message);
    }
    failure.code
}

fn execute(command: Command) -> Result<(), Failure> {
    match command {
        Command::Help(topic) => output(help::text(topic).as_bytes()),
        Command::Man => output(help::manual::page().as_bytes()),
        Command::Completions(shell) => output(help::completions::script(shell).as_bytes()),
        Command::Version => output(concat!("fuelbox ", env!("CARGO_PKG_VERSION"), "\n").as_bytes()),
        Command::Run(run) => commands::run::execute(run),
        Command::Call(call) => commands::call::execute(call),
        Command::Serve(serve) => commands::serve::execute(serve),
        // `args::config::resolve` has made it the above.
        Command::Configured { .. } => Ok(()),
        Command::Check(check) => commands::check::execute(check),
        Command::List(list) => commands::list::execute(list),
        Command::Inspect(inspect) => commands::inspect::execute(inspect),
        Command::Health(address) => commands::health::execute(address),
    }
}

/// Writes a result to stdout, whole.
fn output(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        // A reader that has seen enough (`| head`) is no failure.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::new(exit::FAILURE, format!("cannot write to stdout: {error}"))),
    }
}

/// Says something on stderr. It is no result, so a stderr that takes nothing changes nothing.
fn note(message: &str) {
    STDERR.say_all(&noted(message));
}

/// The line that says `message`. Further ones are indented: none that a guest chose looks like fuelbox's own.
fn noted(message: &str) -> Vec<u8> {
    format!("fuelbox: {}\n", printable_lines(message).replace('\n', "\n    ")).into_bytes()
}

/// Prints what a run used.
fn report(usage: &crate::base::outcome::Usage) {
    let ms = |time: std::time::Duration| time.as_secs_f64() * 1000.0;
    note(&format!(
        "{} fuel, {} pages, instantiate {:.3} ms, run {:.3} ms",
        usage.fuel,
        usage.peak_pages,
        ms(usage.instantiate),
        ms(usage.run)
    ));
}
