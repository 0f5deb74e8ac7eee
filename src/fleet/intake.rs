//! Subscriptions to requests that lose none when they end.
//!
//! The client library forgets a subscription when it has said UNSUB, or a moment later, and drops what the server had sent
//! before it knew (`Subscriber::drain` as well). So no subscription is ended: each begins with a last number (`UNSUB sid max`),
//! after which the server stops by itself, and the library knows that message for the last. While requests are taken, the next
//! one begins when half of the messages of the one before have come.

use crate::base::lock::lock;
use async_nats::{Client, Message, Subscriber};
use futures_util::{FutureExt, StreamExt};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

/// Whether requests are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// They are.
    Open,
    /// Not now.
    Full,
}

/// Messages of a subscription: at first, and of each that follows without a pause twice as many, up to a most.
const FIRST: u64 = 8;
const MOST: u64 = 32;

/// A node that leaves lowers the last number: to so many beyond those that have come, and as many again as came in the last
/// moment, since so many may be on their way.
const BEYOND: u64 = 16;
const MOMENT: Duration = Duration::from_millis(100);

/// How long it waits for these, and then for a few more. A subscription that has not seen them by then has so little to do that
/// it is not likely to miss one.
const LAST: Duration = Duration::from_millis(300);
const FEW: u64 = 2;
const LAST_FEW: Duration = Duration::from_millis(700);

/// What is called with each message.
pub type Take = Arc<dyn Fn(Message) + Send + Sync>;

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

/// Calls `take` with each message to `subject`, of which one member of `group` gets each, as long as `gate` is there, and with
/// those that were on their way by then.
pub async fn run(
    client: Client,
    (subject, group): (String, &'static str),
    mut gate: watch::Receiver<Gate>,
    take: Take,
) {
    let rate = Arc::new(Mutex::new(Rate::new()));
    let mut subscriptions = JoinSet::new();
    let mut credit = FIRST;
    // An error is a gate that is gone; one that was open when it went still says so.
    while gate.wait_for(|gate| *gate == Gate::Open).await.is_ok() && gate.has_changed().is_ok() {
        while subscriptions.try_join_next().is_some() {}
        let mut subscriber = match client.queue_subscribe(subject.clone(), group.into()).await {
            Ok(subscriber) => subscriber,
            Err(error) => {
                // The connection is closed for good: a lost one is one that subscriptions wait for.
                log::error!("NATS: cannot subscribe to {subject}, until a restart: {error}");
                break;
            }
        };
        // The server reads both at once. An error is a connection that is closed for good.
        if subscriber.unsubscribe_after(credit).await.is_err() {
            break;
        }
        log::debug!("{subject}: the next {credit}");
        let (half, is_half) = oneshot::channel();
        let subscription = Subscription { subscriber, max: credit, got: 0, take: Arc::clone(&take) };
        subscriptions.spawn(subscription.run(gate.clone(), Arc::clone(&rate), half));
        // It says so, or has ended.
        let _ = is_half.await;
        let is_open = gate.has_changed().is_ok() && *gate.borrow() == Gate::Open;
        credit = if is_open { (2 * credit).min(MOST) } else { FIRST };
    }
    while subscriptions.join_next().await.is_some() {}
}

/// One that ends with its message number `max`.
struct Subscription {
    subscriber: Subscriber,
    max: u64,
    got: u64,
    take: Take,
}

impl Subscription {
    /// Takes its messages. `half` is told when half of them have come, or dropped when all have.
    async fn run(
        mut self,
        mut gate: watch::Receiver<Gate>,
        rate: Arc<Mutex<Rate>>,
        half: oneshot::Sender<()>,
    ) {
        let mut half = Some(half);
        loop {
            tokio::select! {
                message = self.subscriber.next() => match message {
                    Some(message) => self.one(message, &rate),
                    None => return,
                },
                // The gate is gone.
                changed = gate.changed() => if changed.is_err() {
                    break;
                },
            }
            if self.got >= self.max / 2 {
                half.take().map(|half| half.send(()));
            }
        }
        drop(half);
        let beyond = BEYOND + lock(&rate).look();
        for (beyond, patience) in [(beyond, LAST), (FEW, LAST_FEW)] {
            if !self.lower(beyond, &rate).await {
                return;
            }
            let rest = async {
                while let Some(message) = self.subscriber.next().await {
                    self.one(message, &rate);
                }
            };
            if tokio::time::timeout(patience, rest).await.is_ok() {
                return;
            }
        }
    }

    fn one(&mut self, message: Message, rate: &Mutex<Rate>) {
        self.got += 1;
        lock(rate).one();
        (self.take)(message);
    }

    /// Has it end with the message that is `beyond` those that have come, if that is before its end. False if it has ended.
    async fn lower(&mut self, beyond: u64, rate: &Mutex<Rate>) -> bool {
        // What the library has counted and not yet handed out. Nothing comes in between: there is one thread.
        while let Some(message) = self.subscriber.next().now_or_never() {
            let Some(message) = message else { return false };
            self.one(message, rate);
        }
        if self.got + beyond >= self.max {
            return true;
        }
        self.max = self.got + beyond;
        self.subscriber.unsubscribe_after(self.max).await.is_ok()
    }
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
