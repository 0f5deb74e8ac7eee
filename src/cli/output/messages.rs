//! Results on stdout and notes on stderr.

use crate::base::escape::{printable, printable_lines};
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::output::stderr::STDERR;
use std::io::Write;

/// Writes a whole result to stdout.
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        // A reader that has seen enough (`| head`) is not a failure.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::new(exit::FAILURE, format!("cannot write to stdout: {error}"))),
    }
}

/// Writes names for scripts and for the completions of shells, one on each line. A name that does not fit on a line, that a
/// terminal would act on, or that would be taken for a flag, is left out.
pub fn print_names<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
    let is_plain = |name: &&str| {
        !name.is_empty() && !name.starts_with('-') && !name.contains('\t') && printable(name) == *name
    };
    let lines: String = names.filter(is_plain).map(|name| format!("{name}\n")).collect();
    print(lines.as_bytes())
}

/// Writes a note to stderr. A note is not a result, so a stderr that cannot be written changes nothing.
pub fn note(message: &str) {
    STDERR.say_all(&line(message));
}

/// The lines of `message` as stderr shows them. All but the first are indented, so that no line that a guest chose looks
/// like fuelbox's own.
pub fn line(message: &str) -> Vec<u8> {
    format!("fuelbox: {}\n", printable_lines(message).replace('\n', "\n    ")).into_bytes()
}

/// Prints what a run used.
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
