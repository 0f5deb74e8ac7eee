//! Makes the streams that a fleet needs. What serves does not: it may have fewer rights.

use super::names::{self, CONSUMER};
use crate::fleet::subject::{DEAD, JOBS, RESULTS, is_token};
use async_nats::Client;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::context::{Context, GetStreamErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, ErrorCode};
use std::time::Duration;

/// How long the server waits for a node that says nothing, until another gets its job.
pub const ACK_WAIT: Duration = Duration::from_secs(30);

/// How long the streams of results and dead letters know an id.
pub const DUPLICATES: Duration = Duration::from_secs(15 * 60);

/// The same for ids that senders give to jobs. The server keeps them in memory.
const DUPLICATE_JOBS: Duration = Duration::from_secs(120);

/// Jobs that nodes have, or that wait for another attempt: a job that fails is one of them for a minute and a half.
const ACK_PENDING_MAX: i64 = 10_000;

/// Questions for a job that wait: those of all workers of all nodes.
const WAITING_MAX: i64 = 4096;

/// Room that a dead letter has for what happened: a job is by as much smaller than a message.
const DEAD_FIELDS_BYTES: usize = 4096;

/// Deliveries of a job. Nodes decide long before this when it is tried no more; this is for a job that the client library cannot
/// read, and whose connection it drops: such a job stays in the stream, and harms no more.
pub const DELIVERIES_MAX: i64 = 40;

const MIB: i64 = 1024 * 1024;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Makes the streams for jobs in `stream`, each on so many servers, and their consumer; or brings them to the present settings.
/// Says what it made and what it changed.
///
/// # Errors
/// A sentence: a name that is none, a setting that cannot be changed, or what the server says.
pub async fn create_jobs(client: &Client, stream: &str, replicas: usize) -> Result<Vec<String>, String> {
    if !is_token(stream) {
        return Err(format!("--nats-jobs {stream:?}: use letters, digits, `-` and `_`"));
    }
    let context = jetstream::new(client.clone());
    let mut told = Vec::new();
    for config in streams(stream, replicas, client.max_payload()) {
        told.extend(create(&context, config).await?);
    }
    told.extend(create_consumer(&context, stream).await?);
    Ok(told)
}

fn streams(stream: &str, replicas: usize, max_payload: usize) -> [Config; 3] {
    let of = |name: String, begin: &str, mib: i64| Config {
        name,
        subjects: vec![format!("{begin}.>")],
        storage: StorageType::File,
        max_bytes: mib * MIB,
        num_replicas: replicas,
        ..Config::default()
    };
    let most = max_payload.saturating_sub(DEAD_FIELDS_BYTES).max(1);
    let jobs = Config {
        retention: RetentionPolicy::WorkQueue,
        // A sender hears that there is no room; no job is thrown away for another.
        discard: DiscardPolicy::New,
        max_message_size: i32::try_from(most).unwrap_or(i32::MAX),
        duplicate_window: DUPLICATE_JOBS,
        ..of(stream.into(), JOBS, 256)
    };
    let results =
        Config { max_age: 3 * DAY, duplicate_window: DUPLICATES, ..of(names::results(stream), RESULTS, 512) };
    let dead =
        Config { max_age: 30 * DAY, duplicate_window: DUPLICATES, ..of(names::dead(stream), DEAD, 128) };
    [jobs, results, dead]
}

