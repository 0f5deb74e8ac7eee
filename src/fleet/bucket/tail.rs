//! The last message of each subject of a stream, and those that follow: what object stores and key-value buckets are made of.

use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::push::{Ordered, OrderedConfig};
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::{self, Message};
use futures_util::StreamExt;
use std::time::{Duration, Instant};

/// The longest time for one chunk, of 128 KiB: 35 kbit/s.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why there is nothing to be read.
#[derive(Debug)]
pub enum Failed {
    /// There is no such stream.
    Absent,
    /// Something else, in a sentence.
    Other(String),
}

/// A stream that is followed.
pub struct Tail {
    messages: Ordered,
    prefix: String,
    is_complete: bool,
    /// The server's clock, and this one's, when it was opened.
    opened: (i128, Instant),
}

/// One message.
#[derive(Debug)]
pub struct Item {
    /// What follows the prefix in its subject.
    pub token: String,
    /// What is in it.
    pub payload: Vec<u8>,
    /// When the server got it, in nanoseconds since 1970.
    pub published: i128,
    /// Whether it says that a key is deleted.
    pub is_deletion: bool,
}

/// JetStream by `client`, with time for a chunk over a slow line.
pub fn patient(client: &async_nats::Client) -> jetstream::Context {
    let mut context = jetstream::new(client.clone());
    context.set_timeout(PATIENCE);
    context
}

/// The stream `name`.
///
/// # Errors
/// [`Failed`].
pub async fn stream(context: &jetstream::Context, name: &str) -> Result<jetstream::stream::Stream, Failed> {
    context.get_stream(name).await.map_err(|error| match error.kind() {
        GetStreamErrorKind::JetStream(error)
            if error.error_code() == jetstream::ErrorCode::STREAM_NOT_FOUND =>
        {
            Failed::Absent
        }
        _ => Failed::Other(format!("stream {name}: {error}")),
    })
}

impl Tail {
    /// Follows the subjects of the stream `name` that begin with `prefix`.
    ///
    /// # Errors
    /// [`Failed`].
    pub async fn open(context: &jetstream::Context, name: &str, prefix: &str) -> Result<Tail, Failed> {
        let stream = stream(context, name).await?;
        let config = OrderedConfig {
            deliver_policy: DeliverPolicy::LastPerSubject,
            deliver_subject: context.client().new_inbox(),
            filter_subject: format!("{prefix}>"),
            ..OrderedConfig::default()
        };
        let failed = |error: String| Failed::Other(format!("stream {name}: {error}"));
        let consumer = stream.create_consumer(config).await.map_err(|error| failed(error.to_string()))?;
        let opened = (consumer.cached_info().created.unix_timestamp_nanos(), Instant::now());
        let is_complete = consumer.cached_info().num_pending == 0;
        let messages = consumer.messages().await.map_err(|error| failed(error.to_string()))?;
        Ok(Tail { messages, prefix: prefix.into(), is_complete, opened })
    }

    /// Whether all that was there at the beginning has come.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// How long ago `published` was, by the server's clock.
    pub fn age(&self, published: i128) -> Duration {
        let (then, since) = self.opened;
        let before = u64::try_from(then - published).map(Duration::from_nanos).unwrap_or_default();
        let after = u64::try_from(published - then).map(Duration::from_nanos).unwrap_or_default();
        (before + since.elapsed()).saturating_sub(after)
    }

    /// The next message.
    ///
    /// # Errors
    /// A sentence: the stream is to be opened again.
    pub async fn next(&mut self) -> Result<Item, String> {
        let message = self.messages.next().await.ok_or("no more messages come")?;
        let message = message.map_err(|error| error.to_string())?;
        let (published, pending) = {
            let info = message.info().map_err(|error| error.to_string())?;
            (info.published.unix_timestamp_nanos(), info.pending)
        };
        self.is_complete |= pending == 0;
        Ok(self.item(&message, published))
    }

    fn item(&self, message: &Message, published: i128) -> Item {
        let operation = message.headers.as_ref().and_then(|headers| headers.get("KV-Operation"));
        // The server's own marks of keys that went by their age.
        let mark = message.headers.as_ref().and_then(|headers| headers.get("Nats-Marker-Reason"));
        Item {
            token: message.subject.strip_prefix(&self.prefix).unwrap_or_default().to_string(),
            payload: message.payload.to_vec(),
            published,
            is_deletion: mark.is_some()
                || operation.is_some_and(|operation| matches!(operation.as_str(), "DEL" | "PURGE")),
        }
    }
}
