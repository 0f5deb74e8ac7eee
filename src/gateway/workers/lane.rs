//! A lane: one tiny_http server that only ever has one client, the worker that owns the lane.
//!
//! tiny_http listens on a Unix socket in a private folder; the worker connects, proves the connection with
//! a round trip, and then ends the accept loop and removes the socket, so that nothing else can connect.
//! From then on the worker writes a canonical request, takes it from tiny_http as a parsed
//! `tiny_http::Request`, handles it, responds through tiny_http, and reads the response, all in its own
//! thread. Only tiny_http's reading of the request is in another one: two thread hand-overs a request when
//! there is one at a time, none when the next is sent before the present one is answered.
//!
//! The worker's end does not wait: what it writes mostly fits the socket's buffer, and otherwise tiny_http's
//! reading thread is there to take it; and while tiny_http sends a long response, the worker takes it out
//! piece by piece (see `Drain`).

use crate::base::heap;
use crate::gateway::http::message::{Request, Response};
use crate::gateway::http::request_id::RequestId;
use rustix::net::{RecvFlags, Shutdown, recv, shutdown};
use std::fs::DirBuilder;
use std::io::{self, Cursor, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long tiny_http may take to read a request; it is in memory, so anything near this is a broken lane.
const PATIENCE: Duration = Duration::from_secs(1);

/// Bytes of a body sent or taken at a time; far below the smallest socket buffer in use.
const PIECE_BYTES: usize = 16 * 1024;

/// Room for the head of a response, in bytes.
const HEAD_BYTES: usize = 4096;

/// Up to this size tiny_http reads a body together with the head.
const BODY_WITH_HEAD_BYTES: usize = 1024;

/// A request as the lane carries it. Copies share its bytes: one in the queue has a copy on its way out of a lane.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// The request line and the headers, with exactly one `Content-Length`, in canonical form.
    pub head: Arc<Vec<u8>>,
    /// The body.
    pub body: Arc<Vec<u8>>,
}

impl Message {
    /// The message for these parts, which must have been checked: no CR, LF or NUL in any.
    pub fn new(method: &str, target: &str, content_type: Option<&str>, body: Vec<u8>) -> Message {
        let mut head = Vec::with_capacity(160 + target.len());
        // Writing to a Vec does not fail.
        let _ = write!(head, "{method} {target} HTTP/1.1\r\nContent-Length: {}\r\n", body.len());
        if let Some(content_type) = content_type {
            let _ = write!(head, "Content-Type: {content_type}\r\n");
        }
        head.extend_from_slice(b"\r\n");
        Message { head: Arc::new(head), body: Arc::new(body) }
    }

    /// Whether `http` is this message, as far as its request line tells. Lanes keep order, so it always
    /// is; should that ever fail, no client may get another's answer.
    fn is(&self, http: &tiny_http::Request) -> bool {
        let rest = self.head.strip_prefix(http.method().as_str().as_bytes());
        let rest = rest.and_then(|rest| rest.strip_prefix(b" ")?.strip_prefix(http.url().as_bytes()));
        rest.is_some_and(|rest| rest.starts_with(b" HTTP/1.1\r\n"))
            && http.body_length() == Some(self.body.len())
    }

    /// Whether nothing may follow it into a lane before it is finished: its body goes in piece by piece.
    pub fn is_alone(&self) -> bool {
        self.body.len() > BODY_WITH_HEAD_BYTES
    }
}

/// One connection to a tiny_http server of its own.
pub struct Lane {
    server: tiny_http::Server,
    stream: UnixStream,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lane").finish_non_exhaustive()
    }
}

/// A folder that only this user can enter, removed on drop.
struct PrivateDir(PathBuf);

impl PrivateDir {
    fn new() -> io::Result<PrivateDir> {
        let mut random = [0u8; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let name = format!("fuelbox-{:016x}", u64::from_ne_bytes(random));
        let mut error = io::Error::other("no folder to try");
        // systemd's and the session's own folders first; /dev/shm is there in containers without /tmp.
        let named = ["RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"].into_iter().filter_map(std::env::var_os);
        let usual = [std::env::temp_dir(), PathBuf::from("/dev/shm"), PathBuf::from("/run")];
        for parent in named.map(PathBuf::from).chain(usual) {
            let path = parent.join(&name);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(PrivateDir(path)),
                Err(failed) => error = failed,
            }
        }
        Err(error)
    }
}

