//! Makes what a fleet keeps in NATS. Nodes need no permission for that.

use super::bucket::names;
use super::bucket::report::BYTES_MAX;
use async_nats::jetstream::{Context, kv, object_store};
use std::time::Duration;

/// Time after which a report of a node that is away goes.
const REPORT_AGE: Duration = Duration::from_secs(60 * 60);

/// Makes the object store `bucket`, and the key-value bucket of the reports. Returns what was made, and what was there.
///
/// # Errors
/// A sentence.
pub async fn create_bucket(context: &Context, bucket: &str, replicas: usize) -> Result<Vec<String>, String> {
    let nodes = names::nodes(bucket);
    let objects = format!("object store {bucket}");
    let reports = format!("key-value bucket {nodes}");
    let description = Some("plug-ins of fuelbox".to_string());
    let made = match exists(context, &names::stream(bucket)).await? {
        true => false,
        false => {
            let config = object_store::Config {
                bucket: bucket.into(),
                description,
                num_replicas: replicas,
                ..object_store::Config::default()
            };
            let created = context.create_object_store(config).await;
            created.map_err(|error| format!("{objects}: {}", chain(&error)))?;
            true
        }
    };
    let reports_made = match exists(context, &names::nodes_stream(bucket)).await? {
        true => false,
        false => {
            let config = kv::Config {
                bucket: nodes,
                description: "what nodes of fuelbox run".into(),
                history: 1,
                max_age: REPORT_AGE,
                max_value_size: i32::try_from(BYTES_MAX).unwrap_or(i32::MAX),
                num_replicas: replicas,
                ..kv::Config::default()
            };
            let created = context.create_key_value(config).await;
            created.map_err(|error| format!("{reports}: {}", chain(&error)))?;
            true
        }
    };
    let said = |what: String, made| format!("{what}: {}", if made { "made" } else { "is there already" });
    Ok(vec![said(objects, made), said(reports, reports_made)])
}

/// Whether there is a stream `name`.
async fn exists(context: &Context, name: &str) -> Result<bool, String> {
    use super::bucket::tail::{Failed, stream};
    match stream(context, name).await {
        Ok(_) => Ok(true),
        Err(Failed::Absent) => Ok(false),
        Err(Failed::Other(what)) => Err(what),
    }
}

/// An error, with those behind it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source.filter(|_| text.len() < 1024) {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}
