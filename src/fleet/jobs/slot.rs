//! A place for one job: asks for it when a worker is free, and does it.

use super::job::Job;
use super::lease::Lease;
use super::names::JobId;
use super::session::Session;
use async_nats::jetstream::{self, consumer::PullConsumer, consumer::pull::BatchConfig};
use async_nats::{StatusCode, Subject, Subscriber};
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// How long the server keeps the question for a job.
const EXPIRES: Duration = Duration::from_secs(5);

/// How much later than that an answer may come.
const MARGIN: Duration = Duration::from_secs(2);

/// How long a node that leaves waits for a job that may be on its way to it.
const LEAVE_WAIT: Duration = Duration::from_millis(250);

/// Pauses between two looks for a free worker: each twice that before it, up to the second.
const PAUSE: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(64));

/// What came of a question.
enum Came {
    Job(Box<async_nats::Message>),
    Nothing,
    Broken(String),
}

/// Takes jobs, one after another, until the node leaves.
pub async fn take(session: Arc<Session>) {
    let mut inbox = None;
    let mut pause = PAUSE.0;
    while !session.node.is_leaving() {
        let consumer = session.consumer.borrow().clone();
        let Some(consumer) = consumer.filter(|_| session.is_connected()) else {
            inbox = None;
            wait(&session, PAUSE.1).await;
            continue;
        };
        let Some(reservation) = session.reserve() else {
            wait(&session, pause).await;
            pause = (pause * 2).min(PAUSE.1);
            continue;
        };
        pause = PAUSE.0;
        let came = next(&session, &consumer, &mut inbox).await;
        drop(reservation);
        match came {
            Came::Nothing => {}
            Came::Broken(why) => {
                inbox = None;
                session.break_off(why);
            }
            Came::Job(message) => {
                if let Some(job) = job(&session, &consumer, *message)
                    && let Err(why) = job.handle().await
                {
                    session.break_off(why);
                }
            }
        }
    }
}

/// A pause that the end of the node ends.
async fn wait(session: &Session, pause: Duration) {
    tokio::select! {
        () = sleep(pause) => {}
        () = session.node.left() => {}
    }
}

/// Asks for a job, and waits for what comes. An inbox of which a question may still be open is not used again.
async fn next(session: &Session, consumer: &PullConsumer, inbox: &mut Option<(Subscriber, Subject)>) -> Came {
    let (mut subscriber, subject) = match inbox.take() {
        Some(inbox) => inbox,
        None => {
            let subject = Subject::from(session.node.client.new_inbox());
            match session.node.client.subscribe(subject.clone()).await {
                Ok(subscriber) => (subscriber, subject),
                Err(error) => return Came::Broken(error.to_string()),
            }
        }
    };
    let question = BatchConfig { batch: 1, expires: Some(EXPIRES), ..BatchConfig::default() };
    if let Err(error) = consumer.request_batch(question, subject.clone()).await {
        return Came::Broken(error.to_string());
    }
    let mut until = Instant::now() + EXPIRES + MARGIN;
    let mut has_left = false;
    let message = loop {
        tokio::select! {
            biased;
            message = timeout_at(until, subscriber.next()) => break message,
            () = session.node.left(), if !has_left => {
                has_left = true;
                until = Instant::now() + LEAVE_WAIT;
            }
        }
    };
    let Ok(Some(message)) = message else { return Came::Nothing };
    match message.status {
        None | Some(StatusCode::OK) => {
            *inbox = Some((subscriber, subject));
            Came::Job(Box::new(message))
        }
        Some(StatusCode::TIMEOUT | StatusCode::NOT_FOUND) => {
            *inbox = Some((subscriber, subject));
            Came::Nothing
        }
        Some(StatusCode::NO_RESPONDERS) => Came::Broken(format!("no server has stream {}", session.stream)),
        Some(status) => {
            let what = message.description.as_deref().unwrap_or_default();
            Came::Broken(format!("stream {}: {status} {}", session.stream, what.escape_debug()))
        }
    }
}

/// The job that a message is; none if it is no consumer's.
fn job<'a>(session: &'a Session, consumer: &PullConsumer, message: async_nats::Message) -> Option<Job<'a>> {
    let reply = message.reply.clone()?;
    let message = jetstream::Message { message, context: session.context.clone() };
    let id = JobId::of(&message.info().ok()?, &session.stream)?;
    let ack_wait = consumer.cached_info().config.ack_wait;
    let lease = Lease::new(session.node.client.clone(), reply, ack_wait);
    Some(Job { session, message: message.message, id, lease })
}
