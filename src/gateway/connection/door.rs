//! The front door: all client connections, without a thread for each, and the state that workers share.
//!
//! Of requests it knows only what `http::service` says.

use super::conn::Conn;
use super::conns::Conns;
use super::counters::ConnectionCounters;
use super::pending::{PendingRequest, Work};
use super::poll::{EventSource, FIRST_CONN};
use crate::base::limits::DoorLimits;
use crate::base::lock::lock;
use crate::gateway::http::client::Network;
use crate::gateway::http::overflow::Overflow;
use crate::gateway::http::request_id::Ids;
use crate::gateway::http::service::{Service, Status};
use crate::gateway::scheduling::admission::{Admission, Occupancy};
use crate::gateway::scheduling::scheduler::Scheduler;
use mio::net::TcpListener;
use mio::{Registry, Waker};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// Length of the system's accept queue (it may allow fewer). When the queue is full a client tries again only after a
/// second, and the standard library's 128 are full in a burst.
const BACKLOG: i32 = 1024;

/// How long connections without a request are kept open while the gateway stops, in milliseconds: a request may be on its
/// way.
const DRAIN_IDLE_MS: u64 = 1_000;

/// Changes of plug-ins made at a time, queued, and how long they wait: compiling takes long, and happens under the
/// folder's lock.
const CHANGES: usize = 1;
const CHANGES_QUEUE: usize = 8;
const CHANGES_PATIENCE: Duration = Duration::from_secs(10);

/// What the workers share.
pub struct Door {
    /// The limits.
    pub limits: DoorLimits,
    /// Serves the requests.
    pub service: Box<dyn Service>,
    /// Gives tasks to workers.
    pub scheduler: Scheduler<Work>,
    /// Proxies whose `Forwarded` headers are believed.
    pub proxies: Vec<Network>,
    pub(crate) events: Mutex<EventSource>,
    /// When events were last looked for, in microseconds of the door's clock.
    pub(crate) polled_us: AtomicU64,
    /// Waiters of [`Door::has_heartbeat`].
    pub(crate) heartbeats: Mutex<Vec<SyncSender<()>>>,
    waker: Waker,
    pub(crate) registry: Registry,
    pub(crate) conns: Mutex<Conns>,
    pub(crate) next_token: AtomicUsize,
    /// The guests that run and the requests that wait for one to end.
    pub(crate) guests: Mutex<Admission<Box<PendingRequest>>>,
    /// The same of changes of plug-ins.
    pub(crate) changes: Mutex<Admission<Box<PendingRequest>>>,
    pub(crate) held_bytes: AtomicUsize,
    /// Of these, bytes that are about to be freed.
    pub(crate) leaving_bytes: AtomicUsize,
    pub(crate) begin: Instant,
    /// When it began to stop, in milliseconds of its clock, plus 1; 0 before that.
    stopping_since: AtomicU64,
    /// Whether the listening socket is still open.
    pub(crate) is_listening: AtomicBool,
    /// Whether it is about to stop.
    is_leaving: AtomicBool,
    /// Who takes the requests that there is no free worker for, if anybody does.
    pub overflow: OnceLock<Box<dyn Overflow>>,
    /// The names of requests.
    pub ids: Ids,
    /// Counters of connections.
    pub counters: ConnectionCounters,
}

impl Door {
    /// A front door on `listener`; `guests` run at once.
    ///
    /// # Errors
    /// The system gives no poll.
    pub fn new(
        listener: std::net::TcpListener,
        (limits, proxies): (DoorLimits, Vec<Network>),
        guests: usize,
        service: Box<dyn Service>,
    ) -> io::Result<Door> {
        listener.set_nonblocking(true)?;
        rustix::net::listen(&listener, BACKLOG)?;
        let (events, registry, waker) = EventSource::new(TcpListener::from_std(listener))?;
        let share = limits.workers_of_one(guests);
        Ok(Door {
            scheduler: Scheduler::new(guests, share),
            guests: Mutex::new(Admission::new((guests, share), limits.queue, limits.queue_timeout)),
            changes: Mutex::new(Admission::new((CHANGES, CHANGES), CHANGES_QUEUE, CHANGES_PATIENCE)),
            limits,
            service,
            proxies,
            events: Mutex::new(events),
            polled_us: AtomicU64::new(0),
            heartbeats: Mutex::default(),
            waker,
            registry,
            conns: Mutex::default(),
            next_token: AtomicUsize::new(FIRST_CONN),
            held_bytes: AtomicUsize::new(0),
            leaving_bytes: AtomicUsize::new(0),
            begin: Instant::now(),
            stopping_since: AtomicU64::new(0),
            is_listening: AtomicBool::new(true),
            is_leaving: AtomicBool::new(false),
            overflow: OnceLock::new(),
            ids: Ids::default(),
            counters: ConnectionCounters::default(),
        })
    }

