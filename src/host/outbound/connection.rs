//! A connection that looks, while it waits for the server, whether its run is cancelled, and that waits no longer than it may:
//! neither for a server that takes a request byte by byte, nor for one that does not answer a connect.

use crate::base::cancel::{Cancel, LOOK_EVERY};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

/// The least time for an address, as the kernel takes no time for none.
const LEAST: Duration = Duration::from_millis(1);

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
    type Out = Watched;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<In>) -> Result<Option<Watched>, Error> {
        let stream = connected(&details.addrs, details.timeout)?;
        stream.set_nodelay(true)?;
        let buffers =
            LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Watched { stream, buffers, cancel: self.0.clone() }))
    }
}

/// A connection to the first address that takes one. Each but the last one gets half of the time that is left.
fn connected(addresses: &[SocketAddr], timeout: NextTimeout) -> Result<TcpStream, Error> {
    let begin = Instant::now();
    let mut failed = Error::ConnectionFailed;
    for (at, address) in addresses.iter().enumerate() {
        let left = timeout.after.saturating_sub(begin.elapsed());
        if left.is_zero() {
            return Err(Error::Timeout(timeout.reason));
        }
        let share = if at + 1 == addresses.len() { left } else { left / 2 };
        match TcpStream::connect_timeout(address, share.max(LEAST)) {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == ErrorKind::TimedOut => failed = Error::Timeout(timeout.reason),
            Err(error) => failed = Error::Io(error),
        }
    }
    Err(failed)
}

/// A connection that looks.
#[derive(Debug)]
pub struct Watched {
    stream: TcpStream,
    buffers: LazyBuffers,
    cancel: Option<Cancel>,
}

/// Repeats `step` until it is done, which waits a moment at most, while there is time and the run is not cancelled. A step
/// that got on gets no more time by that.
fn before<T>(
    timeout: NextTimeout,
    cancel: Option<&Cancel>,
    mut step: impl FnMut(Duration) -> io::Result<Option<T>>,
) -> Result<T, Error> {
    let begin = Instant::now();
    loop {
        if cancel.is_some_and(Cancel::is_cancelled) {
            return Err(Error::Io(io::Error::other("the run is cancelled")));
        }
        let left = timeout.after.saturating_sub(begin.elapsed());
        if left.is_zero() {
            return Err(Error::Timeout(timeout.reason));
        }
        match step(left.min(LOOK_EVERY).max(LEAST)) {
            Ok(Some(done)) => return Ok(done),
            Ok(None) => {}
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                _ => return Err(Error::Io(error)),
            },
        }
    }
}

impl Transport for Watched {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let mut stream = &self.stream;
        let mut rest = &self.buffers.output()[..amount];
        if rest.is_empty() {
            return Ok(());
        }
        before(timeout.for_write(), self.cancel.as_ref(), |most| {
            stream.set_write_timeout(Some(most))?;
            match stream.write(rest)? {
                0 => return Err(ErrorKind::WriteZero.into()),
                n => rest = &rest[n..],
            }
            Ok(rest.is_empty().then_some(()))
        })
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let mut stream = &self.stream;
        let input = self.buffers.input_append_buf();
        let amount = before(timeout.for_read(), self.cancel.as_ref(), |most| {
            stream.set_read_timeout(Some(most))?;
            stream.read(input).map(Some)
        })?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// No connection is used a second time.
    fn is_open(&mut self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use ureq::Timeout;

    fn within(ms: u64) -> NextTimeout {
        NextTimeout {
            after: ureq::unversioned::transport::time::Duration::from_millis(ms),
            reason: Timeout::Global,
            ..NextTimeout::default()
        }
    }

    fn timed_out<T>(result: &Result<T, Error>) -> bool {
        matches!(result, Err(Error::Timeout(Timeout::Global)))
    }

    #[test]
    fn who_gets_on_gets_no_more_time() {
        // A server that takes a request byte by byte: each step gets on, and none is the last one.
        let mut steps = 0;
        let result = before(within(50), None, |most| {
            assert!(most <= LOOK_EVERY);
            steps += 1;
            std::thread::sleep(LEAST);
            Ok(None::<()>)
        });
        assert!(timed_out(&result) && (1..=50).contains(&steps), "{steps}");
        let waits = before(within(20), None, |_| Err::<Option<()>, _>(ErrorKind::WouldBlock.into()));
        assert!(timed_out(&waits));
        let mut calls = 0;
        let none_left = before(within(0), None, |_| {
            calls += 1;
            Ok(Some(()))
        });
        assert!(timed_out(&none_left) && calls == 0);
    }

    #[test]
    fn a_write_that_waits_ends_when_it_is_cancelled() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = connected(&[listener.local_addr().unwrap()], within(60_000)).unwrap();
        let cancel = Cancel::default();
        let buffers = LazyBuffers::new(1024, 1 << 20);
        let mut watched = Watched { stream, buffers, cancel: Some(cancel.clone()) };
        // Nobody reads, so the socket's buffers fill.
        let failed = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(LOOK_EVERY * 3);
                cancel.cancel();
            });
            (0..100).find_map(|_| {
                watched.buffers().output();
                watched.transmit_output(1 << 20, within(60_000)).err()
            })
        });
        assert!(matches!(failed, Some(Error::Io(_))), "{failed:?}");
    }

    #[test]
    fn the_next_address_is_tried() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let open = listener.local_addr().unwrap();
        assert_eq!(connected(&[closed, open], within(60_000)).unwrap().peer_addr().unwrap(), open);
        assert!(matches!(connected(&[closed, closed], within(60_000)), Err(Error::Io(_))));
        assert!(timed_out(&connected(&[open], within(0))));
    }
}
