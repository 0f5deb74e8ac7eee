//! The front door: every client connection, without a thread for any of them.
//!
//! What is to be done about them goes to the crew (`crew.rs`), whose leader waits for events here.

use super::client::{Client, Network};
use super::conn::Conn;
use super::conns::Conns;
use super::crew::{Crew, Member, Turn, lock};
use super::desk::Desk;
use super::gate::{Gate, Waiting};
use super::lineup::Work;
use super::message::{Request, Response};
use super::phase::Phase;
use super::request_id::Ids;
use super::room::EVICT_AFTER_MS;
use super::tally::Tally;
use crate::limits::DoorLimits;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, TryLockError};
use std::time::{Duration, Instant};

/// Answers a request. The second argument is to be called when the answer takes long; it may be called
/// any number of times.
pub type Handler = dyn Fn(Request, &dyn Fn()) -> Response + Send + Sync;

const LISTENER: Token = Token(0);
const WAKER: Token = Token(1);
const FIRST_CONN: usize = 2;

/// Events taken from the system at a time.
const EVENTS: usize = 256;

/// Time between two looks at what is late.
const SWEEP: Duration = Duration::from_millis(50);

/// Time between two looks for events, whatever there is to do, in microseconds.
const LOOK_EVERY_US: u64 = 1_000;

/// Connections taken at a time. At a look each millisecond, more than any client can open.
const ACCEPTS: usize = 64;

/// Connections that wait in the system's queue to be taken (it allows fewer, if set up so). When the queue
/// is full a client tries again only after a second, and the library's own 128 are full in a burst.
const BACKLOG: i32 = 1024;

/// For how long connections without a request are kept when the door closes, in milliseconds: closed at once, they
/// could meet a request that is on its way.
const DRAIN_IDLE_MS: u64 = 1_000;

/// How long accepting pauses when the system has no descriptor left and nothing can be closed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(EVICT_AFTER_MS);

