//! Who does what: the workers, the work there is, and the lead.
//!
//! The workers take turns at being the leader, who waits for the events of all connections. It works off
//! what it finds itself; others come in when there is much to do. Before a worker is gone for long (a
//! guest that outlives its first fuel slice) it gives the lead away. There is one worker more than guests
//! may run, so one is always left for the door, for refusals and for `/healthz`.
//!
//! Clients take turns: none has its work done twice in a row while another's waits, and none has more workers at
//! work than its share.

use super::lines::{Core, Work};
use crate::gateway::connection::client::{Client, ClientKey};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// So much work waiting brings another worker in; less is done sooner by the one who is at it.
const HELP: usize = 3;

/// Between two looks for events by a leader who may not take the work that waits.
const HELD_BACK: Duration = Duration::from_millis(1);

/// What a worker is to the crew.
#[derive(Debug, Default)]
pub struct Member {
    /// Whether it is the leader.
    pub leads: bool,
    has_work: bool,
    /// The clients that it has taken work of since it last had none.
    clients: Vec<ClientKey>,
}

impl Member {
    /// The clients that it has taken work of since it last had none.
    pub fn clients(&self) -> usize {
        self.clients.len()
    }
}

/// What a worker does next.
pub enum Turn {
    /// This.
    Work(Work),
    /// Wait for events, as the leader, and ask again.
    Lead,
    /// Look for events without waiting, if nobody has for a while, and ask again.
    Look,
    /// Nothing, ever.
    Closed,
}

/// The workers, as far as they must know of each other.
pub struct Crew {
    core: Mutex<Core>,
    wake: Condvar,
}

/// A lock whose holder panicked still guards sound data: every change under these locks is one step.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Crew {
    /// A crew for `guests` at once, `share` of them of one client.
    pub fn new(guests: usize, share: usize) -> Crew {
        Crew { core: Mutex::new(Core::new(guests, share)), wake: Condvar::new() }
    }

    /// What `member` does next. What it did before is done with this call.
    pub fn next(&self, member: &mut Member, closed: impl Fn() -> bool) -> Turn {
        let mut core = lock(&self.core);
        core.busy -= usize::from(std::mem::take(&mut member.has_work));
        core.release(&mut member.clients);
        loop {
            if let Some(work) = if core.may_work() { core.take(&mut member.clients) } else { None } {
                core.busy += 1;
                member.has_work = true;
                if core.may_work() && core.has_open(HELP) {
                    self.wake.notify_one();
                }
                return Turn::Work(work);
            }
            if closed() {
                core.has_leader &= !member.leads;
                self.wake.notify_all();
                return Turn::Closed;
            }
            if member.leads || !core.has_leader {
                core.has_leader = true;
                member.leads = true;
                if core.is_idle() {
                    return Turn::Lead;
                }
                // All that waits is of clients with as many workers as they may have, who look for events between two
                // requests: to wake up at each event would only take the processor from them.
                core.sleepers += 1;
                let slept = self.wake.wait_timeout(core, HELD_BACK);
                let (woken, timeout) = slept.unwrap_or_else(|poisoned| poisoned.into_inner());
                core = woken;
                core.sleepers -= 1;
                if timeout.timed_out() {
                    return Turn::Look;
                }
                continue;
            }
            core.sleepers += 1;
            core = self.wake.wait(core).unwrap_or_else(|poisoned| poisoned.into_inner());
            core.sleepers -= 1;
        }
    }

    /// Gives up the lead, if `member` has it.
    pub fn resign(&self, member: &mut Member) {
        if std::mem::take(&mut member.leads) {
            lock(&self.core).has_leader = false;
            self.wake.notify_one();
        }
    }

    /// More work that is there now, for a worker who has some in hand.
    pub fn one_more(&self, member: &mut Member) -> Option<Work> {
        lock(&self.core).take(&mut member.clients)
    }

    /// To be called before being gone for long with work of `client`: another worker comes in, and takes the lead.
    /// True if only the leader is left and must be woken from waiting for events.
    #[must_use]
    pub fn go_long(&self, member: &mut Member, client: Client) -> bool {
        let mut core = lock(&self.core);
        core.release(&mut member.clients);
        core.go_long(client);
        core.has_leader &= !std::mem::take(&mut member.leads);
        self.wake.notify_one();
        core.sleepers == 0
    }

    /// The end of [`Crew::go_long`].
    pub fn come_back(&self, client: Client) {
        lock(&self.core).come_back(client);
    }

    /// Adds work that whoever calls this will come to itself; another worker comes in for clients of which nobody
    /// has any, if the caller is busy.
    pub fn put(&self, works: impl Iterator<Item = Work>, is_busy: bool) {
        let mut core = lock(&self.core);
        let mut is_new = false;
        for work in works {
            is_new |= core.add(work);
        }
        if is_busy && is_new && core.sleepers > 0 && core.may_work() {
            self.wake.notify_one();
        }
    }

    /// Adds work, and sees to it that someone comes. True if only the leader is left and must be woken from
    /// waiting for events.
    #[must_use]
    pub fn push(&self, work: Work) -> bool {
        let mut core = lock(&self.core);
        core.add(work);
        // Someone who is at work comes back for it, unless all of them are gone for long.
        let nobody = core.busy == core.long;
        if nobody || core.has_open(HELP) {
            self.wake.notify_one();
        }
        nobody && core.sleepers == 0
    }
}
