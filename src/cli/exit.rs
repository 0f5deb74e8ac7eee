//! Exit codes. 0 to 119 belong to programs, whose own code is passed through.

use crate::base::error::Error;
use crate::base::outcome::Stop;

/// Success.
pub const SUCCESS: u8 = 0;
/// `fuelbox health` found no gateway that is alive.
pub const NOT_ALIVE: u8 = 1;
/// A plug-in reported an error.
pub const FAILED: u8 = 1;
/// The command line is wrong, or the input does not fit the function.
pub const USAGE: u8 = 2;
/// A file, plug-in or function is missing or does not load.
pub const LOAD: u8 = 120;
/// The guest trapped or broke its calling convention.
pub const TRAP: u8 = 121;
/// The fuel budget is spent.
pub const FUEL: u8 = 122;
/// The guest was denied memory and trapped.
pub const MEMORY: u8 = 123;
/// The deadline passed; the code that timeout(1) uses.
pub const DEADLINE: u8 = 124;
/// fuelbox itself failed: the port is taken, an output cannot be written.
pub const FAILURE: u8 = 125;
/// The guest wrote more than `--max-output`.
pub const OUTPUT: u8 = 126;

/// Each code with its meaning, short and long.
pub const MEANINGS: &[(&str, &str, &str)] = &[
    ("0", "done", "done"),
    ("1", "a plug-in reported an error", "a plug-in reported an error; health: the gateway is not alive"),
    (
        "2",
        "usage error",
        "usage error: an unknown flag, a value out of range, input that does not fit the function",
    ),
    ("120", "cannot load", "cannot load: a file, plug-in or function is missing, or the module is refused"),
    ("121", "the guest trapped", "the guest trapped or broke its calling convention"),
    ("122", "out of fuel", "out of fuel"),
    ("123", "memory denied", "the guest was denied memory and trapped"),
    ("124", "deadline passed", "the deadline passed"),
    ("125", "fuelbox failed", "fuelbox failed: the port is taken, or output cannot be written"),
    ("126", "too much output", "the guest wrote more than --max-output"),
    ("other", "a program's own exit code", "a program's own exit code; 255 for one above 255"),
];

/// Whether `code` can only be a program's own; the others could be fuelbox's.
pub fn is_programs_own(code: u8) -> bool {
    !matches!(code, SUCCESS | USAGE | LOAD..=OUTPUT)
}

/// The code for a stopped guest.
pub fn of_stop(stop: &Stop) -> u8 {
    match stop {
        Stop::Trap(_) | Stop::Convention(_) => TRAP,
        Stop::Failed { .. } => FAILED,
        Stop::OutOfFuel { .. } => FUEL,
        Stop::Deadline { .. } => DEADLINE,
        Stop::MemoryDenied { .. } => MEMORY,
        Stop::OutputFull { .. } => OUTPUT,
        Stop::NoMemory { .. } | Stop::Cancelled | Stop::Died { .. } | Stop::OutputClosed => FAILURE,
        Stop::InputTooLarge { .. } => USAGE,
        // Like a process's exit code, but never 0 for a failure whose low byte is 0.
        Stop::Exit(code) => u8::try_from(*code).unwrap_or(u8::MAX),
    }
}

/// The code for an error.
pub fn of_error(error: &Error) -> u8 {
    match error {
        Error::Io { .. }
        | Error::Load { .. }
        | Error::Policy { .. }
        | Error::Signature { .. }
        | Error::NoPlugin { .. }
        | Error::NoFunction { .. }
        | Error::Reserved { .. } => LOAD,
        Error::Input(_) | Error::InputTooLarge { .. } | Error::Limits(_) => USAGE,
        Error::Guest(stop) => of_stop(stop),
        Error::Build(_) | Error::Internal(_) => FAILURE,
    }
}
