//! The poll (epoll, kqueue) that events of the listener, the waker and all connections come from.

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

/// The poll and what belongs to it.
pub(crate) struct EventSource {
    pub(crate) poll: Poll,
    pub(crate) events: Events,
    pub(crate) listener: Option<TcpListener>,
    /// Whether connections may be waiting that no event will announce.
    pub(crate) accept_again: bool,
    /// Whether there was no room for them.
    pub(crate) full: bool,
    pub(crate) last_sweep: Instant,
}

impl EventSource {
    /// A poll for `listener`, with its registry and the waker of whoever waits.
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
