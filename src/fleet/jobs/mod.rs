//! Jobs: messages of a work-queue stream that are run at least once, and whose results are stored once.
//!
//! A job is published to `fuelbox.jobs.PLUGIN` or `fuelbox.jobs.PLUGIN.FUNC`, into the stream STREAM. What a run gives goes to
//! `fuelbox.results.PLUGIN[.FUNC]`, into STREAM`-results`; a job without a result goes to `fuelbox.dead.PLUGIN[.FUNC]`, into
//! STREAM`-dead`, with the problem. All nodes take from one durable consumer, `fuelbox`. A node makes no stream and no
//! consumer ([`crate::fleet::jobs::setup`] does): it needs to publish to `$JS.API.CONSUMER.INFO.STREAM.fuelbox`,
//! `$JS.API.CONSUMER.MSG.NEXT.STREAM.fuelbox`, `$JS.API.STREAM.INFO` of the other two, `$JS.ACK.STREAM.fuelbox.>`,
//! `fuelbox.results.>` and `fuelbox.dead.>`, and to subscribe to its own inbox.
//!
//! A job is asked for when a worker is free for it. While it runs, and while its result waits to be stored, the server hears so
//! three times per `ack_wait`, and gives it to nobody else. A node that dies at any point loses nothing:
//!
//! | it dies | what is there | what happens |
//! | --- | --- | --- |
//! | before the run, or in it | the job | after `ack_wait` another node runs it |
//! | after the run | the job | the same: it runs again |
//! | while the result is stored | the job, and perhaps the result | it runs again; `Nats-Msg-Id` keeps the first result |
//! | after that, before the acknowledgement | the job and the result | the same |
//! | while it acknowledges | the result, and perhaps the job | the same, or nothing |
//! | while it gives a job back | the job | it comes after the pause, or after `ack_wait` |
//! | while a dead letter is stored | the job, and perhaps the letter | once more; `Nats-Msg-Id` keeps the first letter |
//! | before a job with a dead letter ends | the job and the letter | it runs once more: see below |
//!
//! The streams know an id for [`crate::fleet::jobs::setup::DUPLICATES`]. That covers all deliveries of a job, their pauses, and the time
//! that a node keeps what it cannot store; unit tests add it up. A job whose result is stored but whose acknowledgement is lost
//! and that then waits longer for a worker than this is stored twice. A job whose dead letter is stored and that a kill brings
//! back may still give a result: then it has both.
//!
//! How often a job was delivered is the server's count: there, a run that failed and a node that died are the same. A run that fails at
//! delivery 5 or later makes a dead letter, and so does delivery 11.

pub(crate) mod counts;
mod job;
mod lease;
pub mod names;
mod session;
pub mod setup;
mod slot;
mod store;
#[cfg(test)]
mod tests;
mod verdict;

use super::node::Node;

use async_nats::jetstream::consumer::{AckPolicy, PullConsumer};
use async_nats::jetstream::context::ContextBuilder;
use counts::Counts;
use names::CONSUMER;
use session::Session;
use setup::{ACK_WAIT, DELIVERIES_MAX, DUPLICATES};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How long a node that ends waits for results to be stored and jobs to be acknowledged.
pub const LEAVE_PATIENCE: Duration = Duration::from_secs(10);

/// How long a server has for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The pause before the streams are looked at again.
const PAUSE: Duration = Duration::from_secs(2);

/// Jobs that a node has for each of its workers: one that runs, and others whose results are being stored.
const SLOTS_OF_WORKER: usize = 4;

/// Jobs that a node has, at most.
const SLOTS_MAX: usize = 256;

/// Takes jobs, if the node is to, until it leaves; returns when those that it took are done. What becomes of them is counted
/// in `counts`.
pub async fn take(node: Node, counts: Arc<Counts>) {
    let Some(stream) = node.config.jobs.clone() else { return };
    let context = ContextBuilder::new().timeout(PATIENCE).ack_timeout(PATIENCE).build(node.client.clone());
    let session = Arc::new(Session::new(node, context, stream, counts));
    let slots = (session.node.local.occupancy().limit * SLOTS_OF_WORKER).clamp(1, SLOTS_MAX);
    let mut tasks = JoinSet::new();
    (0..slots).for_each(|_| drop(tasks.spawn(slot::take(Arc::clone(&session)))));
    tokio::select! {
        () = keep_open(&session) => {}
        () = session.node.left() => {}
    }
    while tasks.join_next().await.is_some() {}
    let counts = session.counts.all().map(|(name, count)| format!("{count} {name}"));
    log::info!("jobs of stream {}: {}", session.stream, counts.join(", "));
}

/// Looks for the streams, again whenever something was wrong with them.
async fn keep_open(session: &Session) {
    let mut told = String::new();
    loop {
        let why = match open(session).await {
            Ok(consumer) => {
                log::info!("jobs: taken from stream {}", session.stream);
                told.clear();
                session.consumer.send_replace(Some(consumer));
                session.broken_off().await
            }
            Err(why) => why,
        };
        // Once, and not every two seconds.
        if why != told {
            log::warn!("jobs: none are taken: {why}; looking again");
            told = why;
        }
        sleep(PAUSE).await;
    }
}

/// The consumer, if the streams are as they must be.
async fn open(session: &Session) -> Result<PullConsumer, String> {
    let Session { context, stream, .. } = session;
    let found = context.get_consumer_from_stream(CONSUMER, stream).await;
    let consumer: PullConsumer =
        found.map_err(|error| format!("stream {stream}, consumer {CONSUMER}: {error}"))?;
    let config = &consumer.cached_info().config;
    if config.ack_policy != AckPolicy::Explicit {
        return Err(format!("stream {stream}, consumer {CONSUMER}: its acknowledgements are not explicit"));
    }
    let is_few = config.max_deliver > 0 && config.max_deliver < DELIVERIES_MAX;
    if is_few || config.ack_wait > ACK_WAIT {
        log::warn!(
            "jobs: consumer {CONSUMER}: max_deliver {} is to be {DELIVERIES_MAX} or more, and ack_wait {:?} at most \
             {ACK_WAIT:?}",
            config.max_deliver,
            config.ack_wait
        );
    }
    for name in [names::results(stream), names::dead(stream)] {
        let found = context.get_stream(&name).await.map_err(|error| format!("stream {name}: {error}"))?;
        let window = found.cached_info().config.duplicate_window;
        if window < DUPLICATES {
            log::warn!("jobs: stream {name} knows an id for {window:?}, less than {DUPLICATES:?}");
        }
    }
    Ok(consumer)
}
