//! The processes: which are spare, which wait for more calls of their plug-in, and how many there may be.

use super::census::Census;
use super::child::Kind;
use super::image::Image;
use super::process::Process;
use super::wire::Facts;
use crate::abi::Hooks;
use crate::base::lock::lock;
use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

/// A loaded module, as a process found it, and its bytes for those that will run it.
#[derive(Debug)]
pub struct Sealed {
    /// The bytes.
    pub image: Image,
    /// What is known of it.
    pub facts: Facts,
    /// Processes in a row that died while they loaded it.
    pub deaths: AtomicU32,
    /// The time that it took to load and try it.
    pub load_time: Duration,
}

/// A process that is bound to a plug-in.
#[derive(Debug)]
struct Bound {
    process: Process,
    to: Weak<Sealed>,
}

/// What the supervisor is asked for.
#[derive(Debug)]
pub enum Order {
    /// Have enough spares, now.
    Spares,
    /// Have enough spares, and end these processes, in a moment.
    Settle(Vec<Process>),
    /// Wait for the end of this process, which has been killed.
    Bury(std::process::Child),
}

/// The spares of a kind.
#[derive(Debug, Default)]
struct Spares {
    ready: VecDeque<Process>,
    /// Whether there are to be some.
    are_wanted: bool,
}

#[derive(Debug, Default)]
struct State {
    /// By the kind, without directories and with.
    spares: [Spares; 2],
    /// The one that was used last comes last.
    idle: Vec<Bound>,
    /// Processes that run guests.
    busy: usize,
    /// Processes that made room for another one, and are not ended yet.
    displaced: Vec<Process>,
    /// How many times there was no spare to be had, and why the last time.
    failures: (u64, String),
    is_stopped: bool,
}

impl State {
    /// A spare of this kind. From now on there are to be some.
    fn spare(&mut self, kind: Kind) -> Option<Process> {
        let spares = &mut self.spares[kind as usize];
        spares.are_wanted = true;
        spares.ready.pop_front()
    }
}

/// The processes of a gateway or a runner.
#[derive(Debug)]
pub struct Pool {
    state: Mutex<State>,
    changed: Condvar,
    /// Whether there is something for [`Pool::settle`].
    is_unsettled: AtomicBool,
    supervisor: Sender<Order>,
    /// What all of them use.
    pub census: Arc<Census>,
    /// Processes that are bound at a time.
    places: usize,
    /// Spares that are to be there.
    spares: usize,
    /// Whether a process serves one call only.
    is_per_call: bool,
}

/// Bound processes that there may be, idle ones among them, for each that may be busy. With one, who calls as many plug-ins as
/// there are workers displaced everybody else's processes: others waited five times as long.
pub const KEPT: usize = 2;

/// How long a process is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Processor time that a process may use between two looks beside its calls. Its runtime uses next to none.
const IDLE_TIME: Duration = Duration::from_millis(100);

/// Why there is no process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoProcess(pub String);

