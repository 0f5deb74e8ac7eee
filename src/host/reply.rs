//! A response that is passed on while its guest still runs.
//!
//! What the guest writes is gathered. It is passed on before the guest waits, and when much has gathered. A response that is
//! complete before that is never passed on: whoever runs the guest gets it as a whole.

use crate::base::heap;
use crate::base::limits::{REPLY_INTERVAL, REPLY_PIECE_BYTES};
use crate::base::outcome::Stop;
use crate::host::wasi::abi::Fault;
use std::time::Instant;

/// Names and values of trailer fields.
pub type Trailers = Vec<(String, Vec<u8>)>;

/// Whether bytes were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// All were.
    All,
    /// They were not in time.
    Late,
}

/// Who takes a response piece by piece.
pub trait Recipient: Send {
    /// Takes bytes of a response, at least one and at most [`REPLY_PIECE_BYTES`] and a head. The first piece begins with the
    /// whole head, as a CGI program prints it. Waits until `until`, if it has to wait.
    ///
    /// # Errors
    /// The guest is to be stopped.
    fn take(&mut self, piece: &[u8], until: Option<Instant>) -> Result<Taken, Stop>;

    /// Takes the trailers, at the end of the run.
    fn trailers(&mut self, trailers: Trailers);
}

/// A moment in a run at which bytes may be passed on.
#[derive(Debug, Clone, Copy)]
pub enum Moment {
    /// The guest waits, until then.
    Wait(Option<Instant>),
    /// The guest goes on.
    Step,
    /// A slice of fuel is used up.
    Slice,
}

/// A response, and who takes it.
pub struct Reply {
    held: Vec<u8>,
    /// Bytes of the head among those.
    head: usize,
    to: Box<dyn Recipient>,
    /// When bytes were passed on last, or when the head was there; none while nothing may be passed on.
    since: Option<Instant>,
    /// Whether bytes were kept back at a wait, as the last ones were passed on just before.
    is_overdue: bool,
}

impl Reply {
    /// An empty response for `to`.
    pub fn new(to: Box<dyn Recipient>) -> Reply {
        Reply { held: Vec::new(), head: 0, to, since: None, is_overdue: false }
    }

    /// The head is there: from now on, bytes may be passed on.
    pub fn begin(&mut self) {
        self.head = self.held.len();
        self.since = Some(Instant::now());
    }

    /// Gathers bytes.
    ///
    /// # Errors
    /// The system has no memory for them.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        heap::extend(&mut self.held, bytes).map_err(|_| Fault::NoMemory)
    }

    /// Whether bytes are to be passed on now.
    pub fn is_due(&mut self, at: Moment) -> bool {
        let Some(since) = self.since.filter(|_| self.held.len() > self.head) else { return false };
        if self.held.len() - self.head > REPLY_PIECE_BYTES {
            return true;
        }
        let next = since + REPLY_INTERVAL;
        match at {
            Moment::Step => false,
            Moment::Slice => self.is_overdue && Instant::now() >= next,
            Moment::Wait(until) => {
                // One that ends soon is no reason yet: a guest that waits for nothing, again and again, sends no flood.
                self.is_overdue = until.is_some_and(|until| until < next) && Instant::now() < next;
                !self.is_overdue
            }
        }
    }

    /// Passes on what is there, until `until` at the latest.
    ///
    /// # Errors
    /// The guest is to be stopped.
    pub fn pass_on(&mut self, until: Option<Instant>) -> Result<Taken, Stop> {
        let mut rest = &self.held[..];
        while !rest.is_empty() {
            let (piece, more) = rest.split_at(rest.len().min(self.head + REPLY_PIECE_BYTES));
            rest = more;
            if self.to.take(piece, until)? == Taken::Late {
                return Ok(Taken::Late);
            }
            self.head = 0;
        }
        self.held.clear();
        self.held.shrink_to(REPLY_PIECE_BYTES);
        (self.since, self.is_overdue) = (Some(Instant::now()), false);
        Ok(Taken::All)
    }

    /// Has the trailers taken.
    pub fn trailers(&mut self, trailers: Trailers) {
        self.to.trailers(trailers);
    }

    /// What was not passed on.
    pub fn into_rest(self) -> Vec<u8> {
        self.held
    }

    /// Who takes it.
    pub fn into_recipient(self) -> Box<dyn Recipient> {
        self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<usize>>>);

    impl Recipient for Kept {
        fn take(&mut self, piece: &[u8], _until: Option<Instant>) -> Result<Taken, Stop> {
            self.0.lock().unwrap().push(piece.len());
            Ok(Taken::All)
        }

        fn trailers(&mut self, _: Trailers) {}
    }

    fn reply() -> (Reply, Kept) {
        let kept = Kept::default();
        (Reply::new(Box::new(kept.clone())), kept)
    }

    const LONG: Moment = Moment::Wait(None);

    #[test]
    fn nothing_is_due_before_the_head_is_there() {
        let (mut reply, _) = reply();
        reply.write(&[0; 3 * REPLY_PIECE_BYTES]).unwrap();
        assert!(![LONG, Moment::Step, Moment::Slice].into_iter().any(|at| reply.is_due(at)));
        reply.begin();
        // The head alone is not passed on.
        assert!(![LONG, Moment::Step, Moment::Slice].into_iter().any(|at| reply.is_due(at)));
        reply.write(b"x").unwrap();
        assert!(reply.is_due(LONG) && !reply.is_due(Moment::Step) && !reply.is_due(Moment::Slice));
    }

    #[test]
    fn much_is_due_at_any_moment() {
        for (bytes, is_due) in
            [(REPLY_PIECE_BYTES - 1, false), (REPLY_PIECE_BYTES, false), (REPLY_PIECE_BYTES + 1, true)]
        {
            let (mut reply, kept) = reply();
            reply.write(&[0; 100]).unwrap();
            reply.begin();
            reply.write(&vec![0; bytes]).unwrap();
            assert_eq!(reply.is_due(Moment::Step), is_due, "{bytes}");
            reply.pass_on(None).unwrap();
            let first = 100 + bytes.min(REPLY_PIECE_BYTES);
            assert_eq!(kept.0.lock().unwrap()[0], first);
            assert!(!reply.is_due(LONG), "nothing is left");
            reply.write(&vec![0; bytes]).unwrap();
            assert_eq!(reply.is_due(Moment::Step), is_due, "{bytes}");
        }
    }

    #[test]
    fn a_short_wait_is_put_off_until_a_later_one() {
        let (mut reply, _) = reply();
        reply.begin();
        reply.write(b"x").unwrap();
        let soon = Moment::Wait(Some(Instant::now()));
        assert!(!reply.is_due(soon) && !reply.is_due(Moment::Slice));
        std::thread::sleep(REPLY_INTERVAL);
        assert!(reply.is_due(Moment::Slice) && reply.is_due(soon));
        reply.pass_on(None).unwrap();
        reply.write(b"x").unwrap();
        assert!(!reply.is_due(Moment::Wait(Some(Instant::now()))));
        assert!(reply.is_due(LONG));
    }
}
