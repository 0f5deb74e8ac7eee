//! What becomes of a job by what the gateway says. Pure.

use crate::fleet::local::Answer;
use crate::fleet::message::problem_of;
use crate::gateway::http::problem::{BAD_REQUEST, BUSY, INTERNAL, Kind, LANE, NO_MEMORY, NOT_READY, OUTPUT};
use std::io;
use std::time::Duration;

/// A job whose run fails at this delivery or a later one is not tried again.
pub const DELIVERIES_MAX: u64 = 5;

/// A job that comes more often than this is not run again. There are more deliveries than runs that failed: nodes end while they
/// have a job, or have no worker for it after all.
pub const ARRIVALS_MAX: u64 = 2 * DELIVERIES_MAX;

/// Pauses after the deliveries that failed, in units.
pub const PAUSES: [u32; DELIVERIES_MAX as usize - 1] = [1, 5, 15, 60];

/// The unit.
pub const UNIT: Duration = Duration::from_secs(1);

/// The pause after a delivery of which nothing was begun, in units.
pub const PAUSE_NOT_BEGUN: u32 = 5;

/// Characters of a failure's detail, at most.
pub const DETAIL_CHARS_MAX: usize = 512;

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The status.
    pub status: u16,
    /// The type of the problem; empty if the guest answered so.
    pub problem: String,
    /// What happened, in printable ASCII.
    pub detail: String,
}

impl Failure {
    /// Of a kind that the gateway has, found outside of it.
    pub fn new(kind: Kind, detail: &str) -> Failure {
        Failure { status: kind.status, problem: kind.urn(), detail: printable(detail.as_bytes()) }
    }
}

/// What came of a run.
#[derive(Debug)]
pub enum Outcome {
    /// A result.
    Done(Answer),
    /// The guest did not run to an end, and that says nothing about the job.
    NotBegun(Failure),
    /// It failed; another node may do better, or this one later.
    Failed(Failure),
    /// It fails everywhere.
    Hopeless(Failure),
}

/// What came of asking the gateway, whose response may have `most` bytes.
pub fn outcome(answer: io::Result<Answer>, most: usize) -> Outcome {
    let answer = match answer {
        Ok(answer) if answer.status < 400 => return Outcome::Done(answer),
        Ok(answer) => answer,
        Err(error) => return unanswered(&error, most),
    };
    let problem = problem_of(&answer).map(|(kind, _)| kind).unwrap_or_default();
    let is_not_begun = [BUSY, NOT_READY, NO_MEMORY, LANE].iter().any(|kind| problem == kind.urn());
    let detail = detail_of(&answer).unwrap_or_else(|| printable(&answer.body));
    let failure = Failure { status: answer.status, problem: printable(problem.as_bytes()), detail };
    if is_not_begun { Outcome::NotBegun(failure) } else { Outcome::Failed(failure) }
}

fn unanswered(error: &io::Error, most: usize) -> Outcome {
    let text = error.to_string();
    match error.kind() {
        io::ErrorKind::FileTooLarge => Outcome::Hopeless(too_large(most)),
        io::ErrorKind::InvalidInput => Outcome::Hopeless(Failure::new(BAD_REQUEST, &text)),
        // The gateway's own head, which it bounds less than it is bounded here.
        io::ErrorKind::InvalidData => Outcome::Failed(Failure::new(INTERNAL, &text)),
        _ => Outcome::NotBegun(Failure::new(LANE, &text)),
    }
}

/// A result that cannot be stored.
pub fn too_large(most: usize) -> Failure {
    let what = format!("the result does not fit into a message: the server's max_payload is {most} bytes");
    Failure::new(OUTPUT, &what)
}

/// A job that came too often.
pub fn lost(deliveries: u64) -> Failure {
    let what = format!("delivered {} times, never acknowledged", deliveries - 1);
    Failure::new(INTERNAL, &what)
}

/// The detail of the problem that `answer` is.
fn detail_of(answer: &Answer) -> Option<String> {
    problem_of(answer)?;
    let problem: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
    Some(printable(problem.get("detail")?.as_str()?.as_bytes()))
}

/// The begin of `bytes` as what a header field can carry.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * DETAIL_CHARS_MAX)]).into_owned();
    let plain = |c: char| if (' '..='~').contains(&c) { c } else { '?' };
    text.chars().take(DETAIL_CHARS_MAX).map(plain).collect::<String>().trim().to_string()
}

/// What a job without a result has before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another delivery, after a pause.
    Again(Duration),
    /// None.
    Dead,
}

