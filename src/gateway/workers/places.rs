//! Places at work, as the door gives them: among the running guests, and at the desk where plug-ins are changed.

use super::admission::{Admission, Crowd, Waiting};
use super::lines::Work;
use super::scheduler::lock;
use crate::gateway::connection::client::Client;
use crate::gateway::connection::event_loop::Door;
use crate::gateway::connection::pending::{Place, Ready};
use crate::gateway::routes::execute::share_of;

impl Door {
    /// How many guests are at work, and how many requests wait.
    pub fn crowd(&self) -> Crowd {
        lock(&self.gate).crowd()
    }

    /// Whether a request of `client` would have to wait for a place among the running guests.
    pub fn is_taken_for(&self, client: Client) -> bool {
        lock(&self.gate).is_taken_for(client)
    }

    /// Asks for the place that a request needs. One that has to make room for it is refused.
    pub fn enter(&self, mut waiting: Waiting) -> Admission {
        let gate = if waiting.ready.place() == Some(Place::Desk) {
            &self.desk_gate
        } else {
            let runner = self.tally.runner.as_ref().filter(|runner| runner.plugins().has_shares());
            waiting.ready.share = runner.and_then(|runner| share_of(runner, &waiting.ready));
            &self.gate
        };
        let plugin = |ready: &Ready| self.tally.plugin_of(&ready.target).map(|plugin| plugin.name.clone());
        let mut admission = lock(gate).enter(waiting, |ready| plugin(ready).unwrap_or_default());
        if let Admission::Queued { refused, .. } = &mut admission
            && let Some(refused) = refused.take()
        {
            self.push(Work::Refuse(refused));
        }
        admission
    }

    /// Gives the place of a request back, to that which has waited longest.
    pub fn leave(&self, ready: &Ready) {
        let gate = match ready.place() {
            None => return,
            Some(Place::Guest) => &self.gate,
            Some(Place::Desk) => &self.desk_gate,
        };
        let next = lock(gate).leave(ready);
        for waiting in next {
            self.push(Work::Run(Box::new(waiting)));
        }
    }
}
