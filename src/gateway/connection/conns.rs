//! The open connections, by number and by client. A connection is in here for exactly as long as its descriptor is open.

use super::conn::Conn;
use crate::gateway::http::client::ClientKey;
use crate::gateway::scheduling::share::Share;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Clients without a connection that are kept, beyond one for each connection (clients behind proxies have none).
const SPARE_CLIENTS: usize = 64;

/// The open connections.
#[derive(Default)]
pub struct Conns {
    all: HashMap<usize, Arc<Conn>>,
    clients: HashMap<ClientKey, Has>,
}

/// What a client has.
struct Has {
    share: Arc<Share>,
    /// Its connections, in the order in which they came.
    conns: BTreeMap<usize, Arc<Conn>>,
}

impl Conns {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// The connection with this number.
    pub fn get(&self, token: usize) -> Option<&Arc<Conn>> {
        self.all.get(&token)
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Conn>> {
        self.all.values()
    }

    /// The connections of a client, in the order in which they came.
    pub fn of(&self, key: ClientKey) -> impl Iterator<Item = &Arc<Conn>> {
        self.clients.get(&key).into_iter().flat_map(|has| has.conns.values())
    }

    /// How many a client has.
    pub fn count_of(&self, key: ClientKey) -> usize {
        self.clients.get(&key).map_or(0, |has| has.conns.len())
    }

    /// The bytes that are held for a client.
    pub fn bytes_of(&self, key: ClientKey) -> usize {
        self.clients.get(&key).map_or(0, |has| has.share.bytes())
    }

    /// Clients that have connections, and how many.
    pub fn clients(&self) -> impl Iterator<Item = (ClientKey, usize)> {
        let counts = self.clients.iter().map(|(key, has)| (*key, has.conns.len()));
        counts.filter(|(_, count)| *count > 0)
    }

    /// A client's part of the budget of bytes.
    pub fn share(&mut self, key: ClientKey) -> Arc<Share> {
        Arc::clone(&self.has(key).share)
    }

    fn has(&mut self, key: ClientKey) -> &mut Has {
        if self.clients.len() > 2 * self.all.len() + SPARE_CLIENTS {
            // Nobody else refers to these.
            self.clients.retain(|_, has| !has.conns.is_empty() || Arc::strong_count(&has.share) > 1);
        }
        let new = || Has { share: Arc::new(Share::new(key)), conns: BTreeMap::new() };
        self.clients.entry(key).or_insert_with(new)
    }

    /// Adds a connection.
    pub fn insert(&mut self, conn: Arc<Conn>) {
        self.has(conn.peer.key).conns.insert(conn.token, Arc::clone(&conn));
        self.all.insert(conn.token, conn);
    }

    /// Removes a connection whose descriptor has been closed.
    pub fn remove(&mut self, conn: &Conn) {
        self.all.remove(&conn.token);
        // Clients without connections are dropped when there are many.
        if let Some(has) = self.clients.get_mut(&conn.peer.key) {
            has.conns.remove(&conn.token);
        }
    }
}
