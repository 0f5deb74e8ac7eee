//! One client connection: what it waits for, and until when.
//!
//! A connection is worked on by one thread at a time, the one that has claimed it. Whoever sees an event
//! for a claimed connection marks it, and the owner looks again before letting go.

use super::buffers::Buffers;
use super::phase::Phase;
use crate::base::limits::DoorLimits;
use crate::gateway::http::client::Client;
use crate::gateway::lock::lock;
use crate::gateway::scheduling::share::Share;
use mio::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const NOT_IN_LINE: u8 = 0;
const IN_LINE: u8 = 1;
const CONDEMNED: u8 = 2;

/// A connection.
pub struct Conn {
    /// Its number in the poll.
    pub token: usize,
    /// Who is at the other end.
    pub peer: Client,
    /// What that client has.
    pub share: Arc<Share>,
    /// Whom the bytes are counted to that are held for it, if not to the peer: who is behind it.
    payer: Mutex<Option<Arc<Share>>>,
    /// Bytes counted for it.
    held: AtomicUsize,
    /// Of these, bytes that are about to be freed.
    leaving: AtomicUsize,
    /// Whether it waits for a worker, and whether that is to close it.
    line: AtomicU8,
    claimed: AtomicBool,
    marked: AtomicBool,
    /// The client has ended its side, or all of it: a read will find the end.
    hung_up: AtomicBool,
    /// The request that it is at comes from who may change plug-ins.
    deploys: AtomicBool,
    phase: AtomicU8,
    /// When the present wait began and when it ends, in milliseconds of the door's clock.
    waiting_since_ms: AtomicU64,
    waits_until_ms: AtomicU64,
    /// Buffers and progress, for the thread that has claimed the connection.
    pub buffers: Mutex<Buffers>,
}

impl Conn {
    /// A new connection of `peer`, waiting since `now_ms` for its first request.
    pub fn new(
        token: usize,
        stream: TcpStream,
        (peer, share): (Client, Arc<Share>),
        now_ms: u64,
        limits: &DoorLimits,
    ) -> Conn {
        Conn {
            token,
            peer,
            payer: Mutex::new(None),
            share,
            held: AtomicUsize::new(0),
            leaving: AtomicUsize::new(0),
            line: AtomicU8::new(NOT_IN_LINE),
            claimed: AtomicBool::new(false),
            marked: AtomicBool::new(false),
            hung_up: AtomicBool::new(false),
            deploys: AtomicBool::new(false),
            phase: AtomicU8::new(Phase::Idle as u8),
            waiting_since_ms: AtomicU64::new(now_ms),
            waits_until_ms: AtomicU64::new(now_ms + limits.idle_timeout.as_millis() as u64),
            buffers: Mutex::new(Buffers::new(stream)),
        }
    }

    /// Makes the caller the one thread that works on it; false if another does.
    ///
    /// Marking and then claiming meets letting go and then looking for marks: one of the two must see the
    /// other, which only a total order of the four promises.
    pub fn claim(&self) -> bool {
        !self.claimed.swap(true, Ordering::SeqCst)
    }

    /// Does something with the share that its bytes are counted to.
    pub fn with_payer<T>(&self, act: impl FnOnce(&Share) -> T) -> T {
        // Only a proxy's connection ever has another one, and most connections are none.
        let payer = self.peer.is_proxy.then(|| lock(&self.payer));
        act(payer.as_deref().and_then(Option::as_ref).unwrap_or(&self.share))
    }

    /// Has its bytes counted to another one from now on.
    pub fn set_payer(&self, share: Arc<Share>) {
        let held = self.held();
        share.hold(held);
        self.with_payer(|payer| payer.release(held));
        *lock(&self.payer) = Some(share);
    }

    /// Bytes counted for it.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Notes the bytes that are counted for it from now on. Gives those before, and how many of them were as good as gone.
    pub fn hold(&self, bytes: usize) -> (usize, usize) {
        (self.held.swap(bytes, Ordering::Relaxed), self.leaving.swap(0, Ordering::Relaxed))
    }

    /// Notes that what it holds is as good as gone. Gives the bytes that were not so before.
    pub fn give_up(&self) -> usize {
        let held = self.held();
        held.saturating_sub(self.leaving.swap(held, Ordering::Relaxed))
    }

    /// Notes that it waits for a worker.
    pub fn enter_line(&self) {
        self.line.store(IN_LINE, Ordering::SeqCst);
    }

    /// Notes that a worker has it. True if it is to be closed.
    pub fn leave_line(&self) -> bool {
        self.line.swap(NOT_IN_LINE, Ordering::SeqCst) == CONDEMNED
    }

    /// Has the worker close it that it waits for. False if it waits for none, or that has been said before.
    pub fn condemn(&self) -> bool {
        self.line.compare_exchange(IN_LINE, CONDEMNED, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Whether it waits for a worker, who will not close it.
    pub fn is_in_line(&self) -> bool {
        self.line.load(Ordering::SeqCst) == IN_LINE
    }

    /// Notes an event for whoever has claimed it.
    pub fn mark(&self) {
        self.marked.store(true, Ordering::SeqCst);
    }

    /// Notes that the client has ended its side; to be followed by a mark.
    pub fn hang_up(&self) {
        self.hung_up.store(true, Ordering::Release);
    }

    /// Whether there is an end to be read behind what the client has sent. No further event will say so.
    pub fn is_hung_up(&self) -> bool {
        self.hung_up.load(Ordering::Acquire)
    }

    /// Notes whether the request that it is at comes from who may change plug-ins.
    pub fn set_deploys(&self, deploys: bool) {
        self.deploys.store(deploys, Ordering::Relaxed);
    }

    /// Whether it does.
    pub fn deploys(&self) -> bool {
        self.deploys.load(Ordering::Relaxed)
    }

    /// Forgets the events so far; to be called before looking at the socket.
    pub fn unmark(&self) {
        self.marked.store(false, Ordering::SeqCst);
    }

    /// Lets go. False if an event came meanwhile: then the caller has it still and must look again.
    pub fn let_go(&self) -> bool {
        self.claimed.store(false, Ordering::SeqCst);
        !(self.marked.load(Ordering::SeqCst) && self.claim())
    }

    /// Begins or goes on with a wait in `phase`. The time counts from the first call with that phase,
    /// unless `anew`: a slow client gains nothing by sending a byte now and then.
    pub fn wait(&self, phase: Phase, anew: bool, now_ms: u64, limits: &DoorLimits) {
        let before = self.phase.swap(phase as u8, Ordering::Relaxed);
        if anew || before != phase as u8 {
            self.waiting_since_ms.store(now_ms, Ordering::Relaxed);
            let until = now_ms + phase.patience(limits).as_millis() as u64;
            self.waits_until_ms.store(until, Ordering::Relaxed);
        }
    }

    /// What it waits for.
    pub fn phase(&self) -> Phase {
        Phase::from_u8(self.phase.load(Ordering::Relaxed))
    }

    /// Whether its wait is over at `now_ms`.
    pub fn is_late(&self, now_ms: u64) -> bool {
        now_ms >= self.waits_until_ms.load(Ordering::Relaxed)
    }

    /// Since when it waits; none while a thread works on it.
    pub fn waiting_since(&self) -> Option<u64> {
        let waits = !self.claimed.load(Ordering::Acquire);
        waits.then(|| self.waiting_since_ms.load(Ordering::Relaxed))
    }
}