async fn create(context: &Context, config: Config) -> Result<Vec<String>, String> {
    let name = config.name.clone();
    let failed = |error: &dyn std::fmt::Display| format!("stream {name}: {error}");
    let before = match context.get_stream(&name).await {
        Ok(found) => found.cached_info().config.clone(),
        Err(error) if matches!(error.kind(), GetStreamErrorKind::JetStream(e) if e.error_code() == ErrorCode::STREAM_NOT_FOUND) =>
        {
            context.create_stream(config).await.map_err(|error| failed(&error))?;
            return Ok(vec![format!("stream {name}: made")]);
        }
        Err(error) => return Err(failed(&error)),
    };
    for (what, is_same) in
        [("retention", before.retention == config.retention), ("storage", before.storage == config.storage)]
    {
        if !is_same {
            return Err(format!("stream {name}: its {what} is another, and cannot be changed"));
        }
    }
    let changes: Vec<String> = differences(&before, &config)
        .into_iter()
        .map(|(what, was, is)| format!("stream {name}: {what} was {was}, is {is}"))
        .collect();
    if !changes.is_empty() {
        // Settings that are not ours stay.
        let merged = Config {
            subjects: config.subjects,
            discard: config.discard,
            max_bytes: config.max_bytes,
            max_age: config.max_age,
            max_message_size: config.max_message_size,
            duplicate_window: config.duplicate_window,
            num_replicas: config.num_replicas,
            ..before
        };
        context.update_stream(merged).await.map_err(|error| failed(&error))?;
    }
    Ok(changes)
}

/// The settings that differ: name, what was, what is to be.
fn differences(before: &Config, after: &Config) -> Vec<(&'static str, String, String)> {
    let settings = |config: &Config| {
        [
            ("subjects", config.subjects.join(", ")),
            ("discard", format!("{:?}", config.discard)),
            ("max_bytes", config.max_bytes.to_string()),
            ("max_age", format!("{:?}", config.max_age)),
            ("max_msg_size", config.max_message_size.to_string()),
            ("duplicate_window", format!("{:?}", config.duplicate_window)),
            ("num_replicas", config.num_replicas.to_string()),
        ]
    };
    let both = settings(before).into_iter().zip(settings(after));
    // Unbounded is 0 or -1.
    let same = |was: &str, is: &str| was == is || (was, is) == ("-1", "0");
    both.filter(|((_, was), (_, is))| !same(was, is)).map(|((what, was), (_, is))| (what, was, is)).collect()
}

async fn create_consumer(context: &Context, stream: &str) -> Result<Vec<String>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("stream {stream}, consumer {CONSUMER}: {error}");
    let found = context.get_stream(stream).await.map_err(|error| failed(&error))?;
    let config = pull::Config {
        durable_name: Some(CONSUMER.into()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WAIT,
        max_deliver: DELIVERIES_MAX,
        max_ack_pending: ACK_PENDING_MAX,
        max_waiting: WAITING_MAX,
        ..pull::Config::default()
    };
    let before = found.consumer_info(CONSUMER).await.ok().map(|info| info.config);
    let made = found.create_consumer(config).await.map_err(|error| failed(&error))?;
    let after = &made.cached_info().config;
    Ok(match before {
        None => vec![format!("stream {stream}, consumer {CONSUMER}: made")],
        Some(before) if before == *after => Vec::new(),
        Some(before) => {
            let of = |c: &jetstream::consumer::Config| {
                format!(
                    "ack_wait {:?}, max_deliver {}, max_ack_pending {}",
                    c.ack_wait, c.max_deliver, c.max_ack_pending
                )
            };
            vec![format!("stream {stream}, consumer {CONSUMER}: was {}; is {}", of(&before), of(after))]
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_has_room_for_the_largest_job() {
        for (max_payload, most) in [(1024 * 1024, 1_044_480), (0, 1), (usize::MAX, i32::MAX)] {
            let [jobs, results, dead] = streams("jobs", 3, max_payload);
            assert_eq!(jobs.max_message_size, most);
            assert!(
                [results, dead].iter().all(|c| c.max_message_size == 0 && c.duplicate_window == DUPLICATES)
            );
        }
    }

    #[test]
    fn settings_that_differ_are_named() {
        let [jobs, results, _] = streams("jobs", 1, 1024 * 1024);
        assert_eq!(differences(&jobs, &jobs), []);
        let told = Config { max_message_size: -1, ..results.clone() };
        assert_eq!(differences(&told, &results), []);
        let other = Config { num_replicas: 3, max_age: Duration::ZERO, ..results.clone() };
        let names: Vec<_> = differences(&other, &results).into_iter().map(|(name, ..)| name).collect();
        assert_eq!(names, ["max_age", "num_replicas"]);
    }
}
