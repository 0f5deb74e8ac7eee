//! A lane: one tiny_http server that only ever has one client, the worker that owns the lane.
//!
//! tiny_http listens on a Unix socket in a private folder; the worker connects, proves the connection with
//! a round trip, and then ends the accept loop and removes the socket, so that nothing else can connect.
//! From then on the worker writes canonical requests and takes them from tiny_http as `tiny_http::Request`s, bodies
//! included. Only tiny_http's reading is in another thread.
//!
//! # Reading ahead
//! One request at a time would cost two changes of threads each. So a worker sends up to [`READ_AHEAD`] before it takes
//! the first: tiny_http reads them while the worker serves. Measured with 16 connections, a request takes 18 µs of CPU time
//! by that, and 34 µs without. It has a price: a request that is read ahead waits for those before it. So when one of them takes
//! long, those behind it are served elsewhere and the lane drops them ([`Lane::abandon`]); and a request with a large body,
//! which does not fit into the socket's buffer, is the last one that is read ahead, and is sent when it is taken.

use crate::base::private_dir::PrivateDir;
use crate::gateway::http::message::Request;
use rustix::net::{Shutdown, shutdown};
use std::io::{self, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::catch_unwind;
use std::path::Path;
use std::time::Duration;

/// Requests that are in a lane at a time.
pub const READ_AHEAD: usize = 8;

/// How long tiny_http may take to read a request; it is in memory, so anything near this is a broken lane.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a lane that ends waits for each request that tiny_http may still have.
const LEFT_OVER: Duration = Duration::from_millis(20);

/// Bytes of a large body sent and taken at a time; far below the smallest socket buffer in use.
const PIECE_BYTES: usize = 16 * 1024;

/// Up to this size tiny_http reads a body together with the head.
const BODY_WITH_HEAD_BYTES: usize = 1024;

/// Room that is kept for the next requests, in bytes.
const BUFFER_BYTES_KEPT: usize = 4096;

/// One connection to a tiny_http server of its own.
pub struct Lane {
    server: tiny_http::Server,
    stream: UnixStream,
    /// Requests that are to be sent.
    buffer: Vec<u8>,
    /// Requests sent to tiny_http that are served elsewhere. They come before all others.
    abandoned: usize,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lane").finish_non_exhaustive()
    }
}

/// Whether nothing may be sent after this request before it is taken: its body goes in piece by piece.
pub fn is_large(request: &Request) -> bool {
    request.body.len() > BODY_WITH_HEAD_BYTES
}

impl Lane {
    /// Opens a lane and proves it.
    ///
    /// # Errors
    /// No folder for the socket, no descriptor or no thread; or the round trip failed.
    pub fn open() -> io::Result<Lane> {
        let dir = PrivateDir::new()?;
        // tiny_http panics where the system gives no thread; the worker must outlive that.
        let opened = catch_unwind(|| Lane::open_at(&dir.path().join("lane")));
        opened.unwrap_or_else(|_| Err(io::Error::other("tiny_http did not start")))
    }

    /// Opens a lane where one broke; the log says why that fails.
    pub fn reopen() -> Option<Lane> {
        Lane::open().map_err(|error| log::error!("cannot open a lane: {error}")).ok()
    }

    fn open_at(path: &Path) -> io::Result<Lane> {
        let listener = UnixListener::bind(path)?;
        let same_listener = listener.try_clone()?;
        let server = tiny_http::Server::from_listener(listener, None).map_err(io::Error::other)?;
        let connected = UnixStream::connect(path);
        let proven = connected.and_then(|stream| {
            // Nothing is read: responses do not come this way.
            stream.set_write_timeout(Some(PATIENCE))?;
            Ok(stream)
        });
        // Ends tiny_http's accept loop, and with it the spare threads of its pool.
        let mut lane = match proven {
            Ok(stream) => Lane { server, stream, buffer: Vec::new(), abandoned: 0 },
            Err(error) => {
                shutdown(&same_listener, Shutdown::Both)?;
                return Err(error);
            }
        };
        let mut proof = Request { method: "GET".into(), target: "/".into(), ..Request::default() };
        lane.send(&proof);
        let round_trip = lane.take(&mut proof);
        shutdown(&same_listener, Shutdown::Both)?;
        // The accept loop says that it ended; taken here, so that no request is mistaken for it.
        let _ = lane.server.recv_timeout(PATIENCE);
        round_trip.map(|()| lane)
    }

