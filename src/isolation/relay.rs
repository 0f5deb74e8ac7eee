//! Takes the output of a guest in another process to where it belongs.

use super::callout::Callout;
use super::channel::{Lost, Told};
use super::replies::Replies;
use super::wire::{Frame, Ran};
use crate::base::error::Error;
use crate::host::reply::Recipient;
use crate::host::streams::Sink;
use log::Level;
use std::time::Instant;

/// The outputs of a run. What goes wrong with one is no matter of the guest's: it has been told that all was taken.
pub struct Relay {
    stdout: Option<Sink>,
    stderr: Option<Sink>,
    replies: Option<Replies>,
    calls: Option<Callout>,
}

impl Relay {
    /// To these.
    pub fn to(stdout: Sink, stderr: Sink) -> Relay {
        Relay { stdout: Some(stdout), stderr: Some(stderr), replies: None, calls: None }
    }

    /// To nowhere.
    pub fn silent() -> Relay {
        Relay { stdout: None, stderr: None, replies: None, calls: None }
    }

    /// Has `to` take a response while the guest runs.
    pub fn replies(&mut self, to: Option<Box<dyn Recipient>>) {
        self.replies = to.map(Replies::new);
    }

    /// Makes the HTTP calls of a run.
    pub fn calls(&mut self, calls: Option<Callout>) {
        self.calls = calls;
    }

    /// A run begins, which may write so many bytes, and has to end then.
    pub fn begin(&mut self, most: usize, until: Option<Instant>) {
        if let Some(replies) = &mut self.replies {
            replies.begin(most, until);
        }
        if let Some(calls) = &mut self.calls {
            calls.begin(until);
        }
    }

    /// Takes a frame, and gives what the process is told.
    ///
    /// # Errors
    /// No process of ours sends it.
    pub fn take(&mut self, kind: Frame, bytes: &[u8]) -> Result<Option<Told>, Lost> {
        match kind {
            Frame::Piece => {
                let told = self.replies.as_mut().ok_or(Lost::Broken)?.take(bytes)?;
                Ok(Some((told, Vec::new())))
            }
            Frame::Call => self.calls.as_mut().ok_or(Lost::Broken)?.take(bytes).map(Some),
            _ => {
                self.pass(kind, bytes);
                Ok(None)
            }
        }
    }

    /// Takes the report of a run, and so many bytes that it gave. None if no run gives that.
    pub fn end(&mut self, said: Result<Ran, Error>, rest: usize) -> Option<Result<Ran, Error>> {
        let Ok(ran) = said else { return Some(said) };
        match &mut self.replies {
            Some(replies) => replies.end(ran, rest).map(Ok),
            None => ran.trailers.is_empty().then_some(Ok(ran)),
        }
    }

    fn pass(&mut self, kind: Frame, bytes: &[u8]) {
        let (stdout, stderr) = (&mut self.stdout, &mut self.stderr);
        let _ = match (kind, stdout, stderr) {
            (Frame::Stdout, Some(stdout), _) => stdout.write(bytes),
            (Frame::Stderr, _, Some(stderr)) => stderr.write(bytes),
            (Frame::Message, _, Some(stderr)) => {
                if let Some((level, size, text)) = message(bytes) {
                    stderr.message_of(level, text, size);
                }
                Ok(())
            }
            _ => Ok(()),
        };
    }

    /// Ends the run: what is held back goes out.
    pub fn finish(&mut self) {
        self.stdout.iter_mut().chain(&mut self.stderr).for_each(Sink::flush);
    }
}

/// The parts of a message: its level, its size, and its beginning.
fn message(bytes: &[u8]) -> Option<(Level, usize, &[u8])> {
    let (level, rest) = bytes.split_first()?;
    let (size, text) = rest.split_first_chunk::<4>()?;
    let level = Level::iter().find(|known| *known as usize == usize::from(*level))?;
    Some((level, (u32::from_le_bytes(*size) as usize).max(text.len()), text))
}
