//! Requests by NATS: `fuelbox.execute.PLUGIN` and `fuelbox.execute.PLUGIN.FUNC`, in a queue group, so that one node gets each.
//!
//! A node that has as many as it can run takes no more: it leaves the queue group until some have ended. What came in the
//! meantime, and what its gateway has no free worker for, is passed on to the others, a few times at most; the answer goes
//! through the node that passed it on, as only that one learns that there is no other.

use super::local::Answer;
use super::message::{self, Incoming, is_busy, problem, reply};
use super::node::Node;
use super::shared::{PASSING_MAX, Stats, Work};
use super::subject::{EXECUTE, Target, token};
use crate::base::lock::lock;
use crate::gateway::http::problem::{BAD_REQUEST, BUSY, DEADLINE, INTERNAL, LANE, OUTPUT};
use async_nats::client::RequestErrorKind;
use async_nats::{Message, Request, Subscriber};
use futures_util::StreamExt;
use std::collections::HashMap;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The queue group that all nodes are in.
pub const QUEUE_GROUP: &str = "fuelbox";

/// How often a request is passed on.
const HOPS_MAX: u32 = 3;

/// How often the list of plug-ins is looked at, and, while the node takes nothing, whether there is room again.
const LOOK: Duration = Duration::from_millis(500);
const LOOK_FULL: Duration = Duration::from_millis(5);

/// How long another node has for a request whose sender does not say how long it waits, beyond its deadline.
const MARGIN: Duration = Duration::from_secs(5);
const WITHOUT_DEADLINE: Duration = Duration::from_secs(300);

/// Room for the header fields of a response in what a server takes, in bytes.
pub const FIELDS_BYTES: usize = 16 * 1024;

/// What serves requests.
#[derive(Clone)]
pub struct Execute {
    node: Node,
    running: Arc<Work>,
    passing: Arc<Work>,
    stats: Arc<Mutex<Stats>>,
}

impl Execute {
    /// Nothing yet; results are counted in `stats`, and what is passed on in `passing`.
    pub fn new(node: Node, passing: Arc<Work>, stats: Arc<Mutex<Stats>>) -> Execute {
        Execute { node, running: Arc::default(), passing, stats }
    }

    /// Serves until the node leaves.
    pub async fn serve(self) {
        // Of each plug-in, what ends its subscriptions when it is dropped.
        let mut open: HashMap<String, oneshot::Sender<()>> = HashMap::new();
        let (mut is_full, mut looked) = (false, None::<Instant>);
        while !self.node.is_leaving() {
            let was_full = is_full;
            is_full = self.is_full(was_full);
            let wait = if is_full { LOOK_FULL } else { LOOK };
            let is_due = looked.is_none_or(|looked| looked.elapsed() >= wait);
            if is_full == was_full && !is_due {
                self.wait(wait).await;
                continue;
            }
            looked = Some(Instant::now());
            let plugins = if is_full { Vec::new() } else { self.plugins() };
            open.retain(|name, _| plugins.contains(name));
            for name in plugins {
                if !open.contains_key(&name)
                    && let Some(end) = self.listen(&name).await
                {
                    open.insert(name, end);
                }
            }
            self.wait(wait).await;
        }
    }

    /// Waits for `most`, or until something changes.
    async fn wait(&self, most: Duration) {
        tokio::select! {
            () = self.node.left() => {}
            () = self.running.changed.notified() => {}
            () = tokio::time::sleep(most) => {}
        }
    }

    /// The names of the plug-ins, sorted.
    fn plugins(&self) -> Vec<String> {
        self.node.runner.plugins().all().iter().map(|plugin| plugin.name.clone()).collect()
    }

    /// Requests that it takes at a time: those that run, and as many that wait.
    fn most(&self) -> usize {
        2 * self.node.local.occupancy().limit
    }

    /// Whether it has as many as it can run, and one round more; if it `was` full, until a half of that round is over.
    fn is_full(&self, was: bool) -> bool {
        let occupancy = self.node.local.occupancy();
        let waiting = if was { occupancy.limit / 2 } else { occupancy.limit };
        self.running.taken() >= occupancy.limit + waiting.max(1) || occupancy.queued >= waiting.max(1)
    }

    /// Takes the requests of a plug-in until the result is dropped.
    async fn listen(&self, plugin: &str) -> Option<oneshot::Sender<()>> {
        let token = token(plugin)?;
        let subscribe = |subject: String| self.node.client.queue_subscribe(subject, QUEUE_GROUP.into());
        let all = subscribe(format!("{EXECUTE}.{token}")).await.ok()?;
        let functions = subscribe(format!("{EXECUTE}.{token}.*")).await.ok()?;
        let (end, ended) = oneshot::channel();
        tokio::spawn(self.clone().take(all, functions, ended));
        Some(end)
    }

    async fn take(self, mut all: Subscriber, mut functions: Subscriber, mut ended: oneshot::Receiver<()>) {
        let mut is_open = true;
        loop {
            let message = tokio::select! {
                Some(message) = all.next() => message,
                Some(message) = functions.next() => message,
                _ = &mut ended, if is_open => {
                    is_open = false;
                    // What is on its way here still comes.
                    let _ = tokio::join!(all.drain(), functions.drain());
                    continue;
                }
                else => return,
            };
            self.begin(message);
        }
    }