impl Pool {
    /// Without processes; the receiver's end is the supervisor's.
    pub fn new(supervisor: Sender<Order>, (places, spares): (usize, usize), is_per_call: bool) -> Pool {
        let (state, changed, is_unsettled, census) = Default::default();
        Pool { state, changed, is_unsettled, supervisor, census, places, spares, is_per_call }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// A process for `sealed`, and whether it is bound to it already. It counts as busy until [`Pool::give_back`] or
    /// [`Pool::give_up`]. To be followed by [`Pool::settle`].
    ///
    /// # Errors
    /// There is none, and none can be started.
    pub fn take(
        &self,
        sealed: &Arc<Sealed>,
        kind: Kind,
        hooks: Hooks<'_>,
    ) -> Result<(Process, bool), NoProcess> {
        if let Some(process) = self.take_idle(sealed) {
            return Ok((process, true));
        }
        // Another one has to load the module first.
        let until = Instant::now() + PATIENCE;
        let mut state = self.state();
        let failures = state.failures.0;
        let mut is_long = false;
        loop {
            let must_wait = state.busy >= self.places || state.spares[kind as usize].ready.is_empty();
            if must_wait && !std::mem::replace(&mut is_long, true) {
                // It may be long until a process ends or starts.
                drop(state);
                hooks.long();
                state = self.state();
            }
            if state.busy >= self.places {
                state = self.wait(state, until)?;
            } else if let Some(mut process) = state.spare(kind) {
                state.busy += 1;
                process.is_counted = true;
                let others = (KEPT * self.places).saturating_sub(state.busy);
                if state.idle.len() > others {
                    let oldest = state.idle.remove(0).process;
                    state.displaced.push(oldest);
                }
                self.is_unsettled.store(true, Relaxed);
                return Ok((process, false));
            } else {
                state = self.wait_for_spare(state, failures, until)?;
            }
        }
    }

    /// Has another spare started, and those ended that made room, for what was taken before. To be called once there is a
    /// response, from which it would take processor time.
    pub fn settle(&self) {
        if self.is_unsettled.swap(false, Relaxed) {
            let displaced = std::mem::take(&mut self.state().displaced);
            self.order(Order::Settle(displaced));
        }
    }

    /// A process that is bound to `sealed` and does nothing.
    fn take_idle(&self, sealed: &Arc<Sealed>) -> Option<Process> {
        loop {
            let mut state = self.state();
            if state.busy >= self.places {
                return None;
            }
            let own = state.idle.iter().rposition(|bound| std::ptr::eq(bound.to.as_ptr(), &**sealed))?;
            let mut process = state.idle.remove(own).process;
            state.busy += 1;
            process.is_counted = true;
            drop(state);
            // It may have died, or say what nobody asked for.
            if process.channel.is_quiet() {
                return Some(process);
            }
            self.give_up(process);
        }
    }

    /// A spare process, for what is no run.
    ///
    /// # Errors
    /// As [`Pool::take`].
    pub fn take_spare(&self, kind: Kind) -> Result<Process, NoProcess> {
        let until = Instant::now() + PATIENCE;
        let mut state = self.state();
        let failures = state.failures.0;
        loop {
            if let Some(process) = state.spare(kind) {
                drop(state);
                self.order(Order::Spares);
                return Ok(process);
            }
            state = self.wait_for_spare(state, failures, until)?;
        }
    }

    /// Waits for a change, with a spare ordered; `failures` had been counted before.
    fn wait_for_spare<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        failures: u64,
        until: Instant,
    ) -> Result<MutexGuard<'a, State>, NoProcess> {
        if state.failures.0 > failures {
            return Err(NoProcess(state.failures.1.clone()));
        }
        self.order(Order::Spares);
        self.wait(state, until)
    }

    fn wait<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        until: Instant,
    ) -> Result<MutexGuard<'a, State>, NoProcess> {
        if state.is_stopped {
            return Err(NoProcess("the gateway is stopping".into()));
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(NoProcess(format!("none was there within {} s", PATIENCE.as_secs())));
        }
        let waited = self.changed.wait_timeout(state, left);
        Ok(waited.unwrap_or_else(std::sync::PoisonError::into_inner).0)
    }

    /// Takes back a process that may serve another call of `sealed`; it is ended if it was no run's, and so bound without what
    /// a run needs beside.
    pub fn give_back(&self, mut process: Process, sealed: &Arc<Sealed>) {
        if self.is_per_call || !process.is_counted {
            return self.give_up(process);
        }
        let mut state = self.state();
        state.busy -= 1;
        process.is_counted = false;
        if state.is_stopped {
            drop(state);
            return self.bury(process);
        }
        state.idle.push(Bound { process, to: Arc::downgrade(sealed) });
        drop(state);
        self.changed.notify_all();
    }

    /// Ends a process that was taken.
    pub fn give_up(&self, process: Process) {
        if process.is_counted {
            self.state().busy -= 1;
            self.changed.notify_all();
        }
        self.bury(process);
    }

    /// Kills a process, and has the supervisor wait for its end.
    pub fn bury(&self, process: Process) {
        if let Some(child) = process.kill() {
            self.order(Order::Bury(child));
        }
    }

    /// Ends processes that use processor time though they have nothing to do: guests took them over.
    pub fn end_busy_idlers(&self) {
        let mut state = self.state();
        let mut at = 0;
        let mut ended = Vec::new();
        while at < state.idle.len() {
            // It has one thread, so that its calls account for at most the time that they took.
            if state.idle[at].process.looked_idle() > IDLE_TIME {
                ended.push(state.idle.remove(at));
            } else {
                at += 1;
            }
        }
        drop(state);
        for bound in ended {
            log::warn!("a process for guests that had nothing to do used processor time; it is ended");
            self.bury(bound.process);
        }
    }

    /// Ends processes of plug-ins that are gone or have changed.
    pub fn retire(&self) {
        let mut state = self.state();
        let (kept, gone) = state.idle.drain(..).partition(|bound| bound.to.strong_count() > 0);
        state.idle = kept;
        drop(state);
        let gone: Vec<Bound> = gone;
        gone.into_iter().for_each(|bound| self.bury(bound.process));
    }

    /// A kind of which a spare is missing.
    pub fn missing(&self) -> Option<Kind> {
        let state = self.state();
        let is_missing = |kind: &Kind| {
            let Spares { ready, are_wanted } = &state.spares[*kind as usize];
            *are_wanted && ready.len() < self.spares
        };
        [Kind::Closed, Kind::WithFiles].into_iter().find(is_missing).filter(|_| !state.is_stopped)
    }

    /// Adds a spare, or notes why there is none.
    pub fn add(&self, kind: Kind, started: Result<Process, String>) {
        let mut state = self.state();
        match started {
            Ok(mut process) => {
                process.join(&self.census);
                state.spares[kind as usize].ready.push_back(process);
            }
            Err(failure) => {
                // Once for each reason: whoever asks often must not fill the log.
                if state.failures.1 != failure {
                    log::error!("no process for guests: {failure}");
                }
                state.failures = (state.failures.0 + 1, failure);
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Ends all processes that run nothing; the others end when they are given back.
    pub fn stop(&self) {
        let mut state = self.state();
        state.is_stopped = true;
        let spares = std::mem::take(&mut state.spares).into_iter().flat_map(|spares| spares.ready);
        let idle = std::mem::take(&mut state.idle).into_iter().map(|bound| bound.process);
        let displaced = std::mem::take(&mut state.displaced);
        drop(state);
        self.changed.notify_all();
        spares.chain(idle).chain(displaced).for_each(|process| self.bury(process));
    }

    fn order(&self, order: Order) {
        // Only a panic ends the supervisor; then processes are waited for as they are dropped.
        let _ = self.supervisor.send(order);
    }
}
