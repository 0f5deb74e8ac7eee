//! Admission of requests: at most `--workers` guests run at once, and plug-ins are changed one by one.

use super::door::Door;
use super::pending::{PendingRequest, Work};
use crate::base::lock::lock;
use crate::gateway::http::client::Client;
use crate::gateway::http::message::Response;
use crate::gateway::http::overflow::Answer;
use crate::gateway::http::problem::BUSY;
use crate::gateway::http::route::Class;
use crate::gateway::scheduling::admission::{Admission, Admitted, Occupancy};
use std::sync::{Arc, Mutex};

impl Door {
    fn admission(&self, class: Class) -> &Mutex<Admission<Box<PendingRequest>>> {
        match class {
            Class::Guest => &self.guests,
            Class::Deployment => &self.changes,
        }
    }

    /// Whether a guest of `client` would have to wait for a worker.
    pub fn is_taken_for(&self, client: Client) -> bool {
        lock(&self.guests).is_taken_for(client)
    }

    /// Admits a request, queues it, or gives it back. Another request that makes room for it in the queue is refused.
    pub fn enter(&self, mut pending: Box<PendingRequest>) -> Admitted<Box<PendingRequest>> {
        let Some(class) = pending.request.class().filter(|_| !pending.is_admitted) else {
            return Admitted::Run(pending);
        };
        if class == Class::Guest {
            pending.plugin_limit = self.service.workers_of_plugin(&pending.request);
        }
        let admitted = lock(self.admission(class))
            .enter(pending, |pending| self.service.plugin(&pending.request).unwrap_or_default());
        match admitted {
            Admitted::Run(mut pending) => {
                pending.is_admitted = true;
                Admitted::Run(pending)
            }
            Admitted::Queued(Some(refused)) => {
                self.push(Work::Refuse(refused));
                Admitted::Queued(None)
            }
            other => other,
        }
    }

    /// Notes that an admitted request has ended. Queued requests that may run now become tasks.
    pub fn leave(&self, pending: &mut Box<PendingRequest>) {
        let Some(class) = pending.request.class().filter(|_| pending.is_admitted) else { return };
        pending.is_admitted = false;
        let next = lock(self.admission(class)).leave(pending);
        for mut pending in next {
            pending.is_admitted = true;
            self.push(Work::Serve(pending));
        }
    }

    /// Offers a request that would have to wait, or is to be refused, to other gateways, once. It comes back if it stays here:
    /// there is room for it, or its client has no more than its share.
    pub fn offer(
        self: &Arc<Door>,
        mut pending: Box<PendingRequest>,
        is_refused: bool,
    ) -> Option<Box<PendingRequest>> {
        let Some(overflow) = self.overflow.get() else { return Some(pending) };
        let request = &pending.request;
        let is_own = request.client.is_inside() || request.class() != Some(Class::Guest);
        let Occupancy { running, limit, queued } = self.occupancy();
        let is_full = running >= limit && (queued >= limit || is_refused);
        if pending.was_offered || is_own || !(is_full || self.is_stopping()) {
            return Some(pending);
        }
        pending.was_offered = true;
        let Some(pass_on) = overflow.prepare(&pending.request, pending.begin) else { return Some(pending) };
        let door = Arc::clone(self);
        pass_on(Answer::new(move |response| door.push(Work::Answer(pending, response.map(Box::new)))));
        None
    }

    /// Refuses all requests that wait.
    pub fn refuse_waiting(&self) {
        for admission in [&self.guests, &self.changes] {
            loop {
                let waiting = lock(admission).take_any();
                let Some(pending) = waiting else { break };
                self.push(Work::Refuse(pending));
            }
        }
    }

    /// The response to a request that was not admitted in time, or that the full queue did not take.
    pub fn busy(&self, pending: &PendingRequest) -> Response {
        let what = if pending.request.class() == Some(Class::Deployment) {
            "other changes of plug-ins are being made; try again".into()
        } else {
            let (workers, limits) = (self.occupancy().limit, &self.limits);
            format!(
                "no guest ended in time: {workers} run at once (--workers), {} of one client (--client-share), and {} \
                 requests wait (--queue), {:?} at most (--queue-timeout); try again",
                limits.workers_of_one(workers),
                limits.queue,
                limits.queue_timeout
            )
        };
        Response::problem(BUSY, &what)
    }
}
