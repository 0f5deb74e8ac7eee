//! A connection that looks, while it waits for the server, whether its run is cancelled.

use crate::base::cancel::{Cancel, LOOK_EVERY};
use std::io;
use std::net::SocketAddr;
use std::time::Instant;
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::time::Duration;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// Gives every name the addresses that were checked.
#[derive(Debug)]
pub struct Checked(pub Vec<SocketAddr>);

impl Resolver for Checked {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        self.0.iter().for_each(|address| addresses.push(*address));
        if addresses.is_empty() { Err(Error::HostNotFound) } else { Ok(addresses) }
    }
}

/// Makes connections that look.
#[derive(Debug)]
pub struct Watch(pub Option<Cancel>);

impl<In: Transport> Connector<In> for Watch {
    type Out = Watched<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Watched<In>>, Error> {
        Ok(chained.map(|inner| Watched { inner, cancel: self.0.clone() }))
    }
}

/// A connection that looks.
#[derive(Debug)]
pub struct Watched<T> {
    inner: T,
    cancel: Option<Cancel>,
}

/// A read that is cancelled.
fn cancelled() -> Error {
    Error::Io(io::Error::other("the run is cancelled"))
}

impl<T: Transport> Transport for Watched<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        match &self.cancel {
            Some(cancel) if cancel.is_cancelled() => Err(cancelled()),
            _ => self.inner.transmit_output(amount, timeout),
        }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let Some(cancel) = self.cancel.clone() else { return self.inner.await_input(timeout) };
        let (begin, capped) = (Instant::now(), timeout.for_read());
        loop {
            if cancel.is_cancelled() {
                return Err(cancelled());
            }
            let left = capped.after.saturating_sub(begin.elapsed());
            let mut short = timeout;
            short.after = Duration::Exact(left.min(LOOK_EVERY));
            match self.inner.await_input(short) {
                Err(Error::Timeout(_)) if left > LOOK_EVERY => {}
                Err(Error::Timeout(_)) => return Err(Error::Timeout(capped.reason)),
                other => return other,
            }
        }
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
