//! Why bytes from a client are refused before they are a request.

use super::problem::{Kind, NO_MEMORY};
use std::borrow::Cow;

/// Why a request is refused while it is received; the connection ends with the response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The problem, and so the status.
    pub kind: Kind,
    /// What is wrong.
    pub detail: Cow<'static, str>,
}

/// What is said where the system has no memory for a request.
pub const NO_MEMORY_DETAIL: &str = "the system has too little memory for this request; try again";

/// There is no memory for the request.
pub const NO_ROOM: Reject = Reject { kind: NO_MEMORY, detail: Cow::Borrowed(NO_MEMORY_DETAIL) };

/// A [`Reject`] as an error.
pub(crate) fn reject<T>(kind: Kind, detail: &'static str) -> Result<T, Reject> {
    Err(Reject { kind, detail: detail.into() })
}
