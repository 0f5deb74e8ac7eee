//! The open connections, and what each client has of them. A connection is in here for exactly as long as its
//! descriptor is open.

use super::client::ClientKey;
use super::conn::Conn;
use super::share::Share;
use std::collections::HashMap;
use std::sync::Arc;

/// Shares kept of clients that have nothing, beyond one for each connection.
const SPARE_SHARES: usize = 64;

/// Who knows the share of a client with one connection: that, and the table.
const OWNERS: usize = 2;

/// The open connections.
#[derive(Default)]
pub struct Conns {
    all: HashMap<usize, Arc<Conn>>,
    shares: HashMap<ClientKey, Arc<Share>>,
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

    /// What a client has.
    pub fn share(&mut self, key: ClientKey) -> Arc<Share> {
        if self.shares.len() > 2 * self.all.len() + SPARE_SHARES {
            // Only this one knows them.
            self.shares.retain(|_, share| Arc::strong_count(share) > 1);
        }
        Arc::clone(self.shares.entry(key).or_insert_with(|| Arc::new(Share::new(key))))
    }

    /// The connections that a client has.
    pub fn connections_of(&self, key: ClientKey) -> usize {
        self.shares.get(&key).map_or(0, |share| share.connections())
    }

    /// The bytes that are held for a client.
    pub fn bytes_of(&self, key: ClientKey) -> usize {
        self.shares.get(&key).map_or(0, |share| share.bytes())
    }

    /// Clients that have a connection.
    pub fn clients(&self) -> usize {
        self.shares.values().filter(|share| share.connections() > 0).count()
    }

    /// Adds a connection.
    pub fn insert(&mut self, conn: Arc<Conn>) {
        conn.share.open();
        self.all.insert(conn.token, conn);
    }

    /// Removes a connection whose descriptor has been closed.
    pub fn remove(&mut self, conn: &Conn) {
        if self.all.remove(&conn.token).is_none() {
            return;
        }
        conn.share.close();
        // A proxy's connection may count its bytes there.
        if conn.share.connections() == 0 && Arc::strong_count(&conn.share) <= OWNERS {
            self.shares.remove(&conn.share.key);
        }
    }
}
