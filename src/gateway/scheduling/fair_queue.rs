//! A bounded queue, fair to clients and, within a client, to plug-ins: they are served in turn, and the one with most items
//! makes room. It knows neither requests nor workers.

use crate::gateway::http::client::ClientKey;
use std::collections::VecDeque;

/// A client makes room for another only if it has more than this many items more: otherwise a swap makes no difference.
const FAIR_LEAD: usize = 1;

/// The queue.
pub struct FairQueue<T> {
    /// The clients that have something here, in the order of their turns.
    clients: VecDeque<Line<T>>,
    len: usize,
    most: usize,
}

struct Line<T> {
    client: ClientKey,
    /// The plug-ins that this client asks for, in the order of their turns. None is empty.
    plugins: VecDeque<(String, VecDeque<T>)>,
    len: usize,
}

impl<T> Line<T> {
    fn of_plugin(&self, plugin: &str) -> usize {
        self.plugins.iter().find(|(name, _)| name == plugin).map_or(0, |(_, items)| items.len())
    }

    /// Takes the newest of the plug-in that has the most.
    fn pop_of_most(&mut self) -> Option<T> {
        let at = (0..self.plugins.len()).max_by_key(|at| self.plugins[*at].1.len())?;
        let item = self.plugins[at].1.pop_back()?;
        if self.plugins[at].1.is_empty() {
            self.plugins.remove(at);
        }
        self.len -= 1;
        Some(item)
    }
}

impl<T> FairQueue<T> {
    /// A queue for at most this many.
    pub fn new(most: usize) -> FairQueue<T> {
        FairQueue { clients: VecDeque::new(), len: 0, most }
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.len
    }

    /// Adds an item. If the queue is full, the newest item of the client that has most is taken out and returned, if that
    /// client has more than this one, or more of another plug-in than of this one.
    ///
    /// # Errors
    /// The item itself: the queue is full, and no other makes room.
    pub fn add(&mut self, client: ClientKey, plugin: String, item: T) -> Result<Option<T>, T> {
        let mut out = None;
        if self.len >= self.most {
            match self.make_room(client, &plugin) {
                Some(other) => out = Some(other),
                None => return Err(item),
            }
        }
        self.len += 1;
        let line = match self.clients.iter_mut().find(|line| line.client == client) {
            Some(line) => line,
            None => {
                self.clients.push_back(Line { client, plugins: VecDeque::new(), len: 0 });
                let last = self.clients.len() - 1;
                &mut self.clients[last]
            }
        };
        line.len += 1;
        match line.plugins.iter_mut().find(|(name, _)| *name == plugin) {
            Some((_, items)) => items.push_back(item),
            None => line.plugins.push_back((plugin, VecDeque::from([item]))),
        }
        Ok(out)
    }

    /// The clients that have something here.
    pub fn clients(&self) -> impl Iterator<Item = ClientKey> {
        self.clients.iter().map(|line| line.client)
    }

    /// Takes the newest item of a client, of the plug-in that it has most of.
    pub fn take_newest_of(&mut self, client: ClientKey) -> Option<T> {
        let at = self.clients.iter().position(|line| line.client == client)?;
        let item = self.clients[at].pop_of_most();
        if self.clients[at].len == 0 {
            self.clients.remove(at);
        }
        self.len -= usize::from(item.is_some());
        item
    }

    fn make_room(&mut self, client: ClientKey, plugin: &str) -> Option<T> {
        let own = self.clients.iter().find(|line| line.client == client);
        let (own_len, own_of_plugin) = own.map_or((0, 0), |line| (line.len, line.of_plugin(plugin)));
        let at = (0..self.clients.len()).max_by_key(|at| self.clients[*at].len)?;
        let line = &self.clients[at];
        let has_most = if line.client == client {
            let most = line.plugins.iter().map(|(_, items)| items.len()).max().unwrap_or(0);
            most > own_of_plugin + FAIR_LEAD
        } else {
            line.len > own_len + FAIR_LEAD
        };
        let has_most = has_most.then_some(line.client);
        has_most.and_then(|client| self.take_newest_of(client))
    }

