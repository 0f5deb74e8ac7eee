//! Results on stdout and notes on stderr.

use crate::base::escape::{printable, printable_lines};
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::output::stderr::STDERR;
use std::io::Write;

/// Writes a whole result to stdout.
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    // Notes come before what they are about.
    STDERR.settle();
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        // A reader that stopped (`| head`) is not a failure.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::new(exit::FAILURE, format!("cannot write to stdout: {error}"))),
    }
}

/// Writes names for scripts and shell completions, one on each line. Omits names that contain line ends or
/// control characters, or that look like a flag.
pub fn print_names<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
    let is_plain = |name: &&str| {
        !name.is_empty() && !name.starts_with('-') && !name.contains('\t') && printable(name) == *name
    };
    let lines: String = names.filter(is_plain).map(|name| format!("{name}\n")).collect();
    print(lines.as_bytes())
}

/// Writes a note to stderr. A note is not a result, so a failure to write it is ignored.
pub fn note(message: &str) {
    STDERR.say_all(&line(message));
}

/// The lines of `message` for stderr. All but the first are indented, so that a line chosen by a guest does not
/// look like one of fuelbox.
pub fn line(message: &str) -> Vec<u8> {
    format!("fuelbox: {}\n", printable_lines(message).replace('\n', "\n    ")).into_bytes()
}

/// Prints the usage of a run.
pub fn report(usage: &crate::base::outcome::Usage) {
    let ms = |time: std::time::Duration| time.as_secs_f64() * 1000.0;
    note(&format!(
        "{} fuel, {} pages, instantiate {:.3} ms, run {:.3} ms",
        usage.fuel,
        usage.peak_pages,
        ms(usage.instantiate),
        ms(usage.run)
    ));
}
