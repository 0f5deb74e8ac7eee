//! The caps of the gateway's front door.

use super::constants::INPUT_BYTES_DEFAULT;
use super::run::Limits;
use std::time::Duration;

/// What the gateway's front door allows clients. Every field is also a flag of `fuelbox serve`.
///
/// ```
/// use fuelbox::DoorLimits;
///
/// let limits = DoorLimits { body_bytes: 32 << 20, ..DoorLimits::default() };
/// assert!(limits.check().unwrap_err().contains("--body-budget"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorLimits {
    /// Connections open at a time (`--max-connections`). One more closes the one that has been waiting
    /// for its client longest, of the client that has most.
    pub connections: usize,
    /// Connections of one client, an IPv4 address or the /64 of an IPv6 address
    /// (`--max-connections-per-client`); none is half of all.
    pub connections_per_client: Option<usize>,
    /// Percent of the running guests that may be one client's (`--client-share`).
    pub client_share: u32,
    /// Bytes of a request's head (`--max-head`).
    pub head_bytes: usize,
    /// Bytes of a request's body (`--max-body`).
    pub body_bytes: usize,
    /// Bytes of bodies and unsent responses over all connections (`--body-budget`).
    pub budget_bytes: usize,
    /// From the first byte of a head to its last (`--head-timeout`).
    pub head_timeout: Duration,
    /// From a head to the last byte of its body (`--body-timeout`).
    pub body_timeout: Duration,
    /// Between requests, and before the first (`--idle-timeout`).
    pub idle_timeout: Duration,
    /// For a response to be taken by its client (`--write-timeout`).
    pub write_timeout: Duration,
    /// Requests that may wait for a guest to end (`--queue`).
    pub queue: usize,
    /// How long each of them waits (`--queue-timeout`).
    pub queue_timeout: Duration,
}

impl Default for DoorLimits {
    fn default() -> Self {
        DoorLimits {
            // A home network's worth; each costs well under 4 KiB while idle.
            connections: 256,
            connections_per_client: None,
            // What runs cannot be taken back before its deadline, so the other half is kept for others.
            client_share: 50,
            // What common servers take: cookies and tokens fit.
            head_bytes: 16 * 1024,
            body_bytes: INPUT_BYTES_DEFAULT,
            budget_bytes: 16 * 1024 * 1024,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(30),
            queue: 64,
            queue_timeout: Duration::from_secs(1),
        }
    }
}

/// What a connection may hold even if nobody can make room for it, in bytes: an input buffer and a common request. What
/// others hold can all be in the hands of workers and guests, and that must not keep small requests out.
pub const ALWAYS_BYTES: usize = 8 * 1024;

/// The longest time that a client can be given: a day.
pub const CLIENT_TIMEOUT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The smallest head that common clients can send, in bytes.
pub const HEAD_BYTES_MIN: usize = 256;

impl DoorLimits {
    /// Connections of one client.
    #[doc(hidden)]
    pub fn connections_of_one(&self) -> usize {
        self.connections_per_client.unwrap_or((self.connections / 2).max(1))
    }

    /// Of this many `guests` at once, how many may be one client's.
    #[doc(hidden)]
    pub fn workers_of_one(&self, guests: usize) -> usize {
        let part = guests.saturating_mul(self.client_share as usize) / 100;
        part.max(1)
    }

    /// Checks the values that contradict each other or that nothing could be served under.
    ///
    /// # Errors
    /// A sentence with both flags and both values.
    pub fn check(&self) -> Result<(), String> {
        if self.connections == 0 {
            return Err("--max-connections is 0: nobody could connect".into());
        }
        if let Some(of_one) = self.connections_per_client {
            if of_one == 0 {
                return Err("--max-connections-per-client is 0: nobody could connect".into());
            }
            if of_one > self.connections {
                let all = self.connections;
                return Err(format!(
                    "--max-connections-per-client is {of_one}, more than --max-connections, which is {all}"
                ));
            }
        }
        if !(1..=100).contains(&self.client_share) {
            return Err(format!("--client-share is {}; it is 1 to 100 percent", self.client_share));
        }
        if self.head_bytes < HEAD_BYTES_MIN {
            let head = self.head_bytes;
            return Err(format!("--max-head is {head}, less than the {HEAD_BYTES_MIN} that clients need"));
        }
        if self.body_bytes > self.budget_bytes {
            return Err(format!(
                "--max-body is {}, more than --body-budget, which is {}",
                self.body_bytes, self.budget_bytes
            ));
        }
        for (flag, timeout) in [
            ("--head-timeout", self.head_timeout),
            ("--body-timeout", self.body_timeout),
            ("--idle-timeout", self.idle_timeout),
            ("--write-timeout", self.write_timeout),
        ] {
            if timeout.is_zero() {
                return Err(format!("{flag} is 0: no client could be that fast"));
            }
            if timeout > CLIENT_TIMEOUT_MAX {
                let (given, most) = (timeout.as_secs(), CLIENT_TIMEOUT_MAX.as_secs());
                return Err(format!("{flag} is {given} s, more than the {most} s that can be counted"));
            }
        }
        Ok(())
    }

    /// Checks these against the limits of a run.
    ///
    /// # Errors
    /// A sentence with both flags and both values.
    #[doc(hidden)]
    pub fn check_with(&self, limits: &Limits) -> Result<(), String> {
        self.check()?;
        if self.body_bytes > limits.input_bytes {
            return Err(format!(
                "--max-body is {}, more than --max-input, which is {}",
                self.body_bytes, limits.input_bytes
            ));
        }
        Ok(())
    }
}