struct Wait {
    poll: Poll,
    events: Events,
    listener: Option<TcpListener>,
    /// Connections may be waiting although no event will say so.
    accept_again: bool,
    /// There was no room for them.
    full: bool,
    last_sweep: Instant,
}

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
    wait: Mutex<Wait>,
    /// When events were last looked for, in microseconds of the door's clock.
    looked_us: AtomicU64,
    /// Who wants to know whether events are looked for.
    pulses: Mutex<Vec<SyncSender<()>>>,
    waker: Waker,
    registry: Registry,
    pub(super) conns: Mutex<Conns>,
    next_token: AtomicUsize,
    pub(super) gate: Mutex<Gate>,
    pub(super) desk_gate: Mutex<Gate>,
    /// Where plug-ins are changed, if they can be.
    pub desk: Option<Desk>,
    pub(super) held_bytes: AtomicUsize,
    begin: Instant,
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
        let mut listener = TcpListener::from_std(listener);
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        registry.register(&mut listener, LISTENER, Interest::READABLE)?;
        let waker = Waker::new(&registry, WAKER)?;
        let begin = Instant::now();
        let share = limits.places_of_one(guests);
        let gate = Gate::new((guests, share), limits.queue, limits.queue_timeout);
        let desk_gate = Gate::of_desk();
        let wait = Wait {
            poll,
            events: Events::with_capacity(EVENTS),
            listener: Some(listener),
            accept_again: true,
            full: false,
            last_sweep: begin,
        };
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
        lock(&self.conns).clients()
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

    pub(super) fn push(&self, work: Work) {
        if self.crew.push(work) {
            self.wake_leader();
        }
    }

    fn wake_leader(&self) {
        // Fails only when the system is out of memory; the leader then looks at its next sweep.
        let _ = self.waker.wake();
    }

    /// Waits for events, at most `timeout` or until something is late. A caller that is busy does not wait for another
    /// who looks already.
    fn look_for_events(&self, timeout: Option<Duration>, is_busy: bool) {
        let mut wait = if is_busy {
            match self.wait.try_lock() {
                Ok(wait) => wait,
                Err(TryLockError::WouldBlock) => return,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            }
        } else {
            lock(&self.wait)
        };
        let wait = &mut *wait;
        let timeout = if timeout.is_some() {
            timeout
        } else if wait.accept_again && wait.listener.is_some() {
            Some(if wait.full { ACCEPT_PAUSE } else { Duration::ZERO })
        } else if self.connections() > 0 || self.is_stopping() {
            Some(SWEEP)
        } else {
            None
        };
        let polled = wait.poll.poll(&mut wait.events, timeout);
        self.looked_us.store(self.begin.elapsed().as_micros() as u64, Ordering::Relaxed);
        if let Err(error) = polled {
            if error.kind() != io::ErrorKind::Interrupted {
                log::error!("waiting for events failed: {error}");
                std::thread::sleep(ACCEPT_PAUSE);
            }
            return;
        }
        let mut found = Vec::new();
        {
            let conns = lock(&self.conns);
            for event in &wait.events {
                match event.token() {
                    LISTENER => wait.accept_again = true,
                    WAKER => {}
                    Token(token) => {
                        let conn = conns.get(token);
                        conn.filter(|_| event.is_read_closed()).inspect(|conn| conn.hang_up());
                        found.extend(conn.cloned());
                    }
                }
            }
        }
        let looks = found.into_iter().filter_map(|conn| {
            conn.mark();
            conn.claim().then_some(Work::Look(conn))
        });
        let pulses = std::mem::take(&mut *lock(&self.pulses)).into_iter().map(Work::Pulse);
        self.crew.put(looks.chain(pulses), is_busy);
        // Who has connected before the end may have sent a request already.
        wait.accept_again |= self.is_stopping();
        self.accept(wait);
        if self.is_stopping() && (!wait.accept_again || self.ends_idle()) {
            wait.listener = None;
        }
        if wait.last_sweep.elapsed() >= SWEEP || self.is_stopping() {
            wait.last_sweep = Instant::now();
            self.sweep();
        }
    }

    /// Takes the connections that are there. With no room or no descriptor, another one makes place.
    fn accept(&self, wait: &mut Wait) {
        // What is to be done for those who are in must not wait for everyone who wants to be.
        wait.full = false;
        for _ in 0..ACCEPTS {
            let Some(listener) = wait.listener.as_ref().filter(|_| wait.accept_again) else { return };
            if self.is_stuck() {
                // Everyone is being served; whoever comes next waits in the system's queue.
                wait.full = true;
                return;
            }
            match listener.accept() {
                Ok((stream, client)) => {
                    let client = Client::new(client.ip(), &self.proxies);
                    if self.make_room(client) {
                        self.admit(stream, client);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait.accept_again = false,
                Err(error) if is_transient(&error) => {}
                Err(error) => {
                    // No descriptor or no memory: make room, or else try again after a pause.
                    if !self.evict_any() {
                        log::warn!("cannot accept a connection: {error}");
                        wait.full = true;
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
        self.tally.accepted.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends a connection that the caller has claimed; it stays claimed, so nobody looks at it again.
    pub fn close(&self, conn: &Conn) {
        // The socket is closed, and leaves the poll.
        let held = lock(&conn.state).close();
        conn.payer().release(held);
        self.held_bytes.fetch_sub(held, Ordering::Relaxed);
        lock(&self.conns).remove(conn);
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
        for gate in [&self.gate, &self.desk_gate] {
            loop {
                let late = lock(gate).take_late();
                let Some(waiting) = late else { break };
                self.push(Work::Refuse(Box::new(waiting)));
            }
        }
    }
}

/// Errors of `accept` that concern the one connection only (accept(2)).
fn is_transient(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, PermissionDenied, TimedOut};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted | PermissionDenied | TimedOut)
}
