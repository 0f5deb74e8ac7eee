//! Messages for a stopped guest, on one line. Text that the guest chose is escaped.

use crate::base::escape::printable;
use crate::base::outcome::Stop;
use std::fmt;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Trap(what) => write!(f, "guest trapped: {}", printable(what)),
            Stop::OutOfFuel { limit } => {
                write!(f, "out of fuel: the budget of {limit} is spent (--fuel raises it)")
            }
            Stop::Deadline { limit, why: None } => {
                write!(f, "deadline of {} passed (--timeout raises it)", humantime::format_duration(*limit))
            }
            Stop::Deadline { limit, why: Some(why) } => write!(
                f,
                "deadline of {} would pass: {why} (--timeout raises it)",
                humantime::format_duration(*limit)
            ),
            Stop::MemoryDenied { denied, trap } => {
                write!(f, "{denied} and then trapped: {}", printable(trap))
            }
            Stop::OutputFull { stream, limit } => {
                write!(f, "guest wrote more than {limit} bytes of {stream} (--max-output raises it)")
            }
            Stop::InputTooLarge { limit } => {
                write!(f, "the input has more than the {limit} bytes allowed (--max-input raises it)")
            }
            Stop::NoMemory { what } => write!(f, "the system has no memory for {what}; try again later"),
            Stop::Exit(code) => write!(f, "guest exited with code {code}"),
            Stop::Failed { code, message } if message.is_empty() => {
                write!(f, "plug-in failed with code {code}, and gave no message")
            }
            Stop::Failed { code: _, message } => write!(f, "plug-in failed: {message}"),
            Stop::Cancelled => f.write_str("the run was cancelled"),
            Stop::Died { how: "loading", .. } => f.write_str(
                "the guest's process died again and again while it loaded the module; it is not tried again before the \
                 module changes",
            ),
            Stop::Died { how, signal: Some(signal) } => {
                write!(f, "the guest's process died: {how} (signal {signal})")
            }
            Stop::Died { how, signal: None } => write!(f, "the guest's process died: {how}"),
            Stop::OutputClosed => f.write_str("nobody takes the guest's output any more"),
            Stop::Convention(what) => {
                write!(f, "guest broke its calling convention: {}", printable(what))
            }
        }
    }
}

impl std::error::Error for Stop {}