    /// Milliseconds of the door's clock.
    pub fn now_ms(&self) -> u64 {
        self.begin.elapsed().as_millis() as u64
    }

    /// Whether the gateway is stopping.
    pub fn is_stopping(&self) -> bool {
        self.stopping_since.load(Ordering::SeqCst) > 0
    }

    /// Whether it has been stopping for long enough that connections without a request end, too.
    pub fn ends_idle(&self) -> bool {
        let since = self.stopping_since.load(Ordering::SeqCst);
        since > 0 && self.now_ms() >= since + DRAIN_IDLE_MS
    }

    /// Has readiness say that the gateway is about to stop; nothing else changes.
    pub fn announce_stop(&self) {
        self.is_leaving.store(true, Ordering::SeqCst);
    }

    /// Stops accepting; connections end with the request they are at, or with their next one, or after a second.
    pub fn stop(&self) {
        let _ =
            self.stopping_since.compare_exchange(0, self.now_ms() + 1, Ordering::SeqCst, Ordering::SeqCst);
        self.wake_leader();
    }

    /// Open connections.
    pub fn connections(&self) -> usize {
        lock(&self.conns).len()
    }

    /// Bytes counted against the budget.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes.load(Ordering::Relaxed)
    }

    /// The guests that run, and the requests that wait for one to end.
    pub fn occupancy(&self) -> Occupancy {
        lock(&self.guests).occupancy()
    }

    /// The gateway's state, for metrics and readiness.
    pub fn status(&self) -> Status {
        let Occupancy { running, limit, queued } = self.occupancy();
        let (connections, clients) = {
            let conns = lock(&self.conns);
            (conns.len(), conns.clients().count())
        };
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (limits, counters) = (&self.limits, &self.counters);
        Status {
            is_stopping: self.is_leaving.load(Ordering::SeqCst) || self.is_stopping(),
            running,
            workers: limit,
            client_workers: limits.workers_of_one(limit),
            queued,
            queue_limit: limits.queue,
            connections,
            connections_limit: limits.connections,
            clients,
            client_connections_limit: limits.connections_of_one(),
            buffered: self.held_bytes(),
            buffered_limit: limits.budget_bytes,
            accepted: count(&counters.accepted),
            refused: count(&counters.refused),
            evicted_for_room: count(&counters.evicted_for_room),
            evicted_for_share: count(&counters.evicted_for_share),
            evicted_for_budget: count(&counters.evicted_for_budget),
        }
    }

    /// Adds something to do.
    pub(crate) fn push(&self, work: Work) {
        if self.scheduler.push(work) {
            self.wake_leader();
        }
    }

    pub(crate) fn wake_leader(&self) {
        // Fails only when the system is out of memory; the leader then looks at its next sweep.
        let _ = self.waker.wake();
    }

    /// Closes a connection that the caller has claimed; it stays claimed, so nobody handles it again.
    pub fn close(&self, conn: &Conn) {
        // Closing the socket takes it out of the poll.
        lock(&conn.buffers).close();
        self.hold(conn, 0);
        lock(&self.conns).remove(conn);
    }

    /// Counts the `held` bytes of a connection, instead of what it was counted with so far.
    pub(crate) fn hold(&self, conn: &Conn, held: usize) {
        let (before, leaving) = conn.hold(held);
        if leaving > 0 {
            self.leaving_bytes.fetch_sub(leaving, Ordering::Relaxed);
        }
        if held > before {
            conn.with_payer(|payer| payer.hold(held - before));
            self.held_bytes.fetch_add(held - before, Ordering::Relaxed);
        } else if held < before {
            conn.with_payer(|payer| payer.release(before - held));
            self.held_bytes.fetch_sub(before - held, Ordering::Relaxed);
        }
    }
}