    /// Takes an item that `may` be taken, of the client that `has` the fewest, of those whose turn it is, and of its
    /// plug-ins the one whose turn it is. Of each plug-in only the first counts.
    pub fn take(&mut self, may: impl Fn(&T) -> bool, has: impl Fn(ClientKey) -> usize) -> Option<T> {
        let first =
            |line: &Line<T>| line.plugins.iter().position(|(_, items)| items.front().is_some_and(&may));
        let found = self.clients.iter().enumerate().filter_map(|(at, line)| Some((at, first(line)?)));
        let (at, plugin) = found.min_by_key(|(at, _)| has(self.clients[*at].client))?;
        self.remove(at, plugin)
    }

    /// Takes the first item of that plug-in of that client; both have had their turn.
    fn remove(&mut self, at: usize, plugin: usize) -> Option<T> {
        let mut line = self.clients.remove(at)?;
        let (name, mut items) = line.plugins.remove(plugin)?;
        let item = items.pop_front();
        line.len -= 1;
        self.len -= 1;
        if !items.is_empty() {
            line.plugins.push_back((name, items));
        }
        if line.len > 0 {
            self.clients.push_back(line);
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(last: u8) -> ClientKey {
        ClientKey::of([127, 0, 0, last].into())
    }

    fn queue(most: usize, items: &[(u8, &str, u32)]) -> FairQueue<u32> {
        let mut queue = FairQueue::new(most);
        for (client, plugin, item) in items {
            queue.add(key(*client), plugin.to_string(), *item).unwrap();
        }
        queue
    }

    fn all(queue: &mut FairQueue<u32>) -> Vec<u32> {
        std::iter::from_fn(|| queue.take(|_| true, |_| 0)).collect()
    }

    #[test]
    fn clients_take_turns_and_their_plugins_within() {
        let items = [(1, "a", 10), (1, "a", 11), (1, "a", 12), (1, "b", 13), (2, "a", 20), (2, "a", 21)];
        assert_eq!(all(&mut queue(9, &items)), [10, 20, 13, 21, 11, 12]);
    }

    #[test]
    fn who_has_the_fewest_comes_first() {
        let mut queue = queue(9, &[(1, "a", 10), (2, "a", 20), (3, "a", 30)]);
        assert_eq!(queue.take(|_| true, |client| if client == key(2) { 0 } else { 1 }), Some(20));
        assert_eq!(queue.take(|item| *item != 10, |_| 0), Some(30));
        assert_eq!(queue.take(|item| *item != 10, |_| 0), None);
        assert_eq!((queue.take(|_| true, |_| 0), queue.waiting()), (Some(10), 0));
    }

    #[test]
    fn whoever_has_most_makes_room() {
        let mut queue = queue(4, &[(1, "a", 10), (1, "a", 11), (1, "a", 12), (2, "a", 20)]);
        // The newest of the client with three.
        assert_eq!(queue.add(key(3), "a".into(), 30), Ok(Some(12)));
        // Two, one and one: nobody has two more than any other would have.
        assert_eq!(queue.add(key(2), "a".into(), 21), Err(21));
        assert_eq!(queue.add(key(4), "a".into(), 40), Ok(Some(11)));
        assert_eq!(queue.add(key(5), "a".into(), 50), Err(50));
        assert_eq!((all(&mut queue), queue.waiting()), (vec![10, 20, 30, 40], 0));
    }

    #[test]
    fn within_a_client_whichever_plugin_has_most_makes_room() {
        let mut queue = queue(4, &[(1, "a", 10), (1, "a", 11), (1, "a", 12), (1, "b", 13)]);
        assert_eq!(queue.add(key(1), "a".into(), 14), Err(14));
        assert_eq!(queue.add(key(1), "c".into(), 15), Ok(Some(12)));
        assert_eq!(queue.add(key(1), "b".into(), 16), Err(16));
        assert_eq!(all(&mut queue), [10, 13, 15, 11]);
    }

    #[test]
    fn a_queue_for_nobody_takes_nobody() {
        let mut queue: FairQueue<u32> = FairQueue::new(0);
        assert_eq!((queue.add(key(1), "a".into(), 1), queue.waiting()), (Err(1), 0));
    }
}
