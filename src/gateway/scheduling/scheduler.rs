//! Which worker does what: leader and followers.
//!
//! One worker at a time is the leader: it waits for the events of all connections and does the tasks it finds itself.
//! Followers wait, and are woken when there is much to do. Before a task takes long (a guest that outlives its first fuel
//! slice) its worker lets a follower lead. There is one worker more than guests may run, so one is always left for
//! connections, refusals and `/healthz`.
//!
//! Clients take turns: none has a task done twice in a row while another's waits, and none has more workers
//! than its share.

use super::task::Task;
use super::task_lines::TaskLines;
use crate::base::lock::lock;
use crate::gateway::http::client::{Client, ClientKey};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// So many waiting tasks wake another worker; fewer are done sooner by the worker that is awake.
const HELP: usize = 3;

/// Time between two polls by a leader that may not take the waiting tasks.
const HELD_BACK: Duration = Duration::from_millis(1);

/// What the scheduler knows of a worker.
#[derive(Debug, Default)]
pub struct WorkerState {
    /// Whether it is the leader.
    pub leads: bool,
    has_task: bool,
    /// The clients whose tasks it has taken since its last call of `next`.
    clients: Vec<ClientKey>,
}

/// What a worker does next.
pub enum Step<T> {
    /// Do this task.
    Task(T),
    /// Wait for events, as the leader, and ask again.
    WaitForEvents,
    /// Look for events without waiting, if nobody has for a while, and ask again.
    PollEvents,
    /// End.
    Closed,
}

/// What the workers share: tasks and the leader.
pub struct Scheduler<T> {
    lines: Mutex<TaskLines<T>>,
    wake: Condvar,
}

impl<T: Task> Scheduler<T> {
    /// A scheduler for `guests` at once, `share` of them of one client.
    pub fn new(guests: usize, share: usize) -> Scheduler<T> {
        Scheduler { lines: Mutex::new(TaskLines::new(guests, share)), wake: Condvar::new() }
    }

    /// What `worker` does next. This call also ends its task before.
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
                // All waiting tasks are of clients that have all the workers they may have. Those workers poll for events
                // between two requests: to wake up at each event would only take processor time from them.
                lines.sleepers += 1;
                let slept = self.wake.wait_timeout(lines, HELD_BACK);
                let (woken, timeout) = slept.unwrap_or_else(|poisoned| poisoned.into_inner());
                lines = woken;
                lines.sleepers -= 1;
                if timeout.timed_out() {
                    return Step::PollEvents;
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

    /// Call before a task of `client` takes long: another worker is woken and leads. True if no follower is left, so that the
    /// leader must be woken from waiting for events.
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

    /// Adds tasks that the caller will take itself. If it is busy, another worker is woken for clients that no worker
    /// serves yet.
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

    /// Adds a task, and wakes a worker if needed. True if no follower is left, so that the leader must be woken from waiting
    /// for events.
    #[must_use]
    pub fn push(&self, task: T) -> bool {
        let mut lines = lock(&self.lines);
        lines.add(task);
        // A busy worker will take it, unless all busy workers are at long tasks.
        let nobody = lines.busy == lines.long;
        if nobody || lines.has_open(HELP) {
            self.wake.notify_one();
        }
        nobody && lines.sleepers == 0
    }
}
