//! What one run may see of the world: arguments, environment, descriptors, clock and randomness. All of it
//! is given from outside, so that a test (or a reproducible run) gives something else.

use super::files::{Files, Sink, SinkTo, Stdin};
use std::time::{Duration, Instant, SystemTime};

/// Where a guest's time comes from.
#[derive(Debug, Clone, Copy, Default)]
pub enum Clock {
    /// The system's clocks; monotonic time counts from the start of the run.
    #[default]
    System,
    /// Both clocks stand at this many nanoseconds.
    Fixed(u64),
}

/// Where a guest's random bytes come from.
#[derive(Debug, Clone, Copy, Default)]
pub enum Entropy {
    /// The system's generator.
    #[default]
    System,
    /// Always this byte.
    Fixed(u8),
}

/// The context of one run.
pub struct WasiCtx {
    /// Arguments, the program's name first.
    pub args: Vec<Vec<u8>>,
    /// Environment entries, each `KEY=VALUE`.
    pub env: Vec<Vec<u8>>,
    /// Descriptors.
    pub files: Files,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// When the run began.
    pub started: Instant,
    /// When it must have ended; no call waits longer.
    pub deadline: Option<Instant>,
    /// Bytes moved by the present call, which it pays for in fuel.
    pub moved_bytes: u64,
}

impl WasiCtx {
    /// A context with no arguments, no environment, no input, and both outputs into `stdout` and `stderr`.
    pub fn new(output_bytes: usize, stdin: Stdin, stdout: SinkTo, stderr: SinkTo) -> WasiCtx {
        WasiCtx {
            args: Vec::new(),
            env: Vec::new(),
            files: Files::new(
                stdin,
                Sink::new("stdout", output_bytes, stdout),
                Sink::new("stderr", output_bytes, stderr),
            ),
            clock: Clock::System,
            entropy: Entropy::System,
            started: Instant::now(),
            deadline: None,
            moved_bytes: 0,
        }
    }

    /// Starts the clock of the run.
    pub fn start(&mut self, started: Instant, deadline: Option<Duration>) {
        self.started = started;
        self.deadline = deadline.and_then(|d| started.checked_add(d));
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub fn realtime_ns(&self) -> u64 {
        match self.clock {
            Clock::Fixed(ns) => ns,
            Clock::System => {
                let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
            }
        }
    }

    /// Nanoseconds since the run began.
    pub fn monotonic_ns(&self) -> u64 {
        match self.clock {
            Clock::Fixed(ns) => ns,
            Clock::System => u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX),
        }
    }
}
