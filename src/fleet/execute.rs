//! Requests by NATS: `fuelbox.execute.PLUGIN` and `fuelbox.execute.PLUGIN.FUNC`, in a queue group, so that one node gets each.
//!
//! A node that has as many as it can run, or whose gateway has no free worker, passes a request on to the queue group, a few times
//! at most; the answer goes through the node that passed it on, as only that one learns that there is no other. A request that
//! comes to a full node for the last time waits in its gateway's queue.

use super::intake;
use super::local::Answer;
use super::message::{self, Incoming, is_busy, problem, reply};
use super::node::Node;
use super::shared::{PASSING_MAX, Piece, Stats, Work};
use super::subject::{EXECUTE, Target, token};
use crate::base::lock::lock;
use crate::gateway::http::problem::{BAD_REQUEST, BUSY, DEADLINE, INTERNAL, LANE, OUTPUT};
use async_nats::client::{PublishErrorKind, RequestErrorKind};
use async_nats::{HeaderMap, Message, Request};
use bytes::Bytes;
use std::collections::{HashMap, HashSet};
use std::io::ErrorKind;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The queue group that all nodes are in.
pub const QUEUE_GROUP: &str = "fuelbox";

/// How often a request is passed on, and at most by nodes that leave. It may come back to the same node: where one of three is
/// full, one of 3^12 that come to it finds no other. With 6 it was one of 3^6, and a node alone served 3 to 7 % more when full.
const HOPS_MAX: u32 = 12;
const HOPS_MAX_LEAVING: u32 = 16;

/// How often the list of plug-ins is looked at.
const LOOK: Duration = Duration::from_millis(500);

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
    /// Those and the others, until their answers are sent.
    answering: Arc<Work>,
    /// Those that no other node took, and that wait here.
    waiting: Arc<Work>,
    passing: Arc<Work>,
    stats: Arc<Mutex<Stats>>,
}

impl Execute {
    /// Nothing yet; results are counted in `stats`, and what is passed on in `passing`.
    pub fn new(node: Node, passing: Arc<Work>, stats: Arc<Mutex<Stats>>) -> Execute {
        let [running, answering, waiting] = Default::default();
        Execute { node, running, answering, waiting, passing, stats }
    }

