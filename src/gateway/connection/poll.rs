//! Where events come from: the listener, the waker and all connections.

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use std::io;
use std::time::Instant;

pub(crate) const LISTENER: Token = Token(0);
pub(crate) const WAKER: Token = Token(1);

/// The number of the first connection.
pub(crate) const FIRST_CONN: usize = 2;

/// Events taken from the system at a time.
const EVENTS: usize = 256;

/// What events come from.
pub(crate) struct EventSource {
    pub(crate) poll: Poll,
    pub(crate) events: Events,
    pub(crate) listener: Option<TcpListener>,
    /// Connections may be waiting although no event will say so.
    pub(crate) accept_again: bool,
    /// There was no room for them.
    pub(crate) full: bool,
    pub(crate) last_sweep: Instant,
}

impl EventSource {
    /// What connections to `listener` are taken by, with what is registered there and what wakes who waits.
    ///
    /// # Errors
    /// The system gives no poll.
    pub(crate) fn new(mut listener: TcpListener) -> io::Result<(EventSource, Registry, Waker)> {
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        registry.register(&mut listener, LISTENER, Interest::READABLE)?;
        let waker = Waker::new(&registry, WAKER)?;
        let source = EventSource {
            poll,
            events: Events::with_capacity(EVENTS),
            listener: Some(listener),
            accept_again: true,
            full: false,
            last_sweep: Instant::now(),
        };
        Ok((source, registry, waker))
    }
}
