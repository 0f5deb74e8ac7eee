//! What a connection waits for, and how long it may.

use crate::base::limits::DoorLimits;
use std::time::Duration;

/// What an unclaimed connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// The first byte of a request.
    Idle,
    /// The rest of a head.
    Head,
    /// The rest of a body.
    Body,
    /// The client to read its response.
    Write,
    /// The client to close, so that a reset does not lose the last response.
    Linger,
}

impl Phase {
    /// The phase with this number.
    pub fn from_u8(value: u8) -> Phase {
        [Phase::Idle, Phase::Head, Phase::Body, Phase::Write][..]
            .get(value as usize)
            .copied()
            .unwrap_or(Phase::Linger)
    }

    /// How long it may wait.
    pub fn patience(self, limits: &DoorLimits) -> Duration {
        /// Long enough for a response in flight, short enough not to keep descriptors.
        const LINGER: Duration = Duration::from_secs(1);
        match self {
            Phase::Idle => limits.idle_timeout,
            Phase::Head => limits.head_timeout,
            Phase::Body => limits.body_timeout,
            Phase::Write => limits.write_timeout,
            Phase::Linger => LINGER,
        }
    }
}