impl Drop for PrivateDir {
    fn drop(&mut self) {
        // Nothing is lost with an empty folder that stays.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Lane {
    /// Opens a lane and proves it.
    ///
    /// # Errors
    /// No folder for the socket, no descriptor or no thread; or the round trip failed.
    pub fn open() -> io::Result<Lane> {
        let dir = PrivateDir::new()?;
        // tiny_http panics where the system gives no thread; the worker must outlive that.
        let opened = catch_unwind(|| Lane::open_at(&dir.0.join("lane")));
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
            // Only for writing: reading never waits (see `take`).
            stream.set_write_timeout(Some(PATIENCE))?;
            Ok(stream)
        });
        // Ends tiny_http's accept loop, and with it the spare threads of its pool.
        let mut lane = match proven {
            Ok(stream) => Lane { server, stream },
            Err(error) => {
                shutdown(&same_listener, Shutdown::Both)?;
                return Err(error);
            }
        };
        let proof = Message::new("GET", "/", None, Vec::new());
        let round_trip = lane.send(&proof).and_then(|()| lane.discard(&proof));
        shutdown(&same_listener, Shutdown::Both)?;
        // The accept loop says that it ended; taken here, so that no request is mistaken for it.
        let _ = lane.server.recv_timeout(PATIENCE);
        round_trip.map(|()| lane)
    }

    /// Hands `message` to tiny_http. More than one may be under way (tiny_http reads the next while the
    /// one before is answered), but none after one that [`Message::is_alone`]. Each must be finished, in
    /// order, with [`Lane::finish`] or [`Lane::discard`].
    ///
    /// # Errors
    /// The lane is broken and must be opened anew.
    pub fn send(&mut self, message: &Message) -> io::Result<()> {
        if message.is_alone() || message.body.is_empty() {
            self.stream.write_all(&message.head)
        } else {
            self.stream.write_all(&[&message.head[..], &message.body[..]].concat())
        }
    }

    /// Takes the oldest request from tiny_http, which must be that of `message`, lets `answer` make the
    /// response, and appends the response as it came from tiny_http to `out`. `answer` gets no request if there is no
    /// memory for it; if there is none for the response, it is asked for another one without a request.
    ///
    /// # Errors
    /// The lane is broken and must be opened anew. `answer` may or may not have been called.
    pub fn finish(
        &mut self,
        message: &Message,
        mut answer: impl FnMut(Option<Request>) -> Response,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let mut http = self
            .server
            .recv_timeout(PATIENCE)?
            .ok_or_else(|| io::Error::new(io::ErrorKind::TimedOut, "tiny_http gave no request"))?;
        if !message.is(&http) {
            return Err(io::Error::other("tiny_http gave another request"));
        }
        let mut body = Vec::new();
        let has_room = heap::reserve(&mut body, message.body.len()).is_ok();
        self.receive_body(&mut http, message, has_room.then_some(&mut body))?;
        let has_body = http.method() != &tiny_http::Method::Head;
        let request = Request {
            method: http.method().to_string(),
            target: http.url().to_string(),
            content_type: header(&http, "Content-Type"),
            body,
            head: Vec::new(),
            client: None,
            id: RequestId::default(),
            role: None,
        };
        let mut response = answer(Some(request).filter(|_| has_room));
        if heap::reserve(out, response.body.len() + HEAD_BYTES).is_err() {
            response = answer(None);
        }
        self.respond(http, response, has_body, out)
    }

    /// Finishes the oldest request without an answer for anyone.
    ///
    /// # Errors
    /// The lane is broken and must be opened anew.
    pub fn discard(&mut self, message: &Message) -> io::Result<()> {
        let nothing = |_| Response::new(200, crate::gateway::http::message::TEXT, "");
        self.finish(message, nothing, &mut Vec::new())
    }

    /// Moves the body into `body`; without one, it is dropped.
    fn receive_body(
        &mut self,
        http: &mut tiny_http::Request,
        message: &Message,
        mut body: Option<&mut Vec<u8>>,
    ) -> io::Result<()> {
        let mut sent = if message.is_alone() { 0 } else { message.body.len() };
        let mut received = 0;
        while received < message.body.len() {
            let piece = &message.body[sent..message.body.len().min(sent + PIECE_BYTES)];
            self.stream.write_all(piece)?;
            sent += piece.len();
            let mut missing = http.as_reader().take((sent - received) as u64);
            received += match &mut body {
                Some(body) => missing.read_to_end(body)?,
                None => io::copy(&mut missing, &mut io::sink())? as usize,
            };
            if received < sent {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "tiny_http lost a body"));
            }
        }
        Ok(())
    }

    fn respond(
        &mut self,
        http: tiny_http::Request,
        response: Response,
        has_body: bool,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let begin = out.len();
        let length = response.body.len();
        let says_length = response.says_length(!has_body);
        let headers = headers(&response);
        let drain = Drain { body: Cursor::new(response.body), stream: &self.stream, out };
        let made = tiny_http::Response::new(response.status.into(), headers, drain, Some(length), None);
        http.respond(made.with_chunked_threshold(usize::MAX))?;
        // All of it has been sent by now, so a read that finds nothing means that something is missing.
        let mut whole = None;
        loop {
            if whole.is_none() {
                let head = out[begin..].windows(4).position(|window| window == b"\r\n\r\n");
                whole = head.map(|at| begin + at + 4 + if has_body { length } else { 0 });
            }
            match whole {
                Some(whole) if out.len() == whole && !says_length => return without_length(out, begin),
                Some(whole) if out.len() == whole => return Ok(()),
                Some(whole) if out.len() > whole => {
                    return Err(io::Error::other("tiny_http sent more than one response"));
                }
                _ => {}
            }
            if take(&self.stream, out)? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "tiny_http cut a response"));
            }
        }
    }

    /// Closes the connection under the lane, as a fault would. For tests.
    #[doc(hidden)]
    pub fn break_it(&self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }
}

