//! Takes the output of a guest in another process to where it belongs.

use super::wire::Frame;
use crate::host::streams::Sink;
use log::Level;

/// The outputs of a run. What goes wrong with one is no matter of the guest's: it has been told that all was taken.
pub struct Relay {
    stdout: Option<Sink>,
    stderr: Option<Sink>,
}

impl Relay {
    /// To these.
    pub fn to(stdout: Sink, stderr: Sink) -> Relay {
        Relay { stdout: Some(stdout), stderr: Some(stderr) }
    }

    /// To nowhere.
    pub fn silent() -> Relay {
        Relay { stdout: None, stderr: None }
    }

    /// Takes a frame.
    pub fn take(&mut self, kind: Frame, bytes: &[u8]) {
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
