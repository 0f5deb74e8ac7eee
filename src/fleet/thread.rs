//! The thread of a node: begins, leaves, and ends.

use super::bucket::follow;
use super::config::FleetConfig;
use super::connect::{Connection, connect};
use super::counted::counted;
use super::discovery;
use super::execute::Execute;
use super::jobs;
use super::jobs::counts::Counts;
use super::local::Local;
use super::node::Node;
use super::spill::Spill;
use crate::gateway::server::Inside;
use crate::runner::Runner;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

/// Stack of the thread: futures are on the heap.
const STACK_BYTES: usize = 512 * 1024;

/// How long the end waits for what is still to be sent.
const FLUSH_PATIENCE: Duration = Duration::from_secs(2);

/// A node at work.
pub struct Fleet {
    leaving: watch::Sender<bool>,
    end: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl std::fmt::Debug for Fleet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fleet").finish_non_exhaustive()
    }
}

impl Fleet {
    /// Begins to serve for `gateway`, whose plug-ins are `runner`'s. Servers that cannot be reached are tried again.
    ///
    /// # Errors
    /// No thread; an address or a file in `config` that cannot be used.
    pub fn start(config: FleetConfig, gateway: Inside, runner: Arc<Runner>) -> io::Result<Fleet> {
        let (leaving, is_leaving) = watch::channel(false);
        let (end, ended) = oneshot::channel();
        let (begun, has_begun) = std::sync::mpsc::sync_channel(1);
        let thread = std::thread::Builder::new().name("nats".into()).stack_size(STACK_BYTES);
        let thread = thread.spawn(move || {
            let runtime = match Builder::new_current_thread().enable_all().max_blocking_threads(1).build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(begun.send(Err(error))),
            };
            runtime.block_on(async move {
                // Whoever may send requests can have the library drop a connection, by a message whose fields are malformed:
                // plug-ins and jobs have another one.
                let both = (
                    connect(&config.access, &config.node, true).await,
                    connect(&config.access, &config.node, true).await,
                );
                let (Connection { client, lost }, requests) = match both {
                    (Ok(one), Ok(requests)) => (one, requests),
                    (Err(what), _) | (_, Err(what)) => {
                        return drop(begun.send(Err(io::Error::other(what))));
                    }
                };
                let local = Local::new(gateway);
                let node =
                    Node { config: Arc::new(config), client, lost, local, runner, leaving: is_leaving };
                let _ = begun.send(Ok(()));
                let requests = Node { client: requests.client, lost: requests.lost, ..node.clone() };
                work(&node, &requests, ended).await;
            });
        })?;
        has_begun.recv().unwrap_or_else(|_| Err(io::Error::other("the thread of NATS ended")))?;
        Ok(Fleet { leaving, end, thread })
    }

    /// Takes nothing more; what was taken goes on.
    pub fn leave(&self) {
        let _ = self.leaving.send(true);
    }

    /// Ends, once the gateway has answered what it had taken.
    pub fn stop(self) {
        self.leave();
        let _ = self.end.send(());
        let _ = self.thread.join();
    }
}

async fn work(node: &Node, requests: &Node, ended: oneshot::Receiver<()>) {
    let stats = Arc::default();
    let passing = Arc::default();
    let counts = Arc::<Counts>::default();
    let of_jobs = node.config.jobs.as_ref().map(|_| &counts);
    node.local.set_counted(counted(&stats, of_jobs));
    if node.config.spill {
        let (spill, orders) = Spill::new(requests.client.clone(), Arc::clone(&passing));
        node.local.set_overflow(Box::new(spill));
        tokio::spawn(orders.serve(requests.clone()));
    }
    let execute = Execute::new(requests.clone(), passing, Arc::clone(&stats));
    let serving = tokio::spawn(execute.clone().serve());
    tokio::spawn(discovery::serve(requests.clone(), stats));
    let bucket = node.config.bucket.clone();
    let plugins = bucket.map(|bucket| tokio::spawn(follow::run(node.clone(), bucket)));
    let jobs = tokio::spawn(jobs::take(node.clone(), counts));
    let _ = ended.await;
    // What comes late is passed on.
    let _ = timeout(FLUSH_PATIENCE, serving).await;
    let _ = timeout(FLUSH_PATIENCE, execute.ended()).await;
    // The gateway has answered all: what is left is to store the results and to acknowledge the jobs.
    let _ = timeout(jobs::LEAVE_PATIENCE, jobs).await;
    if let Some(plugins) = plugins {
        let _ = timeout(FLUSH_PATIENCE, plugins).await;
    }
    let _ = timeout(FLUSH_PATIENCE, requests.client.flush()).await;
    let _ = timeout(FLUSH_PATIENCE, node.client.flush()).await;
}
