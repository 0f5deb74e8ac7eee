//! Which worker does what: leader and followers.
//!
//! The workers take turns at being the leader, who waits for the events of all connections and works off what it finds
//! itself; followers wait, and are woken when there is much to do. Before a worker is gone for long (a
//! guest that outlives its first fuel slice) it lets a follower lead. There is one worker more than guests
//! may run, so one is always left for the door, for refusals and for `/healthz`.
//!
//! Clients take turns: none has a task done twice in a row while another's waits, and none has more workers
//! than its share.

use super::task::Task;
use super::task_lines::TaskLines;
use crate::gateway::http::client::{Client, ClientKey};
use crate::gateway::lock::lock;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// So many tasks waiting bring another worker in; fewer are done sooner by the one who is at it.
const HELP: usize = 3;

/// Between two looks for events by a leader who may not take the tasks that wait.
const HELD_BACK: Duration = Duration::from_millis(1);

/// What the scheduler knows of a worker.
#[derive(Debug, Default)]
pub struct WorkerState {
    /// Whether it is the leader.
    pub leads: bool,
    has_task: bool,
    /// The clients that it has taken tasks of since it last had none.
    clients: Vec<ClientKey>,
}

/// What a worker does next.
pub enum Step<T> {
    /// This.
    Task(T),
    /// Wait for events, as the leader, and ask again.
    WaitForEvents,
    /// Look for events without waiting, if nobody has for a while, and ask again.
    LookForEvents,
    /// Nothing, ever.
    Closed,
}

/// The workers, as far as they must know of each other.
pub struct Scheduler<T> {
    lines: Mutex<TaskLines<T>>,
    wake: Condvar,
}

impl<T: Task> Scheduler<T> {
    /// A scheduler for `guests` at once, `share` of them of one client.
    pub fn new(guests: usize, share: usize) -> Scheduler<T> {
        Scheduler { lines: Mutex::new(TaskLines::new(guests, share)), wake: Condvar::new() }
    }

    /// What `worker` does next. What it did before is done with this call.
    pub fn next(&self, worker: &mut WorkerState, closed: impl Fn() -> bool) -> Step<T> {
        let mut lines = lock(&self.lines);
        lines.busy -= usize::from(std::mem::take(&mut worker.has_task));
        lines.release(&mut worker.clients);
        loop {
            if let Some(task) = if lines.may_work() { lines.take(&mut worker.clients) } else { None } {
                lines.busy += 1;
                worker.has_task = true;
                if lines.may_work() && lines.has_open(HELP) {
                    self.wake.notify_one();
                }
                return Step::Task(task);
            }
            if closed() {
                lines.has_leader &= !worker.leads;
                self.wake.notify_all();
                return Step::Closed;
            }
            if worker.leads || !lines.has_leader {
                lines.has_leader = true;
                worker.leads = true;
                if lines.is_idle() {
                    return Step::WaitForEvents;
                }
                // All that waits is of clients with as many workers as they may have, who look for events between two
                // requests: to wake up at each event would only take the processor from them.
                lines.sleepers += 1;
                let slept = self.wake.wait_timeout(lines, HELD_BACK);
                let (woken, timeout) = slept.unwrap_or_else(|poisoned| poisoned.into_inner());
                lines = woken;
                lines.sleepers -= 1;
                if timeout.timed_out() {
                    return Step::LookForEvents;
                }
                continue;
            }
            lines.sleepers += 1;
            lines = self.wake.wait(lines).unwrap_or_else(|poisoned| poisoned.into_inner());
            lines.sleepers -= 1;
        }
    }

    /// Gives up the lead, if `worker` has it.
    pub fn resign(&self, worker: &mut WorkerState) {
        if std::mem::take(&mut worker.leads) {
            lock(&self.lines).has_leader = false;
            self.wake.notify_one();
        }
    }

    /// One more task, if there is any now, for a worker who is at some.
    pub fn try_next(&self, worker: &mut WorkerState) -> Option<T> {
        lock(&self.lines).take(&mut worker.clients)
    }

    /// To be called before being long at a task of `client`: another worker comes in, and takes the lead.
    /// True if only the leader is left and must be woken from waiting for events.
    #[must_use]
    pub fn begin_long(&self, worker: &mut WorkerState, client: Client) -> bool {
        let mut lines = lock(&self.lines);
        lines.release(&mut worker.clients);
        lines.begin_long(client);
        lines.has_leader &= !std::mem::take(&mut worker.leads);
        self.wake.notify_one();
        lines.sleepers == 0
    }

    /// The end of [`Scheduler::begin_long`].
    pub fn end_long(&self, client: Client) {
        lock(&self.lines).end_long(client);
    }

    /// Adds tasks that whoever calls this will come to itself; another worker comes in for clients of which nobody
    /// has any, if the caller is busy.
    pub fn put(&self, tasks: impl Iterator<Item = T>, is_busy: bool) {
        let mut lines = lock(&self.lines);
        let mut is_new = false;
        for task in tasks {
            is_new |= lines.add(task);
        }
        if is_busy && is_new && lines.sleepers > 0 && lines.may_work() {
            self.wake.notify_one();
        }
    }

    /// Adds a task, and sees to it that someone comes. True if only the leader is left and must be woken from
    /// waiting for events.
    #[must_use]
    pub fn push(&self, task: T) -> bool {
        let mut lines = lock(&self.lines);
        lines.add(task);
        // Someone who is at work comes back for it, unless all of them are gone for long.
        let nobody = lines.busy == lines.long;
        if nobody || lines.has_open(HELP) {
            self.wake.notify_one();
        }
        nobody && lines.sleepers == 0
    }
}
