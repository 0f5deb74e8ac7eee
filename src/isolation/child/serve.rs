//! Responds to the door's requests.

use super::guest::Guest;
use super::outlet::Frames;
use super::requests::Requests;
use crate::abi::given::Given;
use crate::base::error::Error;
use crate::base::limits::SPARE_IDLE;
use crate::base::lock::lock;
use crate::isolation::wire::{Failure, Ran, Request, read_head, write_head};
use serde::Serialize;
use std::io;
use std::sync::{Arc, Mutex};

/// Responds to requests until the door is gone. The first has the module loaded.
///
/// # Errors
/// The connection broke.
pub fn serve(
    mut requests: Requests,
    frames: &Arc<Mutex<Frames>>,
    load: impl FnOnce() -> Result<Guest, Error>,
) -> io::Result<()> {
    let mut load = Some(load);
    let mut guest: Option<Guest> = None;
    loop {
        if let Some(guest) = &guest {
            give_back(guest, &requests);
        }
        let Some((request, message)) = requests.next()? else { return Ok(()) };
        match (request, &guest) {
            (Request::Load, None) => {
                let loaded = load.take().map_or_else(|| Err(unloaded()), |load| load());
                respond(frames, loaded.map(|loaded| guest.insert(loaded).facts()), &[])?;
            }
            (Request::Try, Some(guest)) => respond(frames, guest.try_instance(), &[])?,
            (Request::Run, Some(guest)) => match message.and_then(|message| run(guest, message, frames)) {
                Ok((ran, bytes)) => respond(frames, Ok(ran), &bytes)?,
                Err(error) => respond(frames, Err::<(), _>(error), &[])?,
            },
            _ => respond(frames, Err::<(), _>(unloaded()), &[])?,
        }
    }
}

/// Gives back what runs left for the next ones, if these do not come soon.
fn give_back(guest: &Guest, requests: &Requests) {
    if guest.has_spares() && requests.is_quiet_for(SPARE_IDLE) {
        guest.trim();
    }
}

fn unloaded() -> Error {
    Error::Internal("there is no module".into())
}

/// Runs the guest with what the message of a request gives.
///
/// # Errors
/// What does not fit.
pub fn run(
    guest: &Guest,
    mut message: Vec<u8>,
    _frames: &Arc<Mutex<Frames>>,
) -> Result<(Ran, Vec<u8>), Error> {
    let (given, end) = read_head::<Given>(&message).ok_or_else(|| Error::Internal("no request".into()))?;
    message.drain(..end);
    #[cfg(debug_assertions)]
    if guest.has_faults() {
        super::faults::meet(super::faults::named(&given), &message, _frames);
    }
    guest.run(given, message)
}

/// Responds with a message of this head and these bytes.
fn respond<T: Serialize>(
    frames: &Arc<Mutex<Frames>>,
    head: Result<T, Error>,
    bytes: &[u8],
) -> io::Result<()> {
    let mut message = Vec::new();
    write_head(&mut message, &head.map_err(Failure::from)).map_err(io::Error::other)?;
    lock(frames).respond(&message, bytes)
}
