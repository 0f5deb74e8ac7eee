//! Results and dead letters: as messages, and into their streams.

use super::lease::{HOLD, Lease};
use super::names::JobId;
use super::session::Session;
use super::verdict::Failure;
use crate::fleet::message::{NODE, PROBLEM, STATUS};
use async_nats::header::{HeaderValue, NATS_EXPECTED_STREAM, NATS_MESSAGE_ID};
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{Error, ErrorCode};
use async_nats::{HeaderMap, Message};
use bytes::Bytes;
use std::error::Error as _;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The job that a result or a dead letter is of: `STREAM.SEQ`.
pub const JOB: &str = "Fuelbox-Job";
/// What its sender calls it.
pub const JOB_ID: &str = "Fuelbox-Job-Id";
/// What happened.
pub const DETAIL: &str = "Fuelbox-Detail";
/// How often it was delivered.
pub const DELIVERIES: &str = "Fuelbox-Deliveries";
/// Bytes of a job's body that its dead letter has no room for.
pub const LEFT_OUT: &str = "Fuelbox-Left-Out";

/// Pauses between two attempts to store: each twice that before it, up to the second.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Attempts of a node that leaves.
const ATTEMPTS_LEAVING: usize = 3;

/// Bytes of a sender's name for its job, at most.
const JOB_ID_BYTES_MAX: usize = 512;

/// What is to be stored.
pub struct Letter {
    /// The stream.
    pub stream: String,
    /// Where to.
    pub subject: String,
    /// Its fields.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Why something is not stored.
#[derive(Debug)]
pub enum NotStored {
    /// It is too large for the server or the stream.
    TooLarge,
    /// The last reason of many.
    GaveUp(String),
}

impl Letter {
    /// For `stream`, which takes the same `id` only once.
    pub fn new(stream: String, subject: String, mut headers: HeaderMap, body: Bytes, id: &str) -> Letter {
        headers.insert(NATS_MESSAGE_ID, id);
        headers.insert(NATS_EXPECTED_STREAM, &*stream);
        Letter { stream, subject, headers, body }
    }

    /// The same without the job's own fields and body, of which it says how long the body was.
    pub fn bare(&self) -> Letter {
        let mut headers = HeaderMap::new();
        for name in [JOB, JOB_ID, STATUS, PROBLEM, DETAIL, DELIVERIES, NODE] {
            if let Some(value) = self.headers.get(name) {
                headers.insert(name, value.clone());
            }
        }
        for name in [NATS_MESSAGE_ID, NATS_EXPECTED_STREAM] {
            if let Some(value) = self.headers.get(name.clone()) {
                headers.insert(name, value.clone());
            }
        }
        headers.insert(LEFT_OUT, HeaderValue::from(self.body.len()));
        Letter { stream: self.stream.clone(), subject: self.subject.clone(), headers, body: Bytes::new() }
    }
}

/// The fields of a dead letter of `job`: its own, but for those that NATS and fuelbox give a meaning, and what happened.
pub fn dead_fields(job: &Message, id: &JobId, failure: &Failure, node: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, values) in job.headers.iter().flat_map(|headers| headers.iter()) {
        let text: &str = name.as_ref();
        let begins = |with: &str| text.get(..with.len()).is_some_and(|b| b.eq_ignore_ascii_case(with));
        let is_ours = [JOB, JOB_ID, STATUS, PROBLEM, DETAIL, DELIVERIES, LEFT_OUT, NODE];
        if begins("Nats-") || is_ours.iter().any(|own| text.eq_ignore_ascii_case(own)) {
            continue;
        }
        values.iter().for_each(|value| headers.append(name.clone(), value.clone()));
    }
    mark(&mut headers, job, id);
    headers.insert(STATUS, HeaderValue::from(failure.status));
    if !failure.problem.is_empty() {
        headers.insert(PROBLEM, &*failure.problem);
    }
    headers.insert(DETAIL, &*failure.detail);
    headers.insert(DELIVERIES, HeaderValue::from(id.deliveries));
    headers.insert(NODE, node);
    headers
}

/// Says in `headers` which job they are of: by the stream's number, and by the sender's name for it.
pub fn mark(headers: &mut HeaderMap, job: &Message, id: &JobId) {
    headers.insert(JOB, &*id.name);
    let own = job.headers.as_ref().and_then(|fields| fields.get(JOB_ID).or(fields.get(NATS_MESSAGE_ID)));
    if let Some(own) = own.filter(|own| own.as_str().len() <= JOB_ID_BYTES_MAX) {
        headers.insert(JOB_ID, own.clone());
    }
}

/// Stores `letter`, and waits until the server says that it is. Whether it was there before.
pub async fn store(session: &Session, lease: &mut Lease, letter: &Letter) -> Result<bool, NotStored> {
    let (begun, mut pause) = (Instant::now(), PAUSE.0);
    for attempt in 1.. {
        // Nothing may wait for a connection: by the time that it goes out, it could be too late.
        let why = if lease.is_lost() {
            return Err(NotStored::GaveUp("the server was out of reach for too long".into()));
        } else if session.is_connected() {
            match lease.during(publish(session, letter)).await {
                Ok(was_there) => return Ok(was_there),
                Err(error) if is_too_large(&error) => return Err(NotStored::TooLarge),
                Err(error) => error.to_string(),
            }
        } else {
            "there is no connection".into()
        };
        if attempt == 1 {
            log::debug!("jobs: stream {}: {why}; trying again", letter.stream);
        }
        let is_enough = session.node.is_leaving() && attempt >= ATTEMPTS_LEAVING;
        if is_enough || begun.elapsed() >= HOLD {
            return Err(NotStored::GaveUp(format!("stream {}: {why}", letter.stream)));
        }
        lease.during(sleep(pause)).await;
        pause = (pause * 2).min(PAUSE.1);
    }
    Err(NotStored::GaveUp(String::new()))
}

async fn publish(session: &Session, letter: &Letter) -> Result<bool, PublishError> {
    let message = PublishMessage::build().payload(letter.body.clone()).headers(letter.headers.clone());
    let sent = session.context.send_publish(letter.subject.clone(), message).await?;
    Ok(sent.await?.duplicate)
}

fn is_too_large(error: &PublishError) -> bool {
    let of_stream = |error: &Error| error.error_code() == ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM;
    error.kind() == PublishErrorKind::MaxPayloadExceeded
        || error.source().and_then(|source| source.downcast_ref()).is_some_and(of_stream)
}
