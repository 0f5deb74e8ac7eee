//! How many guests run at once, and who waits for a place: a bounded queue with a bounded wait.

use super::conn::Conn;
use super::lane::Message;
use super::ready::Ready;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

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
}

impl Gate {
    /// A gate with `places`, before which at most `queue_max` wait, each at most `patience`.
    pub fn new(places: usize, queue_max: usize, patience: Duration) -> Gate {
        Gate { places, free: places, queue: VecDeque::new(), queue_max, patience }
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
        if self.free > 0 {
            self.free -= 1;
            return Admission::Run(Box::new(waiting));
        }
        if self.queue.len() >= self.queue_max {
            return Admission::Full(Box::new(waiting));
        }
        let message = waiting.message.clone();
        self.queue.push_back(waiting);
        Admission::Queued(message)
    }

    /// Gives a place back. If someone waits, the place is theirs at once.
    pub fn leave(&mut self) -> Option<Waiting> {
        let next = self.queue.pop_front();
        self.free += usize::from(next.is_none());
        next
    }

    /// Takes one that has waited too long out of the queue.
    pub fn take_late(&mut self) -> Option<Waiting> {
        let late = self.queue.front().is_some_and(|waiting| waiting.begin.elapsed() >= self.patience);
        if late { self.queue.pop_front() } else { None }
    }
}
