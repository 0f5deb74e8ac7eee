//! How many guests run at once, and who waits for a place: a bounded queue with a bounded wait.
//!
//! Places are shared by client. No client has more than its share of them; a place that becomes free goes to the client
//! that has the fewest, of those to the one whose turn it is, and of its requests to the plug-in whose turn it is. When
//! the queue is full, whoever has most of it makes room.

use super::lane::Message;
use super::queue::Queue;
use crate::gateway::connection::client::{Client, ClientKey};
use crate::gateway::connection::conn::Conn;
use crate::gateway::connection::pending::Ready;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Changes of plug-ins that are made at a time, that wait, and for how long: compiling takes long, and is done by
/// one, under the folder's lock.
const DESK_PLACES: usize = 1;
const DESK_QUEUE: usize = 8;
const DESK_PATIENCE: Duration = Duration::from_secs(10);

/// A request that waits to be answered. Its connection stays claimed.
#[derive(Clone)]
pub struct Waiting {
    /// Where the answer goes.
    pub conn: Arc<Conn>,
    /// The request.
    pub ready: Ready,
    /// The request as lanes carry it.
    pub message: Message,
    /// When the request was whole.
    pub begin: Instant,
}

/// What comes of asking for a place among the running guests.
pub enum Admission {
    /// Run it now.
    Run(Box<Waiting>),
    /// It waits.
    Queued {
        /// Its message, for the lane that it must leave.
        message: Message,
        /// One that must be refused, as it has made room.
        refused: Option<Box<Waiting>>,
    },
    /// The queue is full, and nobody has more of it than this client.
    Full(Box<Waiting>),
}

/// The guests at work and those who wait.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    /// Guests at work.
    pub running: usize,
    /// Guests that may be at work.
    pub places: usize,
    /// Requests that wait.
    pub queued: usize,
}

/// The places and the queue for them.
pub struct Gate {
    places: Places,
    queue: Queue<Waiting>,
    patience: Duration,
}

/// Who has which places.
struct Places {
    all: usize,
    free: usize,
    /// Places that one client may have.
    share: usize,
    /// Places that clients have, of those that have any.
    of_clients: HashMap<ClientKey, usize>,
    /// Places that plug-ins have, of those that may not have all, and how many of them each client has.
    of_plugins: HashMap<String, HashMap<ClientKey, usize>>,
}

impl Gate {
    /// A gate with `places`, `share` of them for one client, before which at most `queue` wait, each at most
    /// `patience`.
    pub fn new((places, share): (usize, usize), queue: usize, patience: Duration) -> Gate {
        let places = Places {
            all: places,
            free: places,
            share,
            of_clients: HashMap::new(),
            of_plugins: HashMap::new(),
        };
        Gate { places, queue: Queue::new(queue), patience }
    }

    /// A gate for changes of plug-ins.
    pub fn of_desk() -> Gate {
        Gate::new((DESK_PLACES, DESK_PLACES), DESK_QUEUE, DESK_PATIENCE)
    }

    /// How many there are of whom.
    pub fn crowd(&self) -> Crowd {
        let Places { all, free, .. } = self.places;
        Crowd { running: all - free, places: all, queued: self.queue.len() }
    }

    /// Whether requests of `client` would have to wait for a place.
    pub fn is_taken_for(&self, client: Client) -> bool {
        self.places.free == 0 || !self.places.may_have(client)
    }

    /// Asks for a place; `plugin` gives the name of the plug-in, of which there are turns in the queue.
    pub fn enter(&mut self, waiting: Waiting, plugin: impl FnOnce(&Ready) -> String) -> Admission {
        if self.places.may_begin(&waiting.ready) {
            self.places.take(&waiting.ready);
            return Admission::Run(Box::new(waiting));
        }
        let (message, plugin) = (waiting.message.clone(), plugin(&waiting.ready));
        match self.queue.add(waiting.ready.client.key, plugin, waiting) {
            Ok(refused) => Admission::Queued { message, refused: refused.map(Box::new) },
            Err(waiting) => Admission::Full(Box::new(waiting)),
        }
    }

    /// Gives the place of `ready` back. Those who wait and may begin now have their places at once: there can be more
    /// than one, as places may have been free that nobody in the queue was allowed to have.
    pub fn leave(&mut self, ready: &Ready) -> Vec<Waiting> {
        self.places.give_back(ready);
        std::iter::from_fn(|| self.next()).collect()
    }

    fn next(&mut self) -> Option<Waiting> {
        let Gate { places, queue, .. } = self;
        let next = queue.take(
            |waiting| places.may_begin(&waiting.ready),
            |client| places.of_clients.get(&client).copied().unwrap_or(0),
        )?;
        places.take(&next.ready);
        Some(next)
    }

    /// The clients whose requests wait.
    pub fn waiting_clients(&self) -> impl Iterator<Item = ClientKey> {
        self.queue.clients()
    }

    /// Takes the newest request of a client out of the queue, of the plug-in that it has most of.
    pub fn take_newest_of(&mut self, client: ClientKey) -> Option<Waiting> {
        self.queue.take_newest_of(client)
    }

    /// Takes one that has waited too long out of the queue.
    pub fn take_late(&mut self) -> Option<Waiting> {
        let patience = self.patience;
        self.queue.take(|waiting| waiting.begin.elapsed() >= patience, |_| 0)
    }
}

impl Places {
    fn may_have(&self, client: Client) -> bool {
        client.is_proxy || self.of_clients.get(&client.key).is_none_or(|has| *has < self.share)
    }

    fn may_begin(&self, ready: &Ready) -> bool {
        self.free > 0
            && self.may_have(ready.client)
            && ready.share.as_ref().is_none_or(|(name, most)| self.plugin_may(name, *most, ready.client))
    }

    /// Whether a plug-in that has `most` places may have one more, for `client`: who may have half of all places may have
    /// half of these.
    fn plugin_may(&self, name: &str, most: usize, client: Client) -> bool {
        let Some(clients) = self.of_plugins.get(name) else { return true };
        let share = if client.is_proxy { most } else { (most * self.share / self.all).max(1) };
        clients.values().sum::<usize>() < most && clients.get(&client.key).is_none_or(|has| *has < share)
    }

    fn take(&mut self, ready: &Ready) {
        self.free -= 1;
        *self.of_clients.entry(ready.client.key).or_default() += 1;
        if let Some((name, _)) = &ready.share {
            *self.of_plugins.entry(name.clone()).or_default().entry(ready.client.key).or_default() += 1;
        }
    }

    fn give_back(&mut self, ready: &Ready) {
        self.free += 1;
        less_one(&mut self.of_clients, ready.client.key);
        if let Some((name, _)) = &ready.share
            && let Some(clients) = self.of_plugins.get_mut(name)
        {
            less_one(clients, ready.client.key);
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
