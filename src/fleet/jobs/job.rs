//! One job: run, result or dead letter, acknowledgement.

use super::counts::Counts;
use super::lease::Lease;
use super::names::{self, JobId};
use super::session::{Counted, Session};
use super::store::{Letter, NotStored, dead_fields, mark, store};
use super::verdict::{self, ARRIVALS_MAX, Failure, Next, Outcome};
use crate::fleet::local::{Answer, Ask};
use crate::fleet::message::{incoming, reply};
use crate::fleet::subject::{DEAD, JOBS, RESULTS, Target};
use crate::gateway::http::problem::BAD_REQUEST;
use async_nats::Message;
use async_nats::jetstream::AckKind;
use bytes::Bytes;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a node that took a job for which it has no worker after all looks for one.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Pauses between two looks: each twice that before it, up to the second.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// A job that this node has.
pub struct Job<'a> {
    /// What it belongs to.
    pub session: &'a Session,
    /// The message.
    pub message: Message,
    /// Which one it is.
    pub id: JobId,
    /// The right to it.
    pub lease: Lease,
}

impl Job<'_> {
    /// Does all that is to be done.
    ///
    /// # Errors
    /// What cannot be stored, so that no other job is to be taken.
    pub async fn handle(mut self) -> Result<(), String> {
        Counts::count(&self.session.counts.taken);
        if self.session.node.is_leaving() {
            self.give_back(Duration::ZERO).await;
            return Ok(());
        }
        if self.id.deliveries > ARRIVALS_MAX {
            let failure = verdict::lost(self.id.deliveries);
            return self.bury(failure).await;
        }
        let unit = self.session.node.config.job_pause.unwrap_or(verdict::UNIT);
        let (failure, next) = match self.run().await {
            Outcome::Done(answer) => return self.finish(answer).await,
            Outcome::Hopeless(failure) => (failure, Next::Dead),
            Outcome::Failed(failure) => (failure, verdict::after_failure(self.id.deliveries, unit)),
            // Another node has the job at once.
            Outcome::NotBegun(_) if self.session.node.is_leaving() => {
                self.give_back(Duration::ZERO).await;
                return Ok(());
            }
            Outcome::NotBegun(failure) => (failure, verdict::after_nothing(self.id.deliveries, unit)),
        };
        match next {
            Next::Dead => self.bury(failure).await,
            Next::Again(pause) => {
                let (id, Failure { status, problem, detail }) = (&self.id, &failure);
                log::debug!("job {}, delivery {}: {status} {problem} {detail}", id.name, id.deliveries);
                self.give_back(pause).await;
                Ok(())
            }
        }
    }

    async fn run(&mut self) -> Outcome {
        let hopeless = |what: &str| Outcome::Hopeless(Failure::new(BAD_REQUEST, what));
        let target = match Target::of(&self.message.subject, JOBS) {
            Ok(target) => target,
            Err(what) => return hopeless(&what),
        };
        let headers = self.message.headers.as_ref();
        let ask = match incoming(&target, headers, self.message.payload.clone()) {
            Ok(incoming) => incoming.ask,
            Err(what) => return hopeless(&what),
        };
        let (begun, mut pause) = (Instant::now(), PAUSE.0);
        loop {
            let outcome = self.ask(&ask).await;
            let is_enough = begun.elapsed() >= PATIENCE || self.session.node.is_leaving();
            if is_enough || !matches!(outcome, Outcome::NotBegun(_)) {
                return outcome;
            }
            self.lease.during(sleep(pause)).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    async fn ask(&mut self, ask: &Ask) -> Outcome {
        let most = self.session.node.client.max_payload();
        let _running = Counted::new(&self.session.running);
        let answer = self.lease.during(self.session.node.local.ask(ask, most)).await;
        verdict::outcome(answer, most)
    }

    /// Stores the result, and acknowledges the job when it is.
    async fn finish(mut self, answer: Answer) -> Result<(), String> {
        let session = self.session;
        let mut headers = reply(&answer, &session.node.config.node);
        mark(&mut headers, &self.message, &self.id);
        let letter = Letter::new(
            names::results(&session.stream),
            self.subject(RESULTS),
            headers,
            Bytes::from(answer.body),
            &self.id.unique,
        );
        match store(session, &mut self.lease, &letter).await {
            Ok(was_there) => {
                if was_there {
                    Counts::count(&session.counts.again);
                }
                self.end(AckKind::Ack).await;
                Counts::count(&session.counts.done);
                Ok(())
            }
            Err(NotStored::TooLarge) => {
                self.bury(verdict::too_large(session.node.client.max_payload())).await
            }
            Err(NotStored::GaveUp(why)) => self.keep(why).await,
        }
    }

    /// Makes a dead letter of the job, and ends it when that is stored.
    async fn bury(mut self, failure: Failure) -> Result<(), String> {
        let session = self.session;
        let headers = dead_fields(&self.message, &self.id, &failure, &session.node.config.node);
        let id = format!("{}.dead", self.id.unique);
        let stream = names::dead(&session.stream);
        let letter = Letter::new(stream, self.subject(DEAD), headers, self.message.payload.clone(), &id);
        let mut stored = store(session, &mut self.lease, &letter).await;
        if matches!(stored, Err(NotStored::TooLarge)) {
            stored = store(session, &mut self.lease, &letter.bare()).await;
        }
        match stored {
            Ok(_) => {
                let (id, Failure { status, problem, detail }) = (&self.id, &failure);
                log::warn!(
                    "job {} is a dead letter after {} deliveries: {status} {problem} {detail}",
                    id.name,
                    id.deliveries
                );
                self.end(AckKind::Term).await;
                Counts::count(&session.counts.dead);
                Ok(())
            }
            Err(NotStored::TooLarge) => self.keep("a dead letter is too large".into()).await,
            Err(NotStored::GaveUp(why)) => self.keep(why).await,
        }
    }

    /// Leaves the job in its stream, as nothing can be stored.
    async fn keep(self, why: String) -> Result<(), String> {
        let is_leaving = self.session.node.is_leaving();
        let pause = if is_leaving { Duration::ZERO } else { verdict::UNIT * verdict::PAUSE_NOT_BEGUN };
        self.give_back(pause).await;
        Err(why)
    }

    async fn give_back(&self, pause: Duration) {
        Counts::count(&self.session.counts.retried);
        self.lease.give_back(pause).await;
    }

    async fn end(&self, kind: AckKind) {
        if !self.lease.end(kind).await {
            // It comes again, and what is stored is not stored again.
            log::debug!("job {}: the server did not confirm its end", self.id.name);
            Counts::count(&self.session.counts.unconfirmed);
        }
    }

    /// The subject of what is stored, behind `prefix`: the same names as in the job's.
    fn subject(&self, prefix: &str) -> String {
        let rest = self.message.subject.strip_prefix(JOBS).unwrap_or_default();
        format!("{prefix}{rest}")
    }
}
