//! What is true of all deliveries of a job, and of its dead letter.

use super::lease::HOLD;
use super::names::{CONSUMER, JobId, dead, results};
use super::store::{Letter, dead_fields};
use super::verdict::{ARRIVALS_MAX, Failure, PAUSE_NOT_BEGUN, PAUSES, UNIT};
use super::{ACK_WAIT, DUPLICATES, job};
use crate::gateway::http::problem::TRAP;
use async_nats::header::HeaderMap;
use async_nats::jetstream::message::Info;
use async_nats::{Message, Subject};
use bytes::Bytes;
use std::time::Duration;

/// What is left of the window for the runs themselves.
const RUNS: Duration = Duration::from_secs(300);

#[test]
fn all_deliveries_of_a_job_are_within_the_window() {
    let deliveries = u32::try_from(ARRIVALS_MAX).unwrap() + 1;
    let nothing_begun = job::PATIENCE + UNIT * PAUSE_NOT_BEGUN;
    let pauses: Duration = PAUSES.iter().map(|units| UNIT * *units).sum();
    let most = ACK_WAIT.max(nothing_begun) * deliveries + pauses + HOLD + RUNS;
    assert!(most <= DUPLICATES, "{most:?}");
}

fn info(stream: &str, delivered: i64, nanos: i64) -> Option<JobId> {
    let published = async_nats::jetstream::message::Info {
        domain: None,
        acc_hash: None,
        stream,
        consumer: CONSUMER,
        stream_sequence: 7,
        consumer_sequence: 9,
        delivered,
        pending: 0,
        published: (std::time::SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos.unsigned_abs())).into(),
        token: None,
    };
    let info: Info<'_> = published;
    JobId::of(&info, "jobs")
}

#[test]
fn a_job_of_a_stream_that_was_made_anew_is_another() {
    let (first, second) = (info("jobs", 1, 5).unwrap(), info("jobs", 2, 6).unwrap());
    assert_eq!((&*first.name, &*first.unique, first.deliveries), ("jobs.7", "jobs.7.5", 1));
    assert_eq!((&*second.name, &*second.unique, second.deliveries), ("jobs.7", "jobs.7.6", 2));
    assert_eq!(info("others", 1, 5), None);
    assert_eq!(info("jobs", -1, 5).unwrap().deliveries, 1);
    assert_eq!((&*results("jobs"), &*dead("jobs")), ("jobs-results", "jobs-dead"));
}

fn message(headers: &[(&str, &str)]) -> Message {
    let mut fields = HeaderMap::new();
    headers.iter().for_each(|(name, value)| fields.append(*name, *value));
    Message {
        subject: Subject::from("fuelbox.jobs.a"),
        reply: None,
        payload: Bytes::from_static(b"in"),
        headers: Some(fields),
        status: None,
        description: None,
        length: 2,
    }
}

#[test]
fn a_dead_letter_has_the_jobs_fields_and_what_happened() {
    let job = message(&[
        ("A", "1"),
        ("A", "2"),
        ("Fuelbox-Path", "/p"),
        ("fuelbox-status", "200"),
        ("Nats-Msg-Id", "mine"),
        ("Nats-Expected-Last-Sequence", "1"),
        ("nats-rollup", "all"),
    ]);
    let failure = Failure::new(TRAP, "the detail");
    let fields = dead_fields(&job, &info("jobs", 5, 5).unwrap(), &failure, "n1");
    let mut named: Vec<(String, Vec<String>)> = fields
        .iter()
        .map(|(name, values)| (name.to_string(), values.iter().map(|v| v.as_str().to_string()).collect()))
        .collect();
    named.sort();
    let expected = [
        ("A", &["1", "2"][..]),
        ("Fuelbox-Deliveries", &["5"]),
        ("Fuelbox-Detail", &["the detail"]),
        ("Fuelbox-Job", &["jobs.7"]),
        ("Fuelbox-Job-Id", &["mine"]),
        ("Fuelbox-Node", &["n1"]),
        ("Fuelbox-Path", &["/p"]),
        ("Fuelbox-Problem", &["urn:fuelbox:problem:trap"]),
        ("Fuelbox-Status", &["500"]),
    ];
    let expected =
        expected.map(|(name, values)| (name.to_string(), values.iter().map(|v| v.to_string()).collect()));
    assert_eq!(named, expected);
    let whole = Letter::new("jobs-dead".into(), "fuelbox.dead.a".into(), fields, job.payload, "id");
    let bare = whole.bare();
    let value = |name: &str| bare.headers.get(name).map(|value| value.as_str().to_string());
    assert_eq!((value("A"), value("Fuelbox-Path"), bare.body.len()), (None, None, 0));
    assert_eq!(
        (value("Nats-Msg-Id").as_deref(), value("Fuelbox-Left-Out").as_deref()),
        (Some("id"), Some("2"))
    );
    assert_eq!(value("Nats-Expected-Stream").as_deref(), Some("jobs-dead"));
}

#[test]
fn a_name_that_is_too_long_is_not_passed_on() {
    for (bytes, is_there) in [(511, true), (512, true), (513, false)] {
        let job = message(&[("Nats-Msg-Id", &"x".repeat(bytes))]);
        let failure = Failure::new(TRAP, "");
        let fields = dead_fields(&job, &info("jobs", 1, 5).unwrap(), &failure, "n1");
        assert_eq!(fields.get("Fuelbox-Job-Id").is_some(), is_there, "{bytes}");
    }
    let both = message(&[("Nats-Msg-Id", "theirs"), ("Fuelbox-Job-Id", "own")]);
    let fields = dead_fields(&both, &info("jobs", 1, 5).unwrap(), &Failure::new(TRAP, ""), "n1");
    assert_eq!(fields.get("Fuelbox-Job-Id").map(|value| value.as_str()), Some("own"));
}
