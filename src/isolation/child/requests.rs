//! What the door sends: what the process is for, with descriptors, and requests.

use crate::base::error::Error;
use crate::base::heap;
use crate::base::outcome::Stop;
use crate::isolation::wire::{Binding, FRAME_HEAD_BYTES, Request};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use std::io::{self, BufReader, ErrorKind, IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Descriptors that come with a binding, at most: the module, and directories (Linux: SCM_MAX_FD, 253).
pub const DESCRIPTORS_MAX: usize = 250;

/// Bytes read at a time.
const PIECE_BYTES: usize = 4 * 1024;

/// What the door says this process is for, with the module and the directories. None if there is no door any more.
///
/// # Errors
/// The connection broke, or this is no binding.
pub fn receive_binding(mut stream: &UnixStream) -> io::Result<Option<(Binding, Vec<OwnedFd>)>> {
    let mut head = [0; FRAME_HEAD_BYTES];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC;
    let got = loop {
        match recvmsg(stream, &mut [IoSliceMut::new(&mut head)], &mut ancillary, flags) {
            Err(rustix::io::Errno::INTR) => {}
            other => break other?,
        }
    };
    if got.bytes == 0 {
        return Ok(None);
    }
    stream.read_exact(&mut head[got.bytes..])?;
    let descriptors = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    let descriptors = descriptors.flatten().collect();
    let [kind, size @ ..] = head;
    if Request::of(kind) != Some(Request::Bind) {
        return Err(io::Error::other("this is no binding"));
    }
    let mut bytes = vec![0; u32::from_le_bytes(size) as usize];
    stream.read_exact(&mut bytes)?;
    let binding = postcard::from_bytes(&bytes).map_err(io::Error::other)?;
    Ok(Some((binding, descriptors)))
}

/// A request, with its message, or why there is no room for that.
pub type Received = (Request, Result<Vec<u8>, Error>);

/// The requests after the binding.
pub struct Requests(BufReader<UnixStream>);

impl Requests {
    /// Over this connection.
    pub fn new(stream: UnixStream) -> Requests {
        Requests(BufReader::with_capacity(PIECE_BYTES, stream))
    }

    /// Whether no request comes for this long.
    pub fn is_quiet_for(&self, time: Duration) -> bool {
        if !self.0.buffer().is_empty() {
            return false;
        }
        let mut stream = [PollFd::new(self.0.get_ref(), PollFlags::IN)];
        // A time that does not fit is none that is waited for here. An interrupted wait has no answer yet.
        matches!(poll(&mut stream, Timespec::try_from(time).ok().as_ref()), Ok(0))
    }

    /// The next request. None if there is no door any more.
    ///
    /// # Errors
    /// The connection broke, or this is no request.
    pub fn next(&mut self) -> io::Result<Option<Received>> {
        let (request, size) = loop {
            let mut head = [0; FRAME_HEAD_BYTES];
            match self.0.read_exact(&mut head) {
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
                read => read?,
            }
            let [kind, size @ ..] = head;
            match Request::of(kind).ok_or_else(|| io::Error::other("this is no request"))? {
                // For the last run, which did not wait for it.
                Request::Taken | Request::Enough => {}
                Request::Called => return Err(io::Error::other("an answer that nobody asked for")),
                request => break (request, u32::from_le_bytes(size)),
            }
        };
        let Ok(mut message) = heap::zeroed(size as usize) else {
            io::copy(&mut self.0.by_ref().take(size.into()), &mut io::sink())?;
            return Ok(Some((request, Err(Error::Guest(Stop::NoMemory { what: "the input" })))));
        };
        self.0.read_exact(&mut message)?;
        Ok(Some((request, Ok(message))))
    }
}
