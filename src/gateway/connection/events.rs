//! Events of the listener and of all connections: who waits for them, and what comes of each.

use super::client::Client;
use super::conn::Conn;
use super::event_loop::Door;
use super::eviction::EVICT_AFTER_MS;
use super::phase::Phase;
use crate::gateway::workers::lines::Work;
use crate::gateway::workers::scheduler::lock;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, TryLockError};
use std::time::{Duration, Instant};

const LISTENER: Token = Token(0);
const WAKER: Token = Token(1);

/// The number of the first connection.
pub(crate) const FIRST_CONN: usize = 2;

/// Events taken from the system at a time.
const EVENTS: usize = 256;

/// Time between two looks at what is late.
const SWEEP: Duration = Duration::from_millis(50);

/// Connections taken at a time. At a look each millisecond, more than any client can open.
const ACCEPTS: usize = 64;

/// How long accepting pauses when the system has no descriptor left and nothing can be closed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(EVICT_AFTER_MS);

/// What events come from.
pub(crate) struct Wait {
    poll: Poll,
    events: Events,
    listener: Option<TcpListener>,
    /// Connections may be waiting although no event will say so.
    accept_again: bool,
    /// There was no room for them.
    full: bool,
    last_sweep: Instant,
}

impl Wait {
    /// What connections to `listener` are taken by, with what is registered there and what wakes who waits.
    ///
    /// # Errors
    /// The system gives no poll.
    pub(crate) fn new(mut listener: TcpListener) -> io::Result<(Wait, Registry, Waker)> {
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        registry.register(&mut listener, LISTENER, Interest::READABLE)?;
        let waker = Waker::new(&registry, WAKER)?;
        let wait = Wait {
            poll,
            events: Events::with_capacity(EVENTS),
            listener: Some(listener),
            accept_again: true,
            full: false,
            last_sweep: Instant::now(),
        };
        Ok((wait, registry, waker))
    }
}

impl Door {
    /// Waits for events, at most `timeout` or until something is late. A caller that is busy does not wait for another
    /// who looks already.
    pub(crate) fn look_for_events(&self, timeout: Option<Duration>, is_busy: bool) {
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
        let found = self.found(wait);
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

    /// The connections that events are about.
    fn found(&self, wait: &mut Wait) -> Vec<Arc<Conn>> {
        let mut found = Vec::new();
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
        found
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::limits::DoorLimits;
    use crate::gateway::http::message::Response;
    use crate::gateway::routes::counters::Tally;
    use crate::gateway::workers::scheduler::Member;

    #[test]
    fn a_gateway_is_at_work_while_events_are_looked_for_and_taken_up() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let handler = Box::new(|_, _: &dyn Fn()| Response::new(200, "text/plain", ""));
        let rules = (DoorLimits::default(), vec![]);
        let door = Arc::new(Door::new(listener, rules, 1, handler, (Tally::new(None), None)).unwrap());
        let brief = Duration::from_millis(20);
        assert!(!door.has_pulse(brief), "nobody looks for events");
        // Events that are looked for, but nobody who takes up what they tell.
        door.look_for_events(Some(Duration::ZERO), false);
        assert!(!door.has_pulse(brief));
        let worker = {
            let door = Arc::clone(&door);
            std::thread::spawn(move || {
                let mut member = Member::default();
                while let Some(work) = door.next(&mut member) {
                    if let Work::Pulse(asked) = work {
                        let _ = asked.try_send(());
                    }
                }
            })
        };
        assert!(door.has_pulse(Duration::from_secs(20)));
        door.stop();
        worker.join().unwrap();
    }
}
