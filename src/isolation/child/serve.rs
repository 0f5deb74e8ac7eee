//! The lane of a process: requests in, responses out.

use super::guest::Guest;
use super::outlet::Frames;
use crate::abi::given::Given;
use crate::base::error::Error;
use crate::base::heap;
use crate::base::lock::lock;
use crate::base::outcome::Stop;
use crate::isolation::wire::{Failure, read_head, write_head};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{Shutdown, shutdown};
use serde::Serialize;
use std::io::{self, Write};
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long nothing may come before the process looks whether the door is still there.
const LOOK_AFTER: Duration = Duration::from_secs(30);

/// A tiny_http server with one connection, which waited on the listener.
pub struct Lane(tiny_http::Server);

impl Lane {
    /// Serves the next connection of `listener`, and no other.
    ///
    /// # Errors
    /// No thread, or no connection.
    pub fn open(listener: UnixListener) -> io::Result<Lane> {
        let same_listener = listener.try_clone()?;
        let server = tiny_http::Server::from_listener(listener, None).map_err(io::Error::other)?;
        // The first request says that the connection has been accepted.
        let first = server.recv()?;
        shutdown(&same_listener, Shutdown::Both)?;
        // The accept loop says that it ended.
        let _ = server.recv_timeout(LOOK_AFTER);
        first.respond(tiny_http::Response::empty(200))?;
        Ok(Lane(server))
    }

    /// Answers requests until the door is gone. The first has the module loaded.
    pub fn serve(
        self,
        frames: &Arc<Mutex<Frames>>,
        load: impl FnOnce() -> Result<Guest, Error>,
    ) -> io::Result<()> {
        let mut load = Some(load);
        let mut guest = None;
        loop {
            let Some(mut request) = self.0.recv_timeout(LOOK_AFTER)? else {
                if is_alone(frames) {
                    return Ok(());
                }
                continue;
            };
            let path = request.url().to_string();
            let mut message = Vec::new();
            match (path.as_str(), &guest) {
                ("/load", None) => {
                    let loaded = load.take().map_or_else(|| Err(unloaded()), |load| load());
                    let facts = loaded.map(|loaded| guest.insert(loaded).facts());
                    write(&mut message, &facts.map_err(Failure::from))?;
                }
                ("/try", Some(guest)) => {
                    write(&mut message, &guest.try_instance().map_err(Failure::from))?;
                }
                ("/run", Some(guest)) => {
                    let given = read(&mut request);
                    #[cfg(debug_assertions)]
                    let Some(request) = meet(guest, &given, request, frames) else { continue };
                    let ran = given.and_then(|(given, bytes)| guest.run(given, bytes));
                    let (ran, bytes) = match ran {
                        Ok((ran, bytes)) => (Ok(ran), bytes),
                        Err(error) => (Err(Failure::from(error)), Vec::new()),
                    };
                    write(&mut message, &ran)?;
                    return_to(request, frames, &[&message, &bytes])?;
                    continue;
                }
                _ => write(&mut message, &Err::<(), _>(Failure::from(unloaded())))?,
            }
            return_to(request, frames, &[&message])?;
        }
    }
}

fn unloaded() -> Error {
    Error::Internal("there is no module".into())
}

fn write<T: Serialize>(message: &mut Vec<u8>, head: &T) -> io::Result<()> {
    write_head(message, head).map_err(io::Error::other)
}

/// As [`faults::meet`](super::faults::meet), where a test wants faults.
#[cfg(debug_assertions)]
fn meet(
    guest: &Guest,
    given: &Result<(Given, Vec<u8>), Error>,
    request: tiny_http::Request,
    frames: &Arc<Mutex<Frames>>,
) -> Option<tiny_http::Request> {
    match given {
        Ok((Given::Bytes { func, .. }, _)) if guest.has_faults() => {
            super::faults::meet(func, request, frames)
        }
        _ => Some(request),
    }
}

/// What a request gives to a run.
fn read(request: &mut tiny_http::Request) -> Result<(Given, Vec<u8>), Error> {
    let no_memory = |_| Error::Guest(Stop::NoMemory { what: "the input" });
    let mut body = Vec::new();
    let size = request.body_length().unwrap_or(0);
    heap::reserve(&mut body, size).map_err(no_memory)?;
    let read = request.as_reader().read_to_end(&mut body);
    read.map_err(|error| Error::Internal(format!("the request cannot be read: {error}")))?;
    let (given, end) = read_head::<Given>(&body).ok_or_else(|| Error::Internal("no request".into()))?;
    body.drain(..end);
    Ok((given, body))
}

/// Responds with these parts of a body.
fn return_to(request: tiny_http::Request, frames: &Arc<Mutex<Frames>>, parts: &[&[u8]]) -> io::Result<()> {
    let size: usize = parts.iter().map(|part| part.len()).sum();
    let frames = lock(frames).take_sent();
    let mut writer = request.into_writer();
    write!(writer, "HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nFrames: {frames}\r\n\r\n")?;
    for part in parts {
        writer.write_all(part)?;
    }
    writer.flush()
}

/// Whether there is no door any more: then nothing will come.
fn is_alone(frames: &Arc<Mutex<Frames>>) -> bool {
    let frames = lock(frames);
    let mut polled = [PollFd::new(frames.control(), PollFlags::empty())];
    let ready = poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    ready.is_ok_and(|ready| ready > 0)
}
