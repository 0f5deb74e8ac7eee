//! What all that is done for jobs has in common: the streams, and how much is under way.

use super::counts::Counts;
use crate::fleet::node::Node;
use async_nats::connection::State;
use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::PullConsumer;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, watch};

/// The streams of a node's jobs, and what it does with them.
pub struct Session {
    /// The node.
    pub node: Node,
    /// Streams are asked for and published to by this.
    pub context: Context,
    /// The stream of jobs.
    pub stream: String,
    /// What became of them.
    pub counts: Arc<Counts>,
    /// The consumer; none while the streams are not as they must be.
    pub consumer: watch::Sender<Option<PullConsumer>>,
    /// Jobs that were asked for and have not come.
    pub pulling: AtomicUsize,
    /// Jobs that the gateway was asked to run and has not answered.
    pub running: AtomicUsize,
    broken: Mutex<Option<String>>,
    is_broken: Notify,
}

impl Session {
    /// With nothing to take jobs from, yet.
    pub fn new(node: Node, context: Context, stream: String, counts: Arc<Counts>) -> Session {
        Session {
            node,
            context,
            stream,
            counts,
            consumer: watch::channel(None).0,
            pulling: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            broken: Mutex::new(None),
            is_broken: Notify::new(),
        }
    }

    /// Says that the streams are to be looked at again, as `why` says.
    pub fn break_off(&self, why: String) {
        self.consumer.send_replace(None);
        *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        self.is_broken.notify_one();
    }

    /// Waits for that.
    pub async fn broken_off(&self) -> String {
        loop {
            if let Some(why) = self.broken.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return why;
            }
            self.is_broken.notified().await;
        }
    }

    /// Whether there is a connection.
    pub fn is_connected(&self) -> bool {
        self.node.client.connection_state() == State::Connected
    }

    /// Asks for a worker: counts a job that is to come, if one is free for it. Whoever waits for a worker comes first.
    pub fn reserve(&self) -> Option<Counted<'_>> {
        let occupancy = self.node.local.occupancy();
        let busy = occupancy.running.max(self.running.load(SeqCst)) + self.pulling.load(SeqCst);
        (occupancy.queued == 0 && busy < occupancy.limit).then(|| Counted::new(&self.pulling))
    }
}

/// One that is counted until it is dropped.
pub struct Counted<'a>(&'a AtomicUsize);

impl Counted<'_> {
    /// One more of `counter`.
    pub fn new(counter: &AtomicUsize) -> Counted<'_> {
        counter.fetch_add(1, SeqCst);
        Counted(counter)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}