/// After a run that failed at the delivery of this number.
pub fn after_failure(deliveries: u64, unit: Duration) -> Next {
    if deliveries >= DELIVERIES_MAX {
        return Next::Dead;
    }
    let at = usize::try_from(deliveries.saturating_sub(1)).unwrap_or(usize::MAX);
    Next::Again(unit * PAUSES.get(at).copied().unwrap_or(PAUSE_NOT_BEGUN))
}

/// After a delivery of this number of which nothing was begun.
pub fn after_nothing(deliveries: u64, unit: Duration) -> Next {
    if deliveries >= ARRIVALS_MAX { Next::Dead } else { Next::Again(unit * PAUSE_NOT_BEGUN) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::message::problem;
    use crate::gateway::http::problem::{DEADLINE, NO_PLUGIN, TRAP};

    fn answer(status: u16, body: &[u8]) -> Answer {
        Answer { status, headers: Vec::new(), body: body.to_vec() }
    }

    #[test]
    fn a_status_below_400_is_a_result() {
        for status in [200, 204, 302, 399] {
            assert!(matches!(outcome(Ok(answer(status, b"")), 9), Outcome::Done(_)), "{status}");
        }
        for status in [400, 404, 500, 599] {
            assert!(matches!(outcome(Ok(answer(status, b"")), 9), Outcome::Failed(_)), "{status}");
        }
    }

    #[test]
    fn what_the_gateway_did_not_begin_says_nothing_about_the_job() {
        for kind in [BUSY, NOT_READY, NO_MEMORY, LANE] {
            assert!(matches!(outcome(Ok(problem(kind, "x")), 9), Outcome::NotBegun(_)), "{kind:?}");
        }
        for kind in [NO_PLUGIN, TRAP, DEADLINE, BAD_REQUEST] {
            let Outcome::Failed(failure) = outcome(Ok(problem(kind, "x")), 9) else { panic!("{kind:?}") };
            assert_eq!(failure, Failure::new(kind, "x"));
        }
        // A guest's own 503 is its own.
        assert!(matches!(outcome(Ok(answer(503, b"busy")), 9), Outcome::Failed(_)));
        let error = |kind| outcome(Err(io::Error::new(kind, "e")), 9);
        assert!(matches!(error(io::ErrorKind::ConnectionRefused), Outcome::NotBegun(_)));
        assert!(matches!(error(io::ErrorKind::UnexpectedEof), Outcome::NotBegun(_)));
        assert!(matches!(error(io::ErrorKind::InvalidData), Outcome::Failed(_)));
        assert!(matches!(error(io::ErrorKind::InvalidInput), Outcome::Hopeless(_)));
        let Outcome::Hopeless(failure) = error(io::ErrorKind::FileTooLarge) else { panic!("not hopeless") };
        assert!(failure.detail.ends_with("max_payload is 9 bytes"), "{failure:?}");
    }

    #[test]
    fn a_detail_is_short_and_printable() {
        let Outcome::Failed(failure) = outcome(Ok(answer(500, "a\r\nNats-Msg-Id: x\u{e4}\0".as_bytes())), 9)
        else {
            panic!("not failed")
        };
        assert_eq!((&*failure.problem, &*failure.detail), ("", "a??Nats-Msg-Id: x??"));
        for (chars, left) in [(511, 511), (512, 512), (513, 512), (100_000, 512)] {
            assert_eq!(printable("\u{e4}".repeat(chars).as_bytes()).len(), left, "{chars}");
        }
        assert_eq!(printable(&[0xff; 9]), "?????????");
    }

    #[test]
    fn pauses_grow_until_no_delivery_is_left() {
        let mut last = Duration::ZERO;
        for deliveries in 1..DELIVERIES_MAX {
            let Next::Again(pause) = after_failure(deliveries, UNIT) else { panic!("{deliveries}") };
            assert!(pause > last, "{deliveries}");
            last = pause;
        }
        for deliveries in [DELIVERIES_MAX, DELIVERIES_MAX + 1, u64::MAX] {
            assert_eq!(after_failure(deliveries, UNIT), Next::Dead);
        }
        assert_eq!(after_failure(0, UNIT), Next::Again(UNIT));
        let nothing = |deliveries| after_nothing(deliveries, UNIT);
        assert_eq!(nothing(ARRIVALS_MAX - 1), Next::Again(UNIT * PAUSE_NOT_BEGUN));
        assert_eq!((nothing(ARRIVALS_MAX), nothing(u64::MAX)), (Next::Dead, Next::Dead));
    }

    #[test]
    fn a_job_that_was_lost_says_how_often() {
        assert!(lost(ARRIVALS_MAX + 1).detail.starts_with("delivered 10 times"));
    }
}
