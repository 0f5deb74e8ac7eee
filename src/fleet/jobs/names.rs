//! Names of the streams of jobs, and of a job.

use async_nats::jetstream::message::Info;

/// The durable consumer of the stream of jobs, which all nodes share.
pub const CONSUMER: &str = "fuelbox";

/// The stream of results of the jobs in `stream`.
pub fn results(stream: &str) -> String {
    format!("{stream}-results")
}

/// The stream of dead letters of the jobs in `stream`.
pub fn dead(stream: &str) -> String {
    format!("{stream}-dead")
}

/// A job: which one it is, and how often it was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobId {
    /// `STREAM.SEQ`, for people.
    pub name: String,
    /// The same and when it was published: a stream that was made anew counts from one, and its results must not pass for those
    /// of the stream before it.
    pub unique: String,
    /// How often it was delivered, this time among them.
    pub deliveries: u64,
}

impl JobId {
    /// What the server says in the subject that acknowledges the job; none if it is not of `stream` and our consumer.
    pub fn of(info: &Info<'_>, stream: &str) -> Option<JobId> {
        if info.stream != stream || info.consumer != CONSUMER {
            return None;
        }
        let name = format!("{stream}.{}", info.stream_sequence);
        let unique = format!("{name}.{}", info.published.unix_timestamp_nanos());
        Some(JobId { name, unique, deliveries: u64::try_from(info.delivered).unwrap_or(1).max(1) })
    }
}
