//! Subscriptions to requests, and their end without a loss.
//!
//! The client library forgets a subscription when it has said UNSUB, or a moment later, and drops what the server had sent
//! before it knew (`Subscriber::drain` as well). So a node that leaves gives its subscriptions a last number (`UNSUB sid max`):
//! the server stops by itself after that message, and the library knows it for the last. A number is given once, and far ahead:
//! where it had passed, servers have been seen to count a subscription out twice, and another node's with it.
//!
//! The server counts messages from the begin of a connection, and the library from that of a subscription, which it makes again on
//! the next connection. Where the counts differ, the library takes a message for the last one, the server sends more, and nobody
//! answers them. So each connection gets a new subscription.

use super::node::Node;
use async_nats::{Message, Subscriber};
use futures_util::{FutureExt, StreamExt};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The last number is so many beyond those that have come, and as many again as came in the last moment: so many may be on
/// their way.
const BEYOND: u64 = 64;
const MOMENT: Duration = Duration::from_millis(100);

/// How long a node that leaves waits for these. A subscription that has not seen them by then has so little to do that it is
/// not likely to miss one.
const LAST: Duration = Duration::from_secs(1);

/// Time before a subscription that ended is made again.
const PAUSE: Duration = Duration::from_millis(100);

/// Counts the messages of the last moment.
#[derive(Debug)]
struct Rate {
    since: Instant,
    now: u64,
    before: u64,
}

impl Rate {
    fn new() -> Rate {
        Rate { since: Instant::now(), now: 0, before: 0 }
    }

    fn one(&mut self) {
        self.look();
        self.now += 1;
    }

    /// Messages of the last moment, or a few more.
    fn look(&mut self) -> u64 {
        let passed = self.since.elapsed();
        if passed >= MOMENT {
            self.before = if passed < 2 * MOMENT { self.now } else { 0 };
            (self.now, self.since) = (0, Instant::now());
        }
        self.now + self.before
    }
}

/// Calls `take` with each message to `subject`, of which one member of `group` gets each, as long as `gate` has its other end, and
/// with those that were on their way by then.
pub async fn run(
    Node { client, mut lost, .. }: Node,
    (subject, group): (String, &'static str),
    mut gate: watch::Receiver<()>,
    take: impl Fn(Message),
) {
    let mut rate = Rate::new();
    while gate.has_changed().is_ok() {
        // A loss from here on is one of the next subscription.
        lost.mark_unchanged();
        let mut subscriber = match client.queue_subscribe(subject.clone(), group.into()).await {
            Ok(subscriber) => subscriber,
            Err(error) => {
                // The connection is closed for good: a lost one is one that subscriptions wait for.
                log::error!("NATS: cannot subscribe to {subject}, until a restart: {error}");
                return;
            }
        };
        let mut got = 0;
        let end = loop {
            tokio::select! {
                message = subscriber.next() => match message {
                    Some(message) => {
                        got += 1;
                        rate.one();
                        take(message);
                    }
                    None => break End::Closed,
                },
                // An error is a gate that is gone.
                changed = gate.changed() => if changed.is_err() {
                    break End::Left;
                },
                _ = lost.changed() => break End::Lost,
            }
        };
        match end {
            End::Left => return last(subscriber, got, rate.look(), take).await,
            // What came before is answered all the same. The library does not make a dropped subscription again.
            End::Lost => drop(buffered(&mut subscriber, &take)),
            End::Closed => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Why a subscription is used no more.
enum End {
    Left,
    Lost,
    Closed,
}

/// Takes what the library has counted and not yet handed out: how many, or none where the subscription is at its end.
fn buffered(subscriber: &mut Subscriber, take: &impl Fn(Message)) -> Option<u64> {
    let mut count = 0;
    while let Some(message) = subscriber.next().now_or_never() {
        take(message?);
        count += 1;
    }
    Some(count)
}

/// Takes the last messages of a subscription that has had `got`, of which so many came in the last moment.
async fn last(mut subscriber: Subscriber, got: u64, lately: u64, take: impl Fn(Message)) {
    // Nothing comes in between: there is one thread.
    let Some(more) = buffered(&mut subscriber, &take) else { return };
    let got = got + more;
    if subscriber.unsubscribe_after(got + BEYOND + lately).await.is_err() {
        return;
    }
    let rest = async {
        while let Some(message) = subscriber.next().await {
            take(message);
        }
    };
    let _ = tokio::time::timeout(LAST, rest).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_at_least_the_messages_of_the_last_moment() {
        let mut rate = Rate::new();
        (0..5).for_each(|_| rate.one());
        assert_eq!(rate.look(), 5);
        rate.since -= MOMENT;
        assert_eq!(rate.look(), 5);
        rate.one();
        assert_eq!(rate.look(), 6);
        rate.since -= MOMENT;
        assert_eq!(rate.look(), 1);
        rate.since -= 2 * MOMENT;
        assert_eq!(rate.look(), 0);
    }
}
