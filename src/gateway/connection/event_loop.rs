//! The front door: every client connection, without a thread for any of them.
//!
//! What is to be done about them goes to the crew (`crew.rs`), whose leader waits for events (`events.rs`).

use super::client::{Client, Network};
use super::conn::Conn;
use super::conns::Conns;
use super::events::{FIRST_CONN, Wait};
use crate::base::limits::DoorLimits;
use crate::gateway::http::message::{Request, Response};
use crate::gateway::http::request_id::Ids;
use crate::gateway::routes::counters::Tally;
use crate::gateway::routes::deployment::Desk;
use crate::gateway::workers::admission::{Gate, Waiting};
use crate::gateway::workers::lines::Work;
use crate::gateway::workers::scheduler::{Crew, Member, Turn, lock};
use mio::net::TcpListener;
use mio::{Registry, Waker};
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Answers a request. The second argument is to be called when the answer takes long; it may be called
/// any number of times.
pub type Handler = dyn Fn(Request, &dyn Fn()) -> Response + Send + Sync;

/// Time between two looks for events, whatever there is to do, in microseconds.
const LOOK_EVERY_US: u64 = 1_000;

/// Connections that wait in the system's queue to be taken (it allows fewer, if set up so). When the queue
/// is full a client tries again only after a second, and the library's own 128 are full in a burst.
const BACKLOG: i32 = 1024;

/// For how long connections without a request are kept when the door closes, in milliseconds: closed at once, they
/// could meet a request that is on its way.
const DRAIN_IDLE_MS: u64 = 1_000;

/// What the workers share.
pub struct Door {
    /// The limits.
    pub limits: DoorLimits,
    /// The handler.
    pub handler: Box<Handler>,
    /// The workers.
    pub crew: Crew,
    /// Proxies whose word is taken for who the client is.
    pub proxies: Vec<Network>,
    pub(crate) wait: Mutex<Wait>,
    /// When events were last looked for, in microseconds of the door's clock.
    pub(crate) looked_us: AtomicU64,
    /// Who wants to know whether events are looked for.
    pub(crate) pulses: Mutex<Vec<SyncSender<()>>>,
    waker: Waker,
    pub(crate) registry: Registry,
    pub(crate) conns: Mutex<Conns>,
    pub(crate) next_token: AtomicUsize,
    pub(crate) gate: Mutex<Gate>,
    pub(crate) desk_gate: Mutex<Gate>,
    /// Where plug-ins are changed, if they can be.
    pub desk: Option<Desk>,
    pub(crate) held_bytes: AtomicUsize,
    /// Of these, bytes that are as good as gone.
    pub(crate) leaving_bytes: AtomicUsize,
    pub(crate) begin: Instant,
    /// When it began to close, in milliseconds of its clock, and 1 more; 0 while it is open.
    stopping_since: AtomicU64,
    /// The names of requests.
    pub ids: Ids,
    /// What came of them.
    pub tally: Tally,
}

impl Door {
    /// A door on `listener` behind which `guests` run at once.
    ///
    /// # Errors
    /// The system gives no poll.
    pub fn new(
        listener: std::net::TcpListener,
        (limits, proxies): (DoorLimits, Vec<Network>),
        guests: usize,
        handler: Box<Handler>,
        (tally, desk): (Tally, Option<Desk>),
    ) -> io::Result<Door> {
        listener.set_nonblocking(true)?;
        rustix::net::listen(&listener, BACKLOG)?;
        let (wait, registry, waker) = Wait::new(TcpListener::from_std(listener))?;
        let begin = Instant::now();
        let share = limits.places_of_one(guests);
        let gate = Gate::new((guests, share), limits.queue, limits.queue_timeout);
        let desk_gate = Gate::of_desk();
        Ok(Door {
            limits,
            handler,
            crew: Crew::new(guests, share),
            proxies,
            wait: Mutex::new(wait),
            looked_us: AtomicU64::new(0),
            pulses: Mutex::default(),
            waker,
            registry,
            conns: Mutex::default(),
            next_token: AtomicUsize::new(FIRST_CONN),
            gate: Mutex::new(gate),
            desk_gate: Mutex::new(desk_gate),
            desk,
            held_bytes: AtomicUsize::new(0),
            leaving_bytes: AtomicUsize::new(0),
            begin,
            stopping_since: AtomicU64::new(0),
            ids: Ids::default(),
            tally,
        })
    }

    /// Milliseconds of the door's clock.
    pub fn now_ms(&self) -> u64 {
        self.begin.elapsed().as_millis() as u64
    }

    /// Whether the door is closing.
    pub fn is_stopping(&self) -> bool {
        self.stopping_since.load(Ordering::SeqCst) > 0
    }

    /// Whether it has been closing for long enough that connections without a request end, too.
    pub fn ends_idle(&self) -> bool {
        let since = self.stopping_since.load(Ordering::SeqCst);
        since > 0 && self.now_ms() >= since + DRAIN_IDLE_MS
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

    /// Clients that have a connection.
    pub fn clients(&self) -> usize {
        lock(&self.conns).clients().count()
    }

    /// Bytes counted against the budget.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes.load(Ordering::Relaxed)
    }

    /// The next thing to do, or none when the door is closed. What was done before is done with this call.
    pub fn next(&self, member: &mut Member) -> Option<Work> {
        loop {
            match self.crew.next(member, || self.is_stopping() && self.connections() == 0) {
                Turn::Work(work) => return Some(work),
                Turn::Lead => self.look_for_events(None, false),
                Turn::Look => self.look_if_due(),
                Turn::Closed => return None,
            }
        }
    }

    /// Something more to do for a worker who has something in hand already; does not wait. The leader
    /// looks for events before it says that there is nothing.
    pub fn one_more(&self, member: &mut Member) -> Option<Work> {
        let more = self.crew.one_more(member);
        if more.is_none() && member.leads {
            self.look_for_events(Some(Duration::ZERO), true);
            return self.crew.one_more(member);
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

    /// Gives back a request that has not been begun, with its place among the running guests, if it has one.
    pub fn give_back(&self, waiting: Waiting, has_place: bool) {
        let waiting = Box::new(waiting);
        self.push(if has_place { Work::Run(waiting) } else { Work::Again(waiting) });
    }

    /// Has a claimed connection looked at once more, after what is already to be done.
    pub fn look_again(&self, conn: Arc<Conn>) {
        self.push(Work::Look(conn));
    }

    /// Whether events are looked for, and what they tell is taken up, within `patience`.
    pub fn has_pulse(&self, patience: Duration) -> bool {
        let (asked, answer) = sync_channel(1);
        lock(&self.pulses).push(asked);
        self.wake_leader();
        answer.recv_timeout(patience).is_ok()
    }

    /// To be called before being gone for long with work of `client`, and to be followed by `crew.come_back()`.
    pub fn go_long(&self, member: &mut Member, client: Client) {
        if self.crew.go_long(member, client) {
            self.wake_leader();
        }
    }

    pub(crate) fn push(&self, work: Work) {
        if self.crew.push(work) {
            self.wake_leader();
        }
    }

    fn wake_leader(&self) {
        // Fails only when the system is out of memory; the leader then looks at its next sweep.
        let _ = self.waker.wake();
    }

    /// Ends a connection that the caller has claimed; it stays claimed, so nobody looks at it again.
    pub fn close(&self, conn: &Conn) {
        // The socket is closed, and leaves the poll.
        lock(&conn.state).close();
        self.hold(conn, 0);
        lock(&self.conns).remove(conn);
    }
}