    /// Begins to serve a message.
    fn begin(&self, message: Message) {
        let begin = Instant::now();
        let this = self.clone();
        let piece = match self.is_full(false) {
            true => None,
            false => self.running.take(self.most(), message.payload.len()),
        };
        if self.is_full(false) {
            self.running.changed.notify_one();
        }
        match piece {
            Some(piece) => tokio::spawn(async move {
                let answer = this.ask(&message).await;
                drop(piece);
                this.finish(message, answer, begin).await;
            }),
            None => {
                let busy =
                    problem(BUSY, "this node runs as many guests as it can, and no other took the request");
                tokio::spawn(async move { this.finish(message, Ok(busy), begin).await })
            }
        };
    }

    /// Has the gateway answer.
    async fn ask(&self, message: &Message) -> Result<Answer, String> {
        let Incoming { ask, .. } = incoming(message)?;
        let most = self.node.client.max_payload().saturating_sub(FIELDS_BYTES);
        Ok(self.node.local.ask(&ask, most).await.unwrap_or_else(|error| match error.kind() {
            ErrorKind::ConnectionRefused => problem(BUSY, "this node is stopping"),
            ErrorKind::FileTooLarge => {
                problem(OUTPUT, &format!("{error}, which is what the NATS server takes (max_payload)"))
            }
            ErrorKind::InvalidInput => problem(BAD_REQUEST, &error.to_string()),
            ErrorKind::UnexpectedEof | ErrorKind::InvalidData => problem(LANE, &error.to_string()),
            _ => problem(INTERNAL, &error.to_string()),
        }))
    }

    /// Sends the answer, or has another node answer.
    async fn finish(&self, message: Message, answer: Result<Answer, String>, begin: Instant) {
        let answer = answer.unwrap_or_else(|what| problem(BAD_REQUEST, &what));
        let answer = match is_busy(&answer) {
            true => match self.pass_on(&message, begin).await {
                Passed::Answered(other) => {
                    lock(&self.stats).passed_on += 1;
                    return self.send(&message, other.headers.unwrap_or_default(), other.payload).await;
                }
                Passed::Late => {
                    problem(DEADLINE, "the sender's Fuelbox-Timeout passed, and no node had answered")
                }
                Passed::Nobody => answer,
            },
            false => answer,
        };
        self.count(&answer, begin.elapsed());
        let headers = reply(&answer, &self.node.config.node);
        self.send(&message, headers, answer.body.into()).await;
    }

    /// Has another node answer.
    async fn pass_on(&self, message: &Message, begin: Instant) -> Passed {
        let Ok(Incoming { hops, timeout, .. }) = incoming(message) else { return Passed::Nobody };
        let piece = self.passing.take(PASSING_MAX, message.payload.len());
        let (Some(_piece), true) = (piece, hops < HOPS_MAX) else { return Passed::Nobody };
        let patience = patience(&self.node, timeout).saturating_sub(begin.elapsed());
        if patience.is_zero() {
            return Passed::Late;
        }
        let mut headers = message.headers.clone().unwrap_or_default();
        message::pass_on(&mut headers, hops + 1, timeout.map(|_| patience));
        let request =
            Request::new().payload(message.payload.clone()).headers(headers).timeout(Some(patience));
        match self.node.client.send_request(message.subject.clone(), request).await {
            Ok(answer) => Passed::Answered(Box::new(answer)),
            Err(error) if error.kind() == RequestErrorKind::TimedOut => Passed::Late,
            Err(_) => Passed::Nobody,
        }
    }

    async fn send(&self, message: &Message, headers: async_nats::HeaderMap, body: bytes::Bytes) {
        let Some(subject) = message.reply.clone().filter(|subject| may_answer(subject)) else { return };
        if let Err(error) = self.node.client.publish_with_headers(subject, headers, body).await {
            log::warn!("NATS: an answer is lost: {error}");
        }
    }

    fn count(&self, answer: &Answer, time: Duration) {
        let stats = &mut *lock(&self.stats);
        stats.requests += 1;
        stats.time += time;
        if answer.status >= 500 {
            stats.errors += 1;
            stats.last_error = format!("{}:{}", answer.status, message::title(answer));
        }
    }
}

/// What came of passing a request on.
enum Passed {
    Answered(Box<Message>),
    /// No other node took it.
    Nobody,
    /// No answer came in time.
    Late,
}

/// How long another node has for a request whose sender waits `timeout`, if it says so.
pub fn patience(node: &Node, timeout: Option<Duration>) -> Duration {
    let usual = || node.runner.limits().deadline.unwrap_or(WITHOUT_DEADLINE).saturating_add(MARGIN);
    timeout.unwrap_or_else(usual)
}

fn incoming(message: &Message) -> Result<Incoming, String> {
    let target = Target::of(&message.subject, EXECUTE)?;
    message::incoming(&target, message.headers.as_ref(), message.payload.clone())
}

/// Whether an answer may go to this subject. A sender chooses it, and the node may publish more than the sender may: not to
/// the server's own subjects, not to the system's account, and not as a request or a job.
pub fn may_answer(subject: &str) -> bool {
    !subject.starts_with(['$', '.']) && !subject.starts_with("fuelbox.") && !subject.contains(['*', '>', ' '])
}

#[cfg(test)]
mod tests {
    use super::may_answer;

    #[test]
    fn an_answer_goes_to_no_subject_that_does_something() {
        for good in ["_INBOX.abc", "_INBOX_n1.abc.1", "replies.7"] {
            assert!(may_answer(good), "{good}");
        }
        for bad in [
            "$JS.API.STREAM.DELETE.JOBS",
            "$SYS.x",
            "$KV.b.k",
            "fuelbox.execute.a",
            "fuelbox.jobs.a",
            "a.*",
            ">",
        ] {
            assert!(!may_answer(bad), "{bad}");
        }
    }
}
