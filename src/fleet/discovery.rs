//! The node as a NATS service (ADR-32, "Service API"): it answers `$SRV.PING`, `$SRV.INFO` and `$SRV.STATS`, for all services,
//! for those called `fuelbox`, and for itself, so that the usual tools see all nodes.

use super::execute::{QUEUE_GROUP, may_answer};
use super::node::Node;
use super::shared::Stats;
use super::subject::EXECUTE;
use crate::base::lock::lock;
use futures_util::StreamExt;
use futures_util::stream::select_all;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

/// The name of the service.
const NAME: &str = "fuelbox";

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Ping,
    Info,
    Stats,
}

impl Verb {
    const ALL: [Verb; 3] = [Verb::Ping, Verb::Info, Verb::Stats];

    fn word(self) -> &'static str {
        match self {
            Verb::Ping => "PING",
            Verb::Info => "INFO",
            Verb::Stats => "STATS",
        }
    }
}

/// Answers until the node leaves.
pub async fn serve(node: Node, stats: Arc<Mutex<Stats>>) {
    let started = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    let mut subscribers = Vec::new();
    for verb in Verb::ALL {
        let all = format!("$SRV.{}", verb.word());
        let own = format!("{all}.{NAME}");
        let one = format!("{own}.{}", node.config.node);
        for subject in [all, own, one] {
            // The connection is there until the thread ends.
            let Ok(subscriber) = node.client.subscribe(subject).await else { return };
            subscribers.push(subscriber.map(move |message| (verb, message)).boxed());
        }
    }
    let mut asked = select_all(subscribers);
    loop {
        let (verb, message) = tokio::select! {
            asked = asked.next() => match asked {
                Some(asked) => asked,
                None => return,
            },
            () = node.left() => return,
        };
        let Some(reply) = message.reply.filter(|subject| may_answer(subject)) else { continue };
        let document = document(verb, &node.config.node, &started, &lock(&stats).clone());
        // Lost with the connection; whoever asked asks again.
        let _ = node.client.publish(reply, document.to_string().into()).await;
    }
}

/// What is answered.
fn document(verb: Verb, node: &str, started: &str, stats: &Stats) -> Value {
    let mut document = json!({
        "name": NAME, "id": node, "version": env!("CARGO_PKG_VERSION"), "metadata": {},
        "type": format!("io.nats.micro.v1.{}_response", verb.word().to_lowercase()),
    });
    let subject = format!("{EXECUTE}.>");
    let endpoint = json!({ "name": "execute", "subject": subject, "queue_group": QUEUE_GROUP });
    match verb {
        Verb::Ping => {}
        Verb::Info => {
            document["description"] = "Runs WebAssembly plug-ins".into();
            document["endpoints"] = json!([endpoint]);
            document["endpoints"][0]["metadata"] = json!({});
        }
        Verb::Stats => {
            let Stats { requests, errors, last_error, time, passed_on } = stats;
            let total = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            let mut endpoint = endpoint;
            endpoint["num_requests"] = (*requests).into();
            endpoint["num_errors"] = (*errors).into();
            endpoint["last_error"] = last_error.as_str().into();
            endpoint["processing_time"] = total.into();
            endpoint["average_processing_time"] = (total / (*requests).max(1)).into();
            endpoint["data"] = json!({ "passed_on": passed_on });
            document["started"] = started.into();
            document["endpoints"] = json!([endpoint]);
        }
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_documents_are_those_of_a_service() {
        let stats = Stats { requests: 4, time: Duration::from_micros(10), ..Stats::default() };
        let of = |verb| document(verb, "n1", "2026-01-01T00:00:00Z", &stats);
        let ping = of(Verb::Ping);
        assert_eq!((&ping["type"], &ping["id"]), (&"io.nats.micro.v1.ping_response".into(), &"n1".into()));
        assert_eq!(of(Verb::Info)["endpoints"][0]["subject"], "fuelbox.execute.>");
        let endpoint = &of(Verb::Stats)["endpoints"][0];
        assert_eq!(
            (&endpoint["num_requests"], &endpoint["average_processing_time"]),
            (&4.into(), &2500.into())
        );
        assert_eq!(
            document(Verb::Stats, "n1", "", &Stats::default())["endpoints"][0]["average_processing_time"],
            0
        );
    }
}
