//! Polling for events, accepting connections, and the sweep for what is late.

use super::conn::Conn;
use super::door::Door;
use super::eviction::EVICT_AFTER_MS;
use super::pending::Work;
use super::phase::Phase;
use super::poll::{EventSource, LISTENER, WAKER};
use crate::base::lock::lock;
use crate::gateway::http::client::Client;
use crate::gateway::scheduling::scheduler::{Step, WorkerState};
use mio::net::TcpStream;
use mio::{Interest, Token};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, TryLockError};
use std::time::{Duration, Instant};

/// Longest time between two polls for events, whatever there is to do, in microseconds.
const POLL_EVERY_US: u64 = 1_000;

/// Time between two sweeps for what is late.
const SWEEP: Duration = Duration::from_millis(50);

/// Connections accepted at a time. At a poll each millisecond, more than any client can open.
const ACCEPTS: usize = 64;

/// How long accepting pauses when the system has no descriptor left and nothing can be closed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(EVICT_AFTER_MS);

impl Door {
    /// Call before a request of `client` takes long; `scheduler.end_long()` must follow.
    pub fn begin_long(&self, worker: &mut WorkerState, client: Client) {
        if self.scheduler.begin_long(worker, client) {
            self.wake_leader();
        }
    }

    /// Whether there is nothing more to do: all that clients had connected before the stop is answered, also what waited to be
    /// accepted.
    fn is_closed(&self) -> bool {
        self.is_stopping() && !self.is_listening.load(Ordering::SeqCst) && self.connections() == 0
    }

    /// The next task; none once the door is closed. This call also ends the task before.
    pub fn next(&self, worker: &mut WorkerState) -> Option<Work> {
        loop {
            match self.scheduler.next(worker, || self.is_closed()) {
                Step::Task(work) => return Some(work),
                Step::WaitForEvents => self.poll_events(None, false),
                Step::PollEvents => self.poll_if_due(),
                Step::Closed => return None,
            }
        }
    }

    /// One more task for a worker that has one already; does not wait. The leader polls for events before it gives up.
    pub fn try_next(&self, worker: &mut WorkerState) -> Option<Work> {
        let more = self.scheduler.try_next(worker);
        if more.is_none() && worker.leads {
            self.poll_events(Some(Duration::ZERO), true);
            return self.scheduler.try_next(worker);
        }
        more
    }

    /// Polls for events if nobody has for a while. Call between any two steps: a client that keeps all workers busy must
    /// not keep others from being seen.
    pub fn poll_if_due(&self) {
        let now = self.begin.elapsed().as_micros() as u64;
        if now.saturating_sub(self.polled_us.load(Ordering::Relaxed)) >= POLL_EVERY_US {
            self.poll_events(Some(Duration::ZERO), true);
        }
    }

    /// Whether events are polled and tasks are taken up within `patience`.
    pub fn has_heartbeat(&self, patience: Duration) -> bool {
        let (asked, answer) = sync_channel(1);
        lock(&self.heartbeats).push(asked);
        self.wake_leader();
        answer.recv_timeout(patience).is_ok()
    }

    /// Waits for events, at most `timeout` or until the next sweep. A busy caller does not wait for another that polls.
    pub fn poll_events(&self, timeout: Option<Duration>, is_busy: bool) {
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
        self.polled_us.store(self.begin.elapsed().as_micros() as u64, Ordering::Relaxed);
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
            conn.claim().then_some(Work::Advance(conn))
        });
        let heartbeats = std::mem::take(&mut *lock(&self.heartbeats)).into_iter().map(Work::Heartbeat);
        self.scheduler.put(looks.chain(heartbeats), is_busy);
        // Clients that connected before the stop may have sent a request.
        source.accept_again |= self.is_stopping();
        self.accept(source);
        if self.is_stopping() && (!source.accept_again || self.ends_idle()) {
            source.listener = None;
            self.is_listening.store(false, Ordering::SeqCst);
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

    /// Accepts waiting connections. Without room or a descriptor, another connection is evicted.
    fn accept(&self, source: &mut EventSource) {
        // Open connections must not wait until all new ones are accepted.
        source.full = false;
        for _ in 0..ACCEPTS {
            let Some(listener) = source.listener.as_ref().filter(|_| source.accept_again) else { return };
            if self.is_stuck() {
                // All connections are busy; new ones wait in the system's queue.
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

    fn admit(&self, stream: TcpStream, client: Client) {
        // Responses are written whole, so Nagle's algorithm would only delay them. A socket that cannot be set up belongs to
        // a client that is gone.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        match self.insert(stream, client) {
            Ok(()) => _ = self.counters.accepted.fetch_add(1, Ordering::Relaxed),
            Err(error) => log::warn!("cannot watch a connection: {error}"),
        }
    }

    /// Adds a connection of this process, over which requests of another protocol come. No limit on connections holds for
    /// it: whoever opens it has a limit of its own.
    ///
    /// # Errors
    /// The gateway has stopped accepting; the system cannot watch one more.
    pub fn adopt(&self, stream: UnixStream) -> io::Result<()> {
        if self.is_stopping() {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        stream.set_nonblocking(true)?;
        // A stream is a stream: whatever is done with it after this is done with its descriptor.
        let stream = std::net::TcpStream::from(OwnedFd::from(stream));
        self.insert(TcpStream::from_std(stream), Client::inside())
    }

    fn insert(&self, mut stream: TcpStream, client: Client) -> io::Result<()> {
        let token = self.next_token.fetch_add(1, Ordering::Relaxed);
        let interest = Interest::READABLE | Interest::WRITABLE;
        let mut conns = lock(&self.conns);
        // Under the lock: an event finds the connection.
        self.registry.register(&mut stream, Token(token), interest)?;
        let share = conns.share(client.key);
        conns.insert(Arc::new(Conn::new(token, stream, (client, share), self.now_ms(), &self.limits)));
        Ok(())
    }

    /// Makes late connections tasks, and refuses requests that have waited too long.
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
                self.push(Work::Advance(conn));
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
