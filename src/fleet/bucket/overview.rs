//! What all nodes say that they run. Who may write to the key-value bucket may say anything.

use super::names::{self, nodes_subjects};
use super::report::{AWAY, Report};
use super::tail::{Failed, Tail};
use crate::fleet::subject::is_token;
use std::collections::BTreeMap;
use std::time::Duration;

/// Nodes that are shown, at most.
pub const NODES_MAX: usize = 10_000;

/// The longest time for all reports to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// The reports of all nodes, which follow what the nodes say.
pub struct Overview {
    tail: Tail,
    /// By the name of the node: its report, or that it is none, and when it was sent.
    nodes: BTreeMap<String, (Option<Report>, i128)>,
}

/// A node.
#[derive(Debug)]
pub struct Seen<'a> {
    /// Its name.
    pub node: &'a str,
    /// How long ago it said something.
    pub age: Duration,
    /// What it said; none if that is no report.
    pub report: Option<&'a Report>,
}

impl Seen<'_> {
    /// Whether it has said nothing for too long.
    pub fn is_away(&self) -> bool {
        self.age > AWAY
    }
}

impl Overview {
    /// Reads what all nodes say.
    ///
    /// # Errors
    /// A sentence.
    pub async fn open(client: &async_nats::Client, bucket: &str) -> Result<Overview, String> {
        let context = async_nats::jetstream::new(client.clone());
        let tail = Tail::open(&context, &names::nodes_stream(bucket), &nodes_subjects(bucket)).await;
        let tail = tail.map_err(|failed| match failed {
            Failed::Absent => {
                format!("there is no key-value bucket {} (fuelbox fleet init)", names::nodes(bucket))
            }
            Failed::Other(what) => what,
        })?;
        let mut overview = Overview { tail, nodes: BTreeMap::new() };
        let all = async {
            while !overview.tail.is_complete() {
                overview.next().await?;
            }
            Ok::<(), String>(())
        };
        tokio::time::timeout(PATIENCE, all).await.map_err(|_| "the reports of the nodes do not come")??;
        Ok(overview)
    }

    /// Waits for the next report.
    ///
    /// # Errors
    /// A sentence.
    pub async fn next(&mut self) -> Result<(), String> {
        let item = self.tail.next().await?;
        if !is_token(&item.token) {
            return Ok(());
        }
        if item.is_deletion {
            self.nodes.remove(&item.token);
        } else if self.nodes.len() < NODES_MAX || self.nodes.contains_key(&item.token) {
            self.nodes.insert(item.token, (Report::read(&item.payload), item.published));
        }
        Ok(())
    }

    /// All nodes, by name.
    pub fn nodes(&self) -> impl Iterator<Item = Seen<'_>> {
        self.nodes.iter().map(|(node, (report, published))| Seen {
            node,
            age: self.tail.age(*published),
            report: report.as_ref(),
        })
    }

    /// The nodes that are there.
    pub fn alive(&self) -> Vec<String> {
        let alive = self.nodes().filter(|seen| !seen.is_away() && seen.report.is_some());
        alive.map(|seen| seen.node.to_string()).collect()
    }

    /// The report of `node`; none if it has taken it away.
    pub fn report(&self, node: &str) -> Option<Option<&Report>> {
        self.nodes.get(node).map(|(report, _)| report.as_ref())
    }
}
