//! Takes the pieces of a response from a process, which may be under its guest's control: each is checked before anybody gets
//! it. A process that sends what none of ours does is killed.

use super::channel::Lost;
use super::wire::{PIECE_BYTES_MAX, Ran, Request};
use crate::base::limits::{REPLY_INTERVAL, REPLY_PIECE_BYTES};
use crate::base::outcome::Stop;
use crate::host::reply::{Recipient, Taken};
use std::time::Instant;

/// Small pieces beyond those that the time allows: the clock of the process is not this one's.
const SPARE_PIECES: u128 = 8;

/// What the head of a response begins with, and ends with.
const HEAD_BEGIN: &[u8] = b"Status: ";
const HEAD_END: &[u8] = b"\r\n\r\n";

/// The response of one run.
pub struct Replies {
    to: Box<dyn Recipient>,
    begin: Instant,
    /// When the run has to end.
    until: Option<Instant>,
    /// Bytes that the guest may write, head and all; and those that came.
    most: usize,
    bytes: usize,
    /// Pieces that were full, and others.
    full: u128,
    small: u128,
    /// Why nothing more is taken.
    stop: Option<Stop>,
}

impl Replies {
    /// For `to`.
    pub fn new(to: Box<dyn Recipient>) -> Replies {
        let begin = Instant::now();
        Replies { to, begin, until: None, most: 0, bytes: 0, full: 0, small: 0, stop: None }
    }

    /// A run begins, which may write `most` bytes, and has to end then.
    pub fn begin(&mut self, most: usize, until: Option<Instant>) {
        (self.begin, self.most, self.until) = (Instant::now(), most, until);
    }

    /// Takes a piece, and gives what the process is told.
    ///
    /// # Errors
    /// No process of ours sends this piece.
    pub fn take(&mut self, piece: &[u8]) -> Result<Request, Lost> {
        self.check(piece)?;
        match self.to.take(piece, self.until) {
            // One that is late has its own clock to know by.
            Ok(Taken::All | Taken::Late) => Ok(Request::Taken),
            Err(stop) => {
                self.stop = Some(stop);
                Ok(Request::Enough)
            }
        }
    }

    fn check(&mut self, piece: &[u8]) -> Result<(), Lost> {
        let is_first = self.bytes == 0;
        let has_head =
            piece.starts_with(HEAD_BEGIN) && piece.windows(HEAD_END.len()).any(|end| end == HEAD_END);
        self.bytes = self.bytes.saturating_add(piece.len());
        let is_full = piece.len() >= REPLY_PIECE_BYTES;
        *(if is_full { &mut self.full } else { &mut self.small }) += 1;
        let times = self.begin.elapsed().as_millis() / REPLY_INTERVAL.as_millis();
        let most = if is_first { PIECE_BYTES_MAX } else { REPLY_PIECE_BYTES };
        let is_sane = !piece.is_empty()
            && piece.len() <= most
            && (!is_first || has_head)
            && self.bytes <= self.most
            && self.small <= self.full + times + SPARE_PIECES
            && self.stop.is_none();
        if is_sane { Ok(()) } else { Err(Lost::Broken) }
    }

    /// Takes the end of the run: its report, and so many bytes that were not passed on. None if no run gives that.
    pub fn end(&mut self, mut ran: Ran, rest: usize) -> Option<Ran> {
        if self.bytes.saturating_add(rest) > self.most {
            return None;
        }
        let trailers = std::mem::take(&mut ran.trailers);
        match self.stop.take() {
            Some(stop) => ran.result = Err(stop),
            None if ran.result.is_ok() => self.to.trailers(trailers),
            None => {}
        }
        Some(ran)
    }
}
