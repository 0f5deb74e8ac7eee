//! A job that was delivered, and is this node's for as long as it says so in time.

use async_nats::connection::State;
use async_nats::jetstream::AckKind;
use async_nats::{Client, Request, Subject};
use bytes::Bytes;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};

/// How long a result that cannot be stored is kept, and how long a node that said nothing may still store one: after that, another
/// node may have stored it so long ago that the stream no longer knows it.
pub const HOLD: Duration = Duration::from_secs(120);

/// A node says that it is at work three times in the time that the server waits for it.
const SHARE_OF_WAIT: u32 = 3;

/// The bounds of what a consumer's `ack_wait` is taken for.
const WAIT: (Duration, Duration) = (Duration::from_millis(300), Duration::from_secs(600));

/// How long the server has to confirm an acknowledgement.
const CONFIRM_PATIENCE: Duration = Duration::from_secs(3);

/// How often an acknowledgement is sent until one is confirmed.
const ACKNOWLEDGEMENTS_MAX: usize = 3;

/// How long a message waits for room in the connection's queue.
const SEND_PATIENCE: Duration = Duration::from_secs(1);

/// The right to a job.
pub struct Lease {
    client: Client,
    reply: Subject,
    tick: Interval,
    extended: Instant,
    is_lost: bool,
}

impl Lease {
    /// Of the job that is acknowledged at `reply`, by a consumer with this `ack_wait`.
    pub fn new(client: Client, reply: Subject, ack_wait: Duration) -> Lease {
        let period = ack_wait.clamp(WAIT.0, WAIT.1) / SHARE_OF_WAIT;
        let mut tick = interval_at(Instant::now() + period, period);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Lease { client, reply, tick, extended: Instant::now(), is_lost: false }
    }

    /// Does `work`, and keeps the job meanwhile.
    pub async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                _ = self.tick.tick() => self.extend().await,
            }
        }
    }

    async fn extend(&mut self) {
        if self.is_lost() || self.client.connection_state() != State::Connected {
            return;
        }
        if self.say(AckKind::Progress).await {
            self.extended = Instant::now();
        }
    }

    /// Whether the node has said nothing for so long that it may store nothing for the job.
    pub fn is_lost(&mut self) -> bool {
        self.is_lost |= self.extended.elapsed() >= HOLD;
        self.is_lost
    }

    /// Gives the job back, for after `pause`.
    pub async fn give_back(&self, pause: Duration) {
        let pause = (!pause.is_zero()).then_some(pause);
        self.say(AckKind::Nak(pause)).await;
    }

    async fn say(&self, kind: AckKind) -> bool {
        let send = self.client.publish(self.reply.clone(), Bytes::from(kind));
        matches!(timeout(SEND_PATIENCE, send).await, Ok(Ok(())))
    }

    /// Ends the job, and waits until the server confirms it. Whether it did.
    pub async fn end(&self, kind: AckKind) -> bool {
        for _ in 0..ACKNOWLEDGEMENTS_MAX {
            let request = Request::new().payload(Bytes::from(kind)).timeout(Some(CONFIRM_PATIENCE));
            if self.client.send_request(self.reply.clone(), request).await.is_ok() {
                return true;
            }
        }
        false
    }
}
