//! Why a command ended early.

use crate::cli::exit;

/// Why a command ended early: an exit code and the message for stderr. An empty message prints nothing.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// The message.
    pub message: String,
}

impl Failure {
    /// A failure with `code` that prints `message`.
    pub fn new(code: u8, message: impl Into<String>) -> Failure {
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
