//! Events of the listener and of all connections: who waits for them, and what comes of each.

use super::conn::Conn;
use super::door::Door;
use super::eviction::EVICT_AFTER_MS;
use super::pending::Work;
use super::phase::Phase;
use super::poll::{EventSource, LISTENER, WAKER};
use crate::gateway::http::client::Client;
use crate::gateway::lock::lock;
use crate::gateway::scheduling::scheduler::{Step, WorkerState};
use mio::net::TcpStream;
use mio::{Interest, Token};
use std::io;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, TryLockError};
use std::time::{Duration, Instant};

/// Time between two looks for events, whatever there is to do, in microseconds.
const LOOK_EVERY_US: u64 = 1_000;

/// Time between two looks at what is late.
const SWEEP: Duration = Duration::from_millis(50);

/// Connections taken at a time. At a look each millisecond, more than any client can open.
const ACCEPTS: usize = 64;

/// How long accepting pauses when the system has no descriptor left and nothing can be closed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(EVICT_AFTER_MS);

impl Door {
    /// To be called before being long at a request of `client`, and to be followed by `scheduler.end_long()`.
    pub fn begin_long(&self, worker: &mut WorkerState, client: Client) {
        if self.scheduler.begin_long(worker, client) {
            self.wake_leader();
        }
    }

    /// The next thing to do, or none when the door is closed. What was done before is done with this call.
    pub fn next(&self, worker: &mut WorkerState) -> Option<Work> {
        loop {
            match self.scheduler.next(worker, || self.is_stopping() && self.connections() == 0) {
                Step::Task(work) => return Some(work),
                Step::WaitForEvents => self.look_for_events(None, false),
                Step::LookForEvents => self.look_if_due(),
                Step::Closed => return None,
            }
        }
    }

    /// Something more to do for a worker who has something in hand already; does not source. The leader
    /// looks for events before it says that there is nothing.
    pub fn try_next(&self, worker: &mut WorkerState) -> Option<Work> {
        let more = self.scheduler.try_next(worker);
        if more.is_none() && worker.leads {
            self.look_for_events(Some(Duration::ZERO), true);
            return self.scheduler.try_next(worker);
        }
        more
    }

    /// Looks for events if nobody has for a while. To be called between any two things to do: a client who always has
    /// something to do for everyone must not keep others from being seen.
    pub fn look_if_due(&self) {
        let now = self.begin.elapsed().as_micros() as u64;
        if now.saturating_sub(self.looked_us.load(Ordering::Relaxed)) >= LOOK_EVERY_US {
            self.look_for_events(Some(Duration::ZERO), true);
        }
    }

    /// Whether events are looked for, and what they tell is taken up, within `patience`.
    pub fn has_heartbeat(&self, patience: Duration) -> bool {
        let (asked, answer) = sync_channel(1);
        lock(&self.heartbeats).push(asked);
        self.wake_leader();
        answer.recv_timeout(patience).is_ok()
    }

    /// Waits for events, at most `timeout` or until something is late. A caller that is busy does not wait for another
    /// who looks already.
    pub fn look_for_events(&self, timeout: Option<Duration>, is_busy: bool) {
        let mut source = if is_busy {
            match self.events.try_lock() {
                Ok(source) => source,
                Err(TryLockError::WouldBlock) => return,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            }
        } else {
            lock(&self.events)
        };
        let source = &mut *source;
        let timeout = if timeout.is_some() {
            timeout
        } else if source.accept_again && source.listener.is_some() {
            Some(if source.full { ACCEPT_PAUSE } else { Duration::ZERO })
        } else if self.connections() > 0 || self.is_stopping() {
            Some(SWEEP)
        } else {
            None
        };
        let polled = source.poll.poll(&mut source.events, timeout);
        self.looked_us.store(self.begin.elapsed().as_micros() as u64, Ordering::Relaxed);
        if let Err(error) = polled {
            if error.kind() != io::ErrorKind::Interrupted {
                log::error!("waiting for events failed: {error}");
                std::thread::sleep(ACCEPT_PAUSE);
            }
            return;
        }
        let found = self.found(source);
        let looks = found.into_iter().filter_map(|conn| {
            conn.mark();
            conn.claim().then_some(Work::Look(conn))
        });
        let heartbeats = std::mem::take(&mut *lock(&self.heartbeats)).into_iter().map(Work::Heartbeat);
        self.scheduler.put(looks.chain(heartbeats), is_busy);
        // Who has connected before the end may have sent a request already.
        source.accept_again |= self.is_stopping();
        self.accept(source);
        if self.is_stopping() && (!source.accept_again || self.ends_idle()) {
            source.listener = None;
        }
        if source.last_sweep.elapsed() >= SWEEP || self.is_stopping() {
            source.last_sweep = Instant::now();
            self.sweep();
        }
    }

