//! A response that is sent while it is made.

use super::message::Response;
use std::time::Instant;

/// How a body ends (RFC 9112, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// After so many bytes.
    Length(u64),
    /// With its last chunk. Trailers may follow.
    Chunked,
}

/// Why bytes are not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsent {
    /// The client is gone, or takes too long.
    Gone,
    /// It has not taken them in time.
    Late,
    /// There is no room for them.
    NoRoom,
}

/// A client that takes a response piece by piece. The end of the response is what the handler returns
/// ([`Response::ends_stream`]); if that is no end of it, the connection is closed without one.
pub trait Stream: Send {
    /// Begins a response. `head` has no body. Nothing is sent before the first piece.
    ///
    /// # Errors
    /// [`Unsent`].
    fn begin(&mut self, head: Response, framing: Framing) -> Result<(), Unsent>;

    /// Sends a piece of the body. Returns when the system has taken all of it, at `until` at the latest.
    ///
    /// # Errors
    /// [`Unsent`]. Nothing more can be sent.
    fn send(&mut self, piece: &[u8], until: Option<Instant>) -> Result<(), Unsent>;
}