    /// Has `request` sent before the next one is taken. Requests must be taken in the order of these calls, and there must
    /// be none after one that [`is_large`].
    pub fn send(&mut self, request: &Request) {
        // A large one is sent when it is taken.
        if !is_large(request) {
            self.buffer_head(request);
            self.buffer.extend_from_slice(&request.body);
        }
    }

    /// Appends the request line and the headers in canonical form, with exactly one `Content-Length`. All parts have been
    /// checked: there is no CR, LF or NUL in any.
    fn buffer_head(&mut self, request: &Request) {
        let Request { method, target, content_type, body, .. } = request;
        // Writing to a Vec does not fail.
        let _ = write!(self.buffer, "{method} {target} HTTP/1.1\r\nContent-Length: {}\r\n", body.len());
        if let Some(content_type) = content_type {
            let _ = write!(self.buffer, "Content-Type: {content_type}\r\n");
        }
        self.buffer.extend_from_slice(b"\r\n");
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = self.stream.write_all(&self.buffer);
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER_BYTES_KEPT);
        written
    }

    /// Takes `request` from tiny_http, the oldest that was sent, with its body.
    ///
    /// # Errors
    /// The lane is broken and must be opened anew; the request is as it was.
    pub fn take(&mut self, request: &mut Request) -> io::Result<()> {
        let large = is_large(request);
        self.flush()?;
        while self.abandoned > 0 {
            let http = self.receive()?;
            self.abandoned -= 1;
            finish(http);
        }
        if large {
            self.buffer_head(request);
            self.flush()?;
        }
        let mut http = self.receive()?;
        if !is(&http, request) {
            return Err(io::Error::other("tiny_http gave another request"));
        }
        for piece in request.body.chunks_mut(PIECE_BYTES) {
            if large {
                self.stream.write_all(piece)?;
            }
            http.as_reader().read_exact(piece)?;
        }
        finish(http);
        Ok(())
    }

    fn receive(&mut self) -> io::Result<tiny_http::Request> {
        // Asked twice: the clock goes on while the process is paused, and then a request that is there seems late.
        for _ in 0..2 {
            if let Some(received) = self.server.recv_timeout(PATIENCE)? {
                return Ok(received);
            }
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, "tiny_http gave no request"))
    }

    /// Gives up the oldest `count` requests that were sent and not taken; none of them is large.
    pub fn abandon(&mut self, count: usize) {
        self.abandoned += count;
    }

    /// Closes the connection under the lane, as a fault would. For tests.
    #[doc(hidden)]
    pub fn break_it(&self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }
}

impl Drop for Lane {
    /// Takes what is left from tiny_http: a request there would keep its thread and its socket.
    fn drop(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
        for _ in 0..=READ_AHEAD {
            match self.server.recv_timeout(LEFT_OVER) {
                Ok(Some(http)) => finish(http),
                _ => return,
            }
        }
    }
}

/// Has tiny_http go on to the next request: the response to this one does not go through it.
fn finish(http: tiny_http::Request) {
    drop(http.into_writer());
}

/// Whether `http` is `request`, as far as its request line tells. Lanes keep order, so it always is; should that ever
/// fail, no client may get another's response.
fn is(http: &tiny_http::Request, request: &Request) -> bool {
    http.method().as_str() == request.method
        && http.url() == request.target
        && http.body_length() == Some(request.body.len())
}
