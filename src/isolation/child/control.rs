//! The control connection: what the process is for, and the descriptors that come with it.

use crate::isolation::wire::Binding;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use std::io::{self, IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

/// Descriptors that come with a binding, at most: the module, and directories (Linux: SCM_MAX_FD, 253).
pub const DESCRIPTORS_MAX: usize = 250;

/// What the door says this process is for, with the module and the directories. None if there is no door any more.
///
/// # Errors
/// The connection broke, or this is no binding.
pub fn receive(control: &mut UnixStream) -> io::Result<Option<(Binding, Vec<OwnedFd>)>> {
    let mut size = [0; 4];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC;
    let got = loop {
        match recvmsg(&*control, &mut [IoSliceMut::new(&mut size)], &mut ancillary, flags) {
            Err(rustix::io::Errno::INTR) => {}
            other => break other?,
        }
    };
    if got.bytes == 0 {
        return Ok(None);
    }
    control.read_exact(&mut size[got.bytes..])?;
    let descriptors = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    let descriptors = descriptors.flatten().collect();
    let mut bytes = vec![0; u32::from_le_bytes(size) as usize];
    control.read_exact(&mut bytes)?;
    let binding = postcard::from_bytes(&bytes).map_err(io::Error::other)?;
    Ok(Some((binding, descriptors)))
}
