//! How many guests run at once, and who waits for a place: a bounded queue with a bounded wait.

use super::conn::Conn;
use super::lane::Message;
use super::ready::Ready;
use std::collections::{HashMap, VecDeque};
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
    /// It waits. This is its message, for the lane that it must leave.
    Queued(Message),
    /// The queue is full.
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
    places: usize,
    free: usize,
    queue: VecDeque<Waiting>,
    queue_max: usize,
    patience: Duration,
    /// Of the plug-ins that may not have all places, how many each has.
    held: HashMap<String, usize>,
}

impl Gate {
    /// A gate with `places`, before which at most `queue_max` wait, each at most `patience`.
    pub fn new(places: usize, queue_max: usize, patience: Duration) -> Gate {
        Gate { places, free: places, queue: VecDeque::new(), queue_max, patience, held: HashMap::new() }
    }

    /// A gate for changes of plug-ins.
    pub fn of_desk() -> Gate {
        Gate::new(DESK_PLACES, DESK_QUEUE, DESK_PATIENCE)
    }

    /// How many there are of whom.
    pub fn crowd(&self) -> Crowd {
        Crowd { running: self.places - self.free, places: self.places, queued: self.queue.len() }
    }

    /// Whether requests wait for a place.
    pub fn has_queue(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Asks for a place.
    pub fn enter(&mut self, waiting: Waiting) -> Admission {
        if self.free > 0 && self.may_begin(&waiting.ready) {
            self.begin(&waiting.ready);
            return Admission::Run(Box::new(waiting));
        }
        if self.queue.len() >= self.queue_max || self.has_half_of_queue(&waiting.ready) {
            return Admission::Full(Box::new(waiting));
        }
        let message = waiting.message.clone();
        self.queue.push_back(waiting);
        Admission::Queued(message)
    }

    /// Gives the place of `ready` back. If someone waits who may have it, the place is theirs at once.
    pub fn leave(&mut self, ready: &Ready) -> Option<Waiting> {
        self.free += 1;
        if let Some((name, _)) = &ready.share
            && let Some(held) = self.held.get_mut(name)
        {
            *held -= 1;
            if *held == 0 {
                self.held.remove(name);
            }
        }
        let next = self.queue.iter().position(|waiting| self.may_begin(&waiting.ready))?;
        let next = self.queue.remove(next)?;
        self.begin(&next.ready);
        Some(next)
    }

    fn may_begin(&self, ready: &Ready) -> bool {
        ready.share.as_ref().is_none_or(|(name, most)| self.held.get(name).is_none_or(|held| held < most))
    }

    fn begin(&mut self, ready: &Ready) {
        self.free -= 1;
        if let Some((name, _)) = &ready.share {
            *self.held.entry(name.clone()).or_default() += 1;
        }
    }

    /// Whether one plug-in that may not have all places has half of the queue: the rest is left to others, who may
    /// begin sooner.
    fn has_half_of_queue(&self, ready: &Ready) -> bool {
        let Some((name, _)) = &ready.share else { return false };
        let is_same =
            |waiting: &&Waiting| waiting.ready.share.as_ref().is_some_and(|(other, _)| other == name);
        self.queue.iter().filter(is_same).count() >= self.queue_max.div_ceil(2)
    }

    /// Takes one that has waited too long out of the queue.
    pub fn take_late(&mut self) -> Option<Waiting> {
        let late = self.queue.front().is_some_and(|waiting| waiting.begin.elapsed() >= self.patience);
        if late { self.queue.pop_front() } else { None }
    }
}
