//! Reports of this node: at once when something has changed, and every [`BEAT`].

use super::names::nodes_subjects;
use super::report::{BEAT, BYTES_MAX, Failures, entries, text};
use crate::fleet::node::Node;
use async_nats::HeaderMap;
use async_nats::jetstream::{self, Context};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;

/// Time that a change waits for others.
const QUIET: Duration = Duration::from_millis(100);

/// Bytes that a message has besides.
const FRAMING: usize = 1024;

/// Reports until the node leaves, and then takes its report away.
pub async fn report(node: &Node, bucket: &str, mut failures: watch::Receiver<Failures>) {
    let context = jetstream::new(node.client.clone());
    let subject = format!("{}{}", nodes_subjects(bucket), node.config.node);
    let since = SystemTime::now();
    let mut is_told = false;
    loop {
        let all = entries(node.runner.plugins(), &failures.borrow_and_update());
        let most = most(node.client.server_info().max_payload);
        let said = say(&context, &subject, text(&node.config.node, since, &all, most)).await;
        if let Err(error) = &said
            && !is_told
        {
            log::warn!("what this node runs is not reported to {bucket}-nodes: {error} (fuelbox fleet init)");
        }
        is_told = said.is_err();
        tokio::select! {
            () = node.left() => break,
            () = tokio::time::sleep(BEAT) => {}
            Ok(()) = failures.changed() => tokio::time::sleep(QUIET).await,
        }
    }
    if let Err(error) = unsay(&context, &subject).await {
        log::debug!("the report of this node is not deleted: {error}");
    }
}

/// Bytes of a report to a server that takes `max_payload`: 0 is that of one that has not answered yet.
fn most(max_payload: usize) -> usize {
    match max_payload {
        0 => BYTES_MAX,
        max_payload => BYTES_MAX.min(max_payload.saturating_sub(FRAMING)),
    }
}

async fn say(context: &Context, subject: &str, text: String) -> Result<(), String> {
    let sent = context.publish(subject.to_string(), text.into()).await.map_err(|error| error.to_string())?;
    sent.await.map(drop).map_err(|error| error.to_string())
}

/// Deletes a key of a key-value bucket.
async fn unsay(context: &Context, subject: &str) -> Result<(), String> {
    let mut headers = HeaderMap::new();
    headers.insert("KV-Operation", "DEL");
    let sent = context.publish_with_headers(subject.to_string(), headers, "".into()).await;
    sent.map_err(|error| error.to_string())?.await.map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_room_before_there_is_a_connection() {
        assert_eq!(most(0), BYTES_MAX);
        assert_eq!((most(1), most(FRAMING + 1)), (0, 1));
        assert_eq!((most(BYTES_MAX + FRAMING - 1), most(BYTES_MAX + FRAMING)), (BYTES_MAX - 1, BYTES_MAX));
        assert_eq!(most(usize::MAX), BYTES_MAX);
    }
}
