//! Admission: how many guests run at once, and a bounded queue with a bounded wait.
//!
//! Workers are shared by client. No client has more guests running than its share. A free worker goes to the client that
//! has the fewest running, then by turns, and within a client to its plug-ins by turns. When the queue is full, the client
//! with most requests in it makes room.

use super::fair_queue::FairQueue;
use super::task::Run;
use crate::gateway::http::client::{Client, ClientKey};
use std::collections::HashMap;
use std::time::Duration;

/// The result of asking for admission.
pub enum Admitted<T> {
    /// Run it now.
    Run(T),
    /// It is queued. Another request that made room for it must be refused.
    Queued(Option<T>),
    /// The queue is full, and no other client has more in it.
    Full(T),
}

/// How many run, and how many wait.
#[derive(Debug, Clone, Copy)]
pub struct Occupancy {
    /// Guests that run.
    pub running: usize,
    /// Guests that may run.
    pub limit: usize,
    /// Requests that wait.
    pub queued: usize,
}

/// The guests that run and those who wait.
pub struct Admission<T> {
    running: Running,
    queue: FairQueue<T>,
    patience: Duration,
}

/// Whose guests run.
struct Running {
    limit: usize,
    /// How many more may begin.
    free: usize,
    /// How many of one client may run.
    share: usize,
    /// How many of each client run, of those that have any.
    of_clients: HashMap<ClientKey, usize>,
    /// How many of each plug-in run for each client, of plug-ins that have a limit of their own.
    of_plugins: HashMap<String, HashMap<ClientKey, usize>>,
}

impl<T: Run> Admission<T> {
    /// For `limit` at once, `share` of them of one client, while at most `queue` wait, each at most `patience`.
    pub fn new((limit, share): (usize, usize), queue: usize, patience: Duration) -> Admission<T> {
        let running =
            Running { limit, free: limit, share, of_clients: HashMap::new(), of_plugins: HashMap::new() };
        Admission { running, queue: FairQueue::new(queue), patience }
    }

    /// How many there are.
    pub fn occupancy(&self) -> Occupancy {
        let Running { limit, free, .. } = self.running;
        Occupancy { running: limit - free, limit, queued: self.queue.waiting() }
    }

    /// Whether a request of `client` would have to wait.
    pub fn is_taken_for(&self, client: Client) -> bool {
        self.running.free == 0 || !self.running.may_have(client)
    }

    /// Asks for admission; `plugin` gives the plug-in's name for turns in the queue.
    pub fn enter(&mut self, run: T, plugin: impl FnOnce(&T) -> String) -> Admitted<T> {
        if self.running.may_begin(&run) {
            self.running.begin(&run);
            return Admitted::Run(run);
        }
        let plugin = plugin(&run);
        match self.queue.add(run.client().key, plugin, run) {
            Ok(refused) => Admitted::Queued(refused),
            Err(run) => Admitted::Full(run),
        }
    }

    /// Notes that `run` has ended. Returns the queued ones that are admitted now: there can be more than one, as workers may
    /// have been free that nobody in the queue was allowed to use.
    pub fn leave(&mut self, run: &T) -> Vec<T> {
        self.running.end(run);
        std::iter::from_fn(|| self.next()).collect()
    }

    fn next(&mut self) -> Option<T> {
        let Admission { running, queue, .. } = self;
        let next = queue.take(
            |waiting| running.may_begin(waiting),
            |client| running.of_clients.get(&client).copied().unwrap_or(0),
        )?;
        running.begin(&next);
        Some(next)
    }

    /// The clients whose requests wait.
    pub fn waiting_clients(&self) -> impl Iterator<Item = ClientKey> {
        self.queue.clients()
    }

    /// Takes the newest request of a client out of the queue, of the plug-in that it has most of.
    pub fn take_newest_of(&mut self, client: ClientKey) -> Option<T> {
        self.queue.take_newest_of(client)
    }

    /// Takes one out of the queue, whichever.
    pub fn take_any(&mut self) -> Option<T> {
        self.queue.take(|_| true, |_| 0)
    }

    /// Takes one that has waited too long out of the queue.
    pub fn take_late(&mut self) -> Option<T> {
        let patience = self.patience;
        let patience = |waiting: &T| waiting.patience().map_or(patience, |own| own.min(patience));
        self.queue.take(|waiting| waiting.since().elapsed() >= patience(waiting), |_| 0)
    }
}

impl Running {
    fn may_have(&self, client: Client) -> bool {
        client.is_proxy || self.of_clients.get(&client.key).is_none_or(|has| *has < self.share)
    }

    fn may_begin(&self, run: &impl Run) -> bool {
        self.free > 0
            && self.may_have(run.client())
            && run.plugin_limit().is_none_or(|(name, most)| self.plugin_may(name, *most, run.client()))
    }

    /// Whether a plug-in of which `most` may run may have one more, for `client`: of whom half of all may run, half of
    /// these may.
    fn plugin_may(&self, name: &str, most: usize, client: Client) -> bool {
        let Some(clients) = self.of_plugins.get(name) else { return true };
        let share = if client.is_proxy { most } else { (most * self.share / self.limit).max(1) };
        clients.values().sum::<usize>() < most && clients.get(&client.key).is_none_or(|has| *has < share)
    }

    fn begin(&mut self, run: &impl Run) {
        let client = run.client().key;
        self.free -= 1;
        *self.of_clients.entry(client).or_default() += 1;
        if let Some((name, _)) = run.plugin_limit() {
            *self.of_plugins.entry(name.clone()).or_default().entry(client).or_default() += 1;
        }
    }

    fn end(&mut self, run: &impl Run) {
        let client = run.client().key;
        self.free += 1;
        less_one(&mut self.of_clients, client);
        if let Some((name, _)) = run.plugin_limit()
            && let Some(clients) = self.of_plugins.get_mut(name)
        {
            less_one(clients, client);
            if clients.is_empty() {
                self.of_plugins.remove(name);
            }
        }
    }
}

/// One less of a client; who has none is forgotten.
fn less_one(counts: &mut HashMap<ClientKey, usize>, key: ClientKey) {
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}
