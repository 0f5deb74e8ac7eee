//! The limits of the gateway's connection layer.

use super::constants::INPUT_BYTES_DEFAULT;
use super::run::Limits;
use std::time::Duration;

/// The limits of clients. Every field is also a flag of `fuelbox serve`.
///
/// ```
/// use fuelbox::DoorLimits;
///
/// let limits = DoorLimits { body_bytes: 32 << 20, ..DoorLimits::default() };
/// assert!(limits.check().unwrap_err().contains("--body-budget"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorLimits {
    /// Open connections (`--max-connections`). A new one above the limit evicts the longest-waiting connection
    /// of the client with the most.
    pub connections: usize,
    /// Open connections of one client, an IPv4 address or an IPv6 /64 (`--max-connections-per-client`); `None`
    /// is half of all.
    pub connections_per_client: Option<usize>,
    /// Percentage of the workers that one client can use (`--client-share`).
    pub client_share: u32,
    /// Bytes of a request's head (`--max-head`).
    pub head_bytes: usize,
    /// Bytes of a request's body (`--max-body`).
    pub body_bytes: usize,
    /// Bytes of requests and unsent responses of all connections (`--body-budget`).
    pub budget_bytes: usize,
    /// Time from the first byte of a head to its last (`--head-timeout`).
    pub head_timeout: Duration,
    /// Time from the end of the head to the end of the body (`--body-timeout`).
    pub body_timeout: Duration,
    /// Time between requests, and before the first (`--idle-timeout`).
    pub idle_timeout: Duration,
    /// Time for the client to take a response (`--write-timeout`).
    pub write_timeout: Duration,
    /// Requests that may wait for a worker (`--queue`).
    pub queue: usize,
    /// Time that each of them may wait (`--queue-timeout`).
    pub queue_timeout: Duration,
}

impl Default for DoorLimits {
    fn default() -> Self {
        DoorLimits {
            // Enough for a home network. An idle connection takes well below 4 KiB.
            connections: 256,
            connections_per_client: None,
            // A run cannot be revoked before its deadline, so the other half is reserved for others.
            client_share: 50,
            // As in common servers: cookies and tokens fit.
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

/// Bytes that a connection may hold even if the budget is used up: an input buffer and a common request. All of
/// the budget can be held by workers and guests, and that must not keep small requests out.
pub const ALWAYS_BYTES: usize = 8 * 1024;

/// The longest timeout of a client: a day.
pub const CLIENT_TIMEOUT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The smallest limit for a head that works with common clients, in bytes.
pub const HEAD_BYTES_MIN: usize = 256;

impl DoorLimits {
    /// The connections of one client.
    #[doc(hidden)]
    pub fn connections_of_one(&self) -> usize {
        self.connections_per_client.unwrap_or((self.connections / 2).max(1))
    }

    /// The workers of one client, out of `guests`.
    #[doc(hidden)]
    pub fn workers_of_one(&self, guests: usize) -> usize {
        let part = guests.saturating_mul(self.client_share as usize) / 100;
        part.max(1)
    }

    /// Checks for values that contradict each other, or with which nothing can be served.
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

    /// Checks these limits against the limits of a run.
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
