//! Places at work, as the door gives them: among the running guests, and at the desk where plug-ins are changed.

use super::crew::{Work, lock};
use super::door::Door;
use super::gate::{Admission, Crowd, Waiting};
use super::ready::{Place, Ready};
use super::routes::share_of;

impl Door {
    /// How many guests are at work, and how many requests wait.
    pub fn crowd(&self) -> Crowd {
        lock(&self.gate).crowd()
    }

    /// Whether requests wait for a place among the running guests.
    pub fn has_queue(&self) -> bool {
        lock(&self.gate).has_queue()
    }

    /// Asks for the place that a request needs.
    pub fn enter(&self, mut waiting: Waiting) -> Admission {
        if waiting.ready.place() == Some(Place::Desk) {
            return lock(&self.desk_gate).enter(waiting);
        }
        let runner = self.tally.runner.as_ref().filter(|runner| runner.plugins().has_shares());
        waiting.ready.share = runner.and_then(|runner| share_of(runner, &waiting.ready));
        lock(&self.gate).enter(waiting)
    }

    /// Gives the place of a request back, to that which has waited longest.
    pub fn leave(&self, ready: &Ready) {
        let gate = match ready.place() {
            None => return,
            Some(Place::Guest) => &self.gate,
            Some(Place::Desk) => &self.desk_gate,
        };
        let next = lock(gate).leave(ready);
        if let Some(waiting) = next {
            self.push(Work::Run(Box::new(waiting)));
        }
    }
}
