//! Fetches an object, chunk by chunk. One chunk at a time is in memory beside what is complete, so that whoever writes to the
//! object store decides how long this takes, within bounds, and not how much memory.

use super::names::chunks;
use super::object::Object;
use crate::base::digest::Digest;
use async_nats::jetstream::stream::Stream;
use std::time::Duration;

/// The longest time for one object.
const PATIENCE: Duration = Duration::from_secs(600);

/// Chunks of one object, at most: 2 GiB of the usual size. Each takes a request.
const CHUNKS_MAX: usize = 16 * 1024;

/// Why there is no object.
#[derive(Debug, PartialEq, Eq)]
pub enum Unfetched {
    /// It is what it is; another is to be put.
    Refused(String),
    /// It may pass: the network, or an object that is being replaced.
    Passing(String),
}

/// The bytes of `object` of `bucket`, whose stream is `stream`, and which may have `most` by `limit`.
///
/// # Errors
/// [`Unfetched`].
pub async fn fetch(
    stream: &Stream,
    bucket: &str,
    object: &Object,
    (most, limit): (usize, &str),
) -> Result<Vec<u8>, Unfetched> {
    check_size(object.size, most, limit)?;
    let subject = chunks(bucket, &object.nuid);
    let gathered = tokio::time::timeout(PATIENCE, gather(stream, &subject, object));
    let bytes = gathered.await.map_err(|_| Unfetched::Passing("it takes too long to come".into()))??;
    if Digest::of(&bytes).to_string() != object.sha256 {
        return Err(Unfetched::Passing("what came has not the SHA-256 that the object store says".into()));
    }
    Ok(bytes)
}

/// Whether an object of `size` may be fetched.
fn check_size(size: u64, most: usize, limit: &str) -> Result<(), Unfetched> {
    if size <= most as u64 {
        return Ok(());
    }
    Err(Unfetched::Refused(format!("the object has {size} bytes, more than {most} ({limit})")))
}

async fn gather(stream: &Stream, subject: &str, object: &Object) -> Result<Vec<u8>, Unfetched> {
    let passing = |what: String| Unfetched::Passing(what);
    let size = usize::try_from(object.size).unwrap_or(usize::MAX);
    let is_direct = stream.cached_info().config.allow_direct;
    let mut bytes = Vec::new();
    let mut sequence = 1;
    for _ in 0..CHUNKS_MAX {
        if bytes.len() >= size {
            return Ok(bytes);
        }
        let message = if is_direct {
            stream.direct_get_next_for_subject(subject, Some(sequence)).await.map_err(|e| e.to_string())
        } else {
            stream.get_first_raw_message_by_subject(subject, sequence).await.map_err(|e| e.to_string())
        };
        let message = message.map_err(|error| passing(format!("a chunk of the object: {error}")))?;
        // One that is empty, or comes again, would be asked for without end.
        if message.payload.is_empty() || message.sequence < sequence {
            return Err(passing("a chunk of the object is empty".into()));
        }
        if message.payload.len() > size - bytes.len() {
            return Err(passing("the object has more bytes than the object store says".into()));
        }
        bytes.extend_from_slice(&message.payload);
        sequence = message.sequence.saturating_add(1);
    }
    if bytes.len() < size {
        return Err(Unfetched::Refused(format!("the object has more than {CHUNKS_MAX} chunks")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_checked_before_anything_is_fetched() {
        for size in [0, 99, 100] {
            assert_eq!(check_size(size, 100, "--max-module"), Ok(()));
        }
        for size in [101, u64::MAX] {
            let Err(Unfetched::Refused(why)) = check_size(size, 100, "--max-module") else {
                panic!("{size}")
            };
            assert!(why.contains("more than 100 (--max-module)"), "{why}");
        }
    }
}