    /// The connections that events are about.
    fn found(&self, source: &mut EventSource) -> Vec<Arc<Conn>> {
        let mut found = Vec::new();
        let conns = lock(&self.conns);
        for event in &source.events {
            match event.token() {
                LISTENER => source.accept_again = true,
                WAKER => {}
                Token(token) => {
                    let conn = conns.get(token);
                    conn.filter(|_| event.is_read_closed()).inspect(|conn| conn.hang_up());
                    found.extend(conn.cloned());
                }
            }
        }
        found
    }

    /// Takes the connections that are there. With no room or no descriptor, another one makes place.
    fn accept(&self, source: &mut EventSource) {
        // What is to be done for those who are in must not wait for everyone who wants to be.
        source.full = false;
        for _ in 0..ACCEPTS {
            let Some(listener) = source.listener.as_ref().filter(|_| source.accept_again) else { return };
            if self.is_stuck() {
                // Everyone is being served; whoever comes next waits in the system's queue.
                source.full = true;
                return;
            }
            match listener.accept() {
                Ok((stream, client)) => {
                    let client = Client::new(client.ip(), &self.proxies);
                    if self.make_room(client) {
                        self.admit(stream, client);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => source.accept_again = false,
                Err(error) if is_transient(&error) => {}
                Err(error) => {
                    // No descriptor or no memory: make room, or else try again after a pause.
                    if !self.evict_any() {
                        log::warn!("cannot accept a connection: {error}");
                        source.full = true;
                        return;
                    }
                }
            }
        }
    }

    fn admit(&self, mut stream: TcpStream, client: Client) {
        // Answers are written whole, so waiting to fill a packet only delays them. A socket that cannot
        // be set up belongs to a client that is gone.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let token = self.next_token.fetch_add(1, Ordering::Relaxed);
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.registry.register(&mut stream, Token(token), interest) {
            log::warn!("cannot watch a connection: {error}");
            return;
        }
        let mut conns = lock(&self.conns);
        let share = conns.share(client.key);
        conns.insert(Arc::new(Conn::new(token, stream, (client, share), self.now_ms(), &self.limits)));
        drop(conns);
        self.counters.accepted.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives late connections to the workers, and ends the wait of late requests.
    fn sweep(&self) {
        let now = self.now_ms();
        let ends_idle = self.ends_idle();
        let late: Vec<_> = lock(&self.conns)
            .iter()
            .filter(|conn| conn.is_late(now) || (ends_idle && conn.phase() == Phase::Idle))
            .cloned()
            .collect();
        for conn in late {
            if conn.claim() {
                self.push(Work::Look(conn));
            }
        }
        for admission in [&self.guests, &self.changes] {
            loop {
                let late = lock(admission).take_late();
                let Some(pending) = late else { break };
                self.push(Work::Refuse(pending));
            }
        }
    }
}

/// Errors of `accept` that concern the one connection only (accept(2)).
fn is_transient(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, PermissionDenied, TimedOut};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted | PermissionDenied | TimedOut)
}