    /// Serves until the node leaves, and what comes late after that.
    pub async fn serve(self) {
        let mut open: HashMap<String, watch::Sender<()>> = HashMap::new();
        let mut taps = JoinSet::new();
        while !self.node.is_leaving() {
            let plugins = self.plugins();
            // What is gone with its sender closes.
            open.retain(|name, _| plugins.contains(name));
            for name in plugins {
                open.entry(name).or_insert_with_key(|name| self.tap(name, &mut taps));
            }
            while taps.try_join_next().is_some() {}
            tokio::select! {
                () = self.node.left() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        open.clear();
        while taps.join_next().await.is_some() {}
    }

    /// Waits until all that was taken is answered.
    pub async fn ended(&self) {
        const STEP: Duration = Duration::from_millis(10);
        while self.answering.taken() > 0 {
            tokio::time::sleep(STEP).await;
        }
    }

    /// Takes the requests of a plug-in until the result is dropped.
    fn tap(&self, plugin: &str, taps: &mut JoinSet<()>) -> watch::Sender<()> {
        let (sender, gate) = watch::channel(());
        // Names of plug-ins are short.
        let token = token(plugin).unwrap_or_default();
        for subject in [format!("{EXECUTE}.{token}"), format!("{EXECUTE}.{token}.*")] {
            let this = self.clone();
            let take = move |message| this.begin(message);
            taps.spawn(intake::run(self.node.clone(), (subject, QUEUE_GROUP), gate.clone(), take));
        }
        sender
    }

    /// The names of the plug-ins.
    fn plugins(&self) -> HashSet<String> {
        self.node.runner.plugins().all().iter().map(|plugin| plugin.name.clone()).collect()
    }

    /// Whether it has as many as it can run, and one round more.
    fn is_full(&self) -> bool {
        let occupancy = self.node.local.occupancy();
        self.running.taken() >= 2 * occupancy.limit || occupancy.queued >= occupancy.limit
    }

    /// Begins to serve a message.
    fn begin(&self, mut message: Message) {
        let begin = Instant::now();
        let this = self.clone();
        let answering = self.answering.take(usize::MAX, 0);
        if message::is_bomb(message.headers.as_ref()) {
            (message.headers, message.payload) = (None, Bytes::new());
            let answer = problem(BAD_REQUEST, &message::too_many());
            tokio::spawn(async move {
                this.finish(&message, answer, begin).await;
                drop(answering);
            });
            return;
        }
        let piece = match self.is_full() {
            true => None,
            false => self.running.take(usize::MAX, message.length),
        };
        tokio::spawn(async move {
            this.serve_one(message, piece, begin).await;
            drop(answering);
        });
    }

    /// Has the gateway answer, or another node, or the gateway all the same: in its queue.
    async fn serve_one(&self, message: Message, piece: Option<Piece>, begin: Instant) {
        let mut answer = None;
        if let Some(piece) = piece {
            let own = self.ask(&message).await;
            drop(piece);
            if !is_busy(&own) {
                return self.finish(&message, own, begin).await;
            }
            answer = Some(own);
        }
        let late = "the sender's Fuelbox-Timeout passed, and no node had answered";
        let answer = match (self.pass_on(&message, begin).await, answer) {
            (Passed::Answered(other), _) => {
                lock(&self.stats).passed_on += 1;
                return self.send(&message, other.headers.unwrap_or_default(), other.payload).await;
            }
            (Passed::Late, _) => problem(DEADLINE, late),
            (Passed::Nobody, Some(busy)) => busy,
            (Passed::Nobody, None) => match self.waiting.take(PASSING_MAX, message.length) {
                Some(_piece) => self.ask(&message).await,
                None => problem(BUSY, "as many requests by NATS wait on this node as may"),
            },
        };
        self.finish(&message, answer, begin).await;
    }

    /// Has the gateway answer.
    async fn ask(&self, message: &Message) -> Answer {
        let ask = match incoming(message) {
            Ok(incoming) => incoming.ask,
            Err(what) => return problem(BAD_REQUEST, &what),
        };
        let most = self.node.client.max_payload().saturating_sub(FIELDS_BYTES);
        self.node.local.ask(&ask, most).await.unwrap_or_else(|error| match error.kind() {
            ErrorKind::ConnectionRefused => problem(BUSY, "this node is stopping"),
            ErrorKind::FileTooLarge => {
                problem(OUTPUT, &format!("{error}, which is what the NATS server takes (max_payload)"))
            }
            ErrorKind::InvalidInput => problem(BAD_REQUEST, &error.to_string()),
            ErrorKind::UnexpectedEof | ErrorKind::InvalidData => problem(LANE, &error.to_string()),
            _ => problem(INTERNAL, &error.to_string()),
        })
    }

    /// Sends the answer of this node.
    async fn finish(&self, message: &Message, answer: Answer, begin: Instant) {
        self.count(&answer, begin.elapsed());
        let headers = reply(&answer, &self.node.config.node);
        self.send(message, headers, answer.body.into()).await;
    }

    /// Has another node answer.
    async fn pass_on(&self, message: &Message, begin: Instant) -> Passed {
        let Ok(Incoming { hops, timeout, .. }) = incoming(message) else { return Passed::Nobody };
        let piece = self.passing.take(PASSING_MAX, message.length);
        let most = if self.node.is_leaving() { HOPS_MAX_LEAVING } else { HOPS_MAX };
        let (Some(_piece), true) = (piece, hops < most) else { return Passed::Nobody };
        let headers = message.headers.clone().unwrap_or_default();
        let (subject, body) = (message.subject.to_string(), message.payload.clone());
        ask_others(&self.node, subject, (headers, body), (hops + 1, timeout, begin)).await
    }

    async fn send(&self, message: &Message, headers: HeaderMap, body: Bytes) {
        let Some(subject) = message.reply.clone().filter(|subject| may_answer(subject)) else { return };
        let sent = self.node.client.publish_with_headers(subject.clone(), headers, body).await;
        let Err(error) = sent else { return };
        if error.kind() != PublishErrorKind::MaxPayloadExceeded {
            return log::debug!("NATS: an answer is lost: {error}");
        }
        // Its sender would wait for nothing.
        let what = "the response and its head are larger than what the NATS server takes (max_payload)";
        let answer = problem(OUTPUT, what);
        let headers = reply(&answer, &self.node.config.node);
        let _ = self.node.client.publish_with_headers(subject, headers, answer.body.into()).await;
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

/// Has whichever node gets it answer a request that was whole at `begin` and has been passed on so many times, and whose sender
/// waits `timeout`, if it says so.
pub async fn ask_others(
    node: &Node,
    subject: String,
    (mut headers, body): (HeaderMap, Bytes),
    (hops, timeout, begin): (u32, Option<Duration>, Instant),
) -> Passed {
    let patience = most_patience(node.runner.limits().deadline, timeout).saturating_sub(begin.elapsed());
    if patience.is_zero() {
        return Passed::Late;
    }
    message::pass_on(&mut headers, hops, timeout.map(|_| patience));
    let request = Request::new().payload(body).headers(headers).timeout(Some(patience));
    match node.client.send_request(subject, request).await {
        Ok(answer) => Passed::Answered(Box::new(answer)),
        Err(error) if error.kind() == RequestErrorKind::TimedOut => Passed::Late,
        Err(_) => Passed::Nobody,
    }
}

/// What came of passing a request on.
pub enum Passed {
    /// A node answered.
    Answered(Box<Message>),
    /// No other node took it.
    Nobody,
    /// No answer came in time.
    Late,
}

/// How long another node has for a request whose sender waits `timeout`, if it says so, where a run has `deadline`: a sender that
/// waits for days must not have this node wait so long for one that died.
fn most_patience(deadline: Option<Duration>, timeout: Option<Duration>) -> Duration {
    let usual = deadline.unwrap_or(WITHOUT_DEADLINE).saturating_add(MARGIN);
    timeout.map_or(usual, |timeout| timeout.min(usual))
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
    use super::*;

    #[test]
    fn no_sender_has_a_node_wait_longer_than_a_run_takes() {
        let of =
            |timeout: u64| most_patience(Some(Duration::from_secs(5)), Some(Duration::from_secs(timeout)));
        assert_eq!([9, 10, 11, 9_999_999].map(of).map(|time| time.as_secs()), [9, 10, 10, 10]);
        assert_eq!(most_patience(Some(Duration::from_secs(5)), None), Duration::from_secs(10));
        assert_eq!(most_patience(None, Some(Duration::from_secs(9_999_999))), WITHOUT_DEADLINE + MARGIN);
        assert_eq!(most_patience(Some(Duration::MAX), None), Duration::MAX);
    }

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
