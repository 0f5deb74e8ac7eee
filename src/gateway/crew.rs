//! Who does what: the workers, the work there is, and the lead.
//!
//! The workers take turns at being the leader, who waits for the events of all connections. It works off
//! what it finds itself; others come in when there is much to do. Before a worker is gone for long (a
//! guest that outlives its first fuel slice) it gives the lead away. There is one worker more than guests
//! may run, so one is always left for the door, for refusals and for `/healthz`.

use super::conn::Conn;
use super::gate::Waiting;
use std::collections::VecDeque;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// So much work waiting brings another worker in; less is done sooner by the one who is at it.
const HELP: usize = 3;

/// Something for a worker to do.
pub enum Work {
    /// Look at a connection, which is claimed.
    Look(Arc<Conn>),
    /// Run a request whose turn has come; the place among the running guests is already its.
    Run(Box<Waiting>),
    /// Refuse a request whose turn has not come in time.
    Expire(Box<Waiting>),
    /// Begin again with a request that was handed to a worker who is gone for long.
    Again(Box<Waiting>),
    /// Say that there is somebody at work.
    Pulse(SyncSender<()>),
}

/// What a worker is to the crew.
#[derive(Debug, Default)]
pub struct Member {
    /// Whether it is the leader.
    pub leads: bool,
    has_work: bool,
}

/// What a worker does next.
pub enum Turn {
    /// This.
    Work(Work),
    /// Wait for events, as the leader, and ask again.
    Lead,
    /// Nothing, ever.
    Closed,
}

#[derive(Default)]
struct Core {
    work: VecDeque<Work>,
    has_leader: bool,
    sleepers: usize,
    /// Workers that have work in hand, and those among them that are gone for long.
    busy: usize,
    long: usize,
}

/// The workers, as far as they must know of each other.
pub struct Crew {
    core: Mutex<Core>,
    wake: Condvar,
    guests: usize,
}

/// A lock whose holder panicked still guards sound data: every change under these locks is one step.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Crew {
    /// A crew for `guests` at once.
    pub fn new(guests: usize) -> Crew {
        Crew { core: Mutex::default(), wake: Condvar::new(), guests }
    }

    /// What `member` does next. What it did before is done with this call.
    ///
    /// As many workers as guests may run are at work at once: one more would only find that there is no
    /// place for its request. The last one comes in when another is gone for long.
    pub fn next(&self, member: &mut Member, closed: impl Fn() -> bool) -> Turn {
        let mut core = lock(&self.core);
        core.busy -= usize::from(std::mem::take(&mut member.has_work));
        loop {
            let may_work = core.busy - core.long < self.guests;
            if let Some(work) = if may_work { core.work.pop_front() } else { None } {
                core.busy += 1;
                member.has_work = true;
                if core.work.len() >= HELP && core.busy - core.long < self.guests {
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
                return Turn::Lead;
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
    pub fn one_more(&self) -> Option<Work> {
        lock(&self.core).work.pop_front()
    }

    /// To be called before being gone for long: another worker comes in, and takes the lead. True if only
    /// the leader is left and must be woken from waiting for events.
    #[must_use]
    pub fn go_long(&self, member: &mut Member) -> bool {
        let mut core = lock(&self.core);
        core.long += 1;
        core.has_leader &= !std::mem::take(&mut member.leads);
        self.wake.notify_one();
        core.sleepers == 0
    }

    /// The end of [`Crew::go_long`].
    pub fn come_back(&self) {
        lock(&self.core).long -= 1;
    }

    /// Adds work that whoever calls this will come to itself.
    pub fn put(&self, work: impl Iterator<Item = Work>) {
        lock(&self.core).work.extend(work);
    }

    /// Adds work, and sees to it that someone comes. True if only the leader is left and must be woken from
    /// waiting for events.
    #[must_use]
    pub fn push(&self, work: Work) -> bool {
        let mut core = lock(&self.core);
        core.work.push_back(work);
        // Someone who is at work comes back for it, unless all of them are gone for long.
        let nobody = core.busy == core.long;
        if nobody || core.work.len() >= HELP {
            self.wake.notify_one();
        }
        nobody && core.sleepers == 0
    }
}