/// A response's body that, whenever tiny_http asks for more of it, first takes what tiny_http has sent so
/// far: sender and receiver are one thread, and neither may wait for the other.
struct Drain<'a> {
    body: Cursor<Vec<u8>>,
    stream: &'a UnixStream,
    out: &'a mut Vec<u8>,
}

impl Read for Drain<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let at = self.body.position() as usize;
        // Nothing to take before the first piece, and after the last one `respond` takes the rest.
        if at > 0 && at < self.body.get_ref().len() {
            match take(self.stream, self.out) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        let most = buffer.len().min(PIECE_BYTES);
        self.body.read(&mut buffer[..most])
    }
}

/// One read of what is there.
fn take(stream: &UnixStream, out: &mut Vec<u8>) -> io::Result<usize> {
    let mut buffer = [0; PIECE_BYTES];
    let (n, _) = recv(stream, &mut buffer[..], RecvFlags::DONTWAIT)?;
    heap::extend(out, &buffer[..n])?;
    Ok(n)
}

fn header(http: &tiny_http::Request, name: &'static str) -> Option<String> {
    let header = http.headers().iter().find(|header| header.field.equiv(name))?;
    Some(header.value.to_string())
}

/// Takes the `Content-Length` out of the response's head at the end of `out`: tiny_http always writes one, as the last
/// field.
fn without_length(out: &mut Vec<u8>, begin: usize) -> io::Result<()> {
    let name = b"\r\nContent-Length: ";
    let at = out[begin..].windows(name.len()).rposition(|window| window == name);
    let at = at.ok_or_else(|| io::Error::other("tiny_http gave no length"))?;
    out.drain(begin + at..out.len() - b"\r\n\r\n".len());
    Ok(())
}

fn headers(response: &Response) -> Vec<tiny_http::Header> {
    let content_type = (!response.is_empty_by_status()).then_some(("Content-Type", &*response.content_type));
    [("Server", crate::gateway::SERVER)]
        .into_iter()
        .chain(content_type)
        .chain(response.headers.iter().map(|(name, value)| (&**name, value.as_str())))
        // They are constants, or made here from numbers and names, or have been checked (`document.rs`): so
        // none is lost.
        .filter_map(|(name, value)| tiny_http::Header::from_bytes(name, value).ok())
        .collect()
}
