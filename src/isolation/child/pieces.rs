//! Pieces of a response on their way to the door, one at a time: the next one is sent when the door has said what became of
//! the last one. So the door never has more than one, and a guest goes no faster than its client.

use super::outlet::Frames;
use crate::base::lock::lock;
use crate::base::outcome::Stop;
use crate::host::reply::{Recipient, Taken, Trailers};
use crate::isolation::wire::{Frame, Request};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// The way of a response.
pub struct Pieces {
    frames: Arc<Mutex<Frames>>,
    trailers: Arc<Mutex<Trailers>>,
}

impl Pieces {
    /// Over this connection.
    pub fn new(frames: &Arc<Mutex<Frames>>) -> Pieces {
        Pieces { frames: Arc::clone(frames), trailers: Arc::default() }
    }

    /// Where trailers go.
    pub fn trailers(&self) -> Arc<Mutex<Trailers>> {
        Arc::clone(&self.trailers)
    }
}

impl Recipient for Pieces {
    fn take(&mut self, piece: &[u8], until: Option<Instant>) -> Result<Taken, Stop> {
        let mut frames = lock(&self.frames);
        frames.send(Frame::Piece, &[piece]);
        match frames.told(until) {
            Ok(Some(Request::Taken)) => Ok(Taken::All),
            // What it is told still comes. It is passed over before the next request.
            Ok(None) => Ok(Taken::Late),
            _ => Err(Stop::OutputClosed),
        }
    }

    fn trailers(&mut self, trailers: Trailers) {
        *lock(&self.trailers) = trailers;
    }
}
