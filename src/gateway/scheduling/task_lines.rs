//! Tasks that wait for a worker, in a line for each client.

use super::share::Share;
use super::task::Task;
use crate::gateway::http::client::{Client, ClientKey};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Clients without tasks that are kept.
const LINES_KEPT: usize = 64;

/// The tasks of one client.
struct Line<T> {
    tasks: VecDeque<T>,
    /// Workers that have taken some of these and are not at a long one.
    workers: usize,
    /// Workers that are at a long one.
    long: usize,
    /// What is known of the client.
    share: Option<Arc<Share>>,
}

/// The tasks of all clients, and counts of workers.
pub struct TaskLines<T> {
    lines: HashMap<ClientKey, Line<T>>,
    /// The clients with tasks, in the order of their turns.
    turns: VecDeque<ClientKey>,
    /// Whether there is a leader.
    pub has_leader: bool,
    /// Workers that wait to be woken.
    pub sleepers: usize,
    /// Workers that are at a task.
    pub busy: usize,
    /// Of these, workers at a long task.
    pub long: usize,
    guests: usize,
    share: usize,
}

impl<T> Default for Line<T> {
    fn default() -> Line<T> {
        Line { tasks: VecDeque::new(), workers: 0, long: 0, share: None }
    }
}

impl<T> Line<T> {
    /// Whether one more worker may serve this line, which is that of `client`. A proxy stands for many clients, and may have
    /// all workers.
    fn is_open(&self, client: &ClientKey, share: usize) -> bool {
        // Only guests can take long.
        let is_brief = self.share.as_ref().is_some_and(|share| !share.runs_guests());
        client.is_proxy() || is_brief || self.workers < share.saturating_sub(self.long).max(1)
    }

    fn is_over(&self) -> bool {
        self.tasks.is_empty() && self.workers == 0 && self.long == 0
    }
}

impl<T: Task> TaskLines<T> {
    /// No tasks, for workers that let `guests` run at once, `share` of them of one client.
    pub fn new(guests: usize, share: usize) -> TaskLines<T> {
        TaskLines {
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

    /// Whether one more worker may be busy: as many as guests may still start, and one where none may. More would only
    /// find that their requests must wait.
    pub fn may_work(&self) -> bool {
        self.busy - self.long < self.guests.saturating_sub(self.long).max(1)
    }

    /// Adds a task. True if no worker has any of this client's.
    pub fn add(&mut self, task: T) -> bool {
        let client = task.client();
        let line = self.lines.entry(client.key).or_default();
        task.enqueued();
        if let Some(share) = task.share() {
            line.share.get_or_insert_with(|| Arc::clone(share));
        }
        if line.tasks.is_empty() {
            self.turns.push_back(client.key);
        }
        line.tasks.push_back(task);
        line.workers == 0
    }

    /// The task whose turn it is, for a worker that serves `clients` already; adds this task's client to these.
    pub fn take(&mut self, clients: &mut Vec<ClientKey>) -> Option<T> {
        let is_theirs =
            |key: &ClientKey, line: &Line<T>| line.is_open(key, self.share) || clients.contains(key);
        let at =
            self.turns.iter().position(|key| self.lines.get(key).is_some_and(|line| is_theirs(key, line)))?;
        let key = self.turns.remove(at)?;
        let line = self.lines.get_mut(&key)?;
        let task = line.tasks.pop_front();
        if !line.tasks.is_empty() {
            self.turns.push_back(key);
        }
        if !clients.contains(&key) {
            line.workers += 1;
            clients.push(key);
        }
        task
    }

    /// Notes that a worker no longer serves these clients.
    pub fn release(&mut self, clients: &mut Vec<ClientKey>) {
        for key in clients.drain(..) {
            if let Some(line) = self.lines.get_mut(&key) {
                line.workers -= 1;
                self.forget(key);
            }
        }
    }

    /// Notes that a worker is long at a task of `client`.
    pub fn begin_long(&mut self, client: Client) {
        self.long += 1;
        self.lines.entry(client.key).or_default().long += 1;
    }

    /// Notes that it is back.
    pub fn end_long(&mut self, client: Client) {
        self.long -= 1;
        if let Some(line) = self.lines.get_mut(&client.key) {
            line.long -= 1;
            self.forget(client.key);
        }
    }

    /// Drops a client without tasks, unless there are few: most come back soon.
    fn forget(&mut self, key: ClientKey) {
        if self.lines.len() > LINES_KEPT && self.lines.get(&key).is_some_and(Line::is_over) {
            self.lines.remove(&key);
        }
    }

    /// Whether no task waits.
    pub fn is_idle(&self) -> bool {
        self.turns.is_empty()
    }

    /// Whether `count` tasks wait that any worker may take.
    pub fn has_open(&self, count: usize) -> bool {
        let mut open = 0;
        for key in &self.turns {
            if let Some(line) = self.lines.get(key).filter(|line| line.is_open(key, self.share)) {
                open += line.tasks.len();
            }
            if open >= count {
                return true;
            }
        }
        false
    }
}
