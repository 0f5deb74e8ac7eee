//! The work that waits for a worker, in a line for each client.

use super::admission::Waiting;
use crate::gateway::connection::client::{Client, ClientKey};
use crate::gateway::connection::conn::Conn;
use crate::gateway::connection::share::Share;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

/// Clients that are remembered though they have nothing here.
const LINES_KEPT: usize = 64;

/// Something for a worker to do.
pub enum Work {
    /// Look at a connection, which is claimed.
    Look(Arc<Conn>),
    /// Run a request whose turn has come; the place among the running guests is already its.
    Run(Box<Waiting>),
    /// Refuse a request whose turn has not come in time, or that makes room for another one.
    Refuse(Box<Waiting>),
    /// Begin again with a request that was handed to a worker who is gone for long.
    Again(Box<Waiting>),
    /// Say that events are looked for and that work is taken up.
    Pulse(SyncSender<()>),
}

impl Work {
    /// Whose it is.
    fn client(&self) -> Client {
        match self {
            Work::Look(conn) => conn.peer,
            Work::Run(waiting) | Work::Refuse(waiting) | Work::Again(waiting) => waiting.ready.client,
            Work::Pulse(_) => Client::nobody(),
        }
    }
}

/// The work of one client.
#[derive(Default)]
struct Line {
    works: VecDeque<Work>,
    /// Workers that have taken some of it and are not gone for long.
    workers: usize,
    /// Workers that are gone for long with some of it.
    long: usize,
    /// What is known of the client.
    share: Option<Arc<Share>>,
}

/// What the workers share, under one lock.
pub struct Core {
    lines: HashMap<ClientKey, Line>,
    /// The clients with work, in the order of their turns.
    turns: VecDeque<ClientKey>,
    /// Whether someone waits for events, or will.
    pub has_leader: bool,
    /// Workers that wait to be woken.
    pub sleepers: usize,
    /// Workers that have work in hand.
    pub busy: usize,
    /// Those among them that are gone for long.
    pub long: usize,
    guests: usize,
    share: usize,
}

impl Line {
    /// Whether one more worker may take some of it, which is that of `client`. A proxy stands for many clients, and may
    /// have all workers.
    fn is_open(&self, client: &ClientKey, share: usize) -> bool {
        // Only guests can keep a worker for long.
        let is_brief = self.share.as_ref().is_some_and(|share| !share.runs_guests());
        client.is_proxy() || is_brief || self.workers < share.saturating_sub(self.long).max(1)
    }

    fn is_over(&self) -> bool {
        self.works.is_empty() && self.workers == 0 && self.long == 0
    }
}

impl Core {
    /// No work, for workers that let `guests` run at once, `share` of them of one client.
    pub fn new(guests: usize, share: usize) -> Core {
        Core {
            lines: HashMap::new(),
            turns: VecDeque::new(),
            has_leader: false,
            sleepers: 0,
            busy: 0,
            long: 0,
            guests,
            share,
        }
    }

    /// Whether one more worker may be at work: as many as places are left for guests, and one where none is. More
    /// would only find that there is no place for their requests.
    pub fn may_work(&self) -> bool {
        self.busy - self.long < self.guests.saturating_sub(self.long).max(1)
    }

    /// Adds work. True if no worker has any of this client's.
    pub fn add(&mut self, work: Work) -> bool {
        let client = work.client();
        let line = self.lines.entry(client.key).or_default();
        if let Work::Look(conn) = &work {
            conn.enter_line();
            line.share.get_or_insert_with(|| Arc::clone(&conn.share));
        }
        if line.works.is_empty() {
            self.turns.push_back(client.key);
        }
        line.works.push_back(work);
        line.workers == 0
    }

    /// The work whose turn it is, for a worker who has some of `clients` in hand; it notes there whose this is.
    pub fn take(&mut self, clients: &mut Vec<ClientKey>) -> Option<Work> {
        let is_theirs = |key: &ClientKey, line: &Line| line.is_open(key, self.share) || clients.contains(key);
        let at =
            self.turns.iter().position(|key| self.lines.get(key).is_some_and(|line| is_theirs(key, line)))?;
        let key = self.turns.remove(at)?;
        let line = self.lines.get_mut(&key)?;
        let work = line.works.pop_front();
        if !line.works.is_empty() {
            self.turns.push_back(key);
        }
        if !clients.contains(&key) {
            line.workers += 1;
            clients.push(key);
        }
        work
    }

    /// Notes that a worker has nothing of these clients in hand any more.
    pub fn release(&mut self, clients: &mut Vec<ClientKey>) {
        for key in clients.drain(..) {
            if let Some(line) = self.lines.get_mut(&key) {
                line.workers -= 1;
                self.forget(key);
            }
        }
    }

    /// Notes that a worker is gone for long with work of `client`.
    pub fn go_long(&mut self, client: Client) {
        self.long += 1;
        self.lines.entry(client.key).or_default().long += 1;
    }

    /// Notes that it is back.
    pub fn come_back(&mut self, client: Client) {
        self.long -= 1;
        if let Some(line) = self.lines.get_mut(&client.key) {
            line.long -= 1;
            self.forget(client.key);
        }
    }

    /// Forgets a client who has nothing here, unless there are few: most come back soon.
    fn forget(&mut self, key: ClientKey) {
        if self.lines.len() > LINES_KEPT && self.lines.get(&key).is_some_and(Line::is_over) {
            self.lines.remove(&key);
        }
    }

    /// Whether no work waits.
    pub fn is_idle(&self) -> bool {
        self.turns.is_empty()
    }

    /// Whether `count` works wait that any worker may take.
    pub fn has_open(&self, count: usize) -> bool {
        let mut open = 0;
        for key in &self.turns {
            if let Some(line) = self.lines.get(key).filter(|line| line.is_open(key, self.share)) {
                open += line.works.len();
            }
            if open >= count {
                return true;
            }
        }
        false
    }
}
