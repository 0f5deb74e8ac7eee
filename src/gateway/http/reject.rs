//! Why bytes from a client are refused before they are a request.

use super::problem::{Kind, NO_MEMORY};

/// Why a request is refused while it is received; the connection ends with the response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The problem, and so the status.
    pub kind: Kind,
    /// What is wrong.
    pub detail: &'static str,
}

/// What is said where the system has no memory for a request.
pub const NO_MEMORY_DETAIL: &str = "the system has too little memory for this request; try again";

/// There is no memory for the request.
pub const NO_ROOM: Reject = Reject { kind: NO_MEMORY, detail: NO_MEMORY_DETAIL };

/// What is said of a body that is too large, whichever limit it is held to.
pub const BODY_TOO_LARGE: &str = "the body is larger than --max-body; that of a plug-in to be deployed is held to \
    --max-module and --body-budget";

/// A [`Reject`] as an error.
pub(crate) fn reject<T>(kind: Kind, detail: &'static str) -> Result<T, Reject> {
    Err(Reject { kind, detail })
}
