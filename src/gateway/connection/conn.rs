//! One client connection: what it waits for, and until when.
//!
//! One thread at a time works on a connection: the one that has claimed it. An event for a claimed connection marks it, and
//! the thread checks for marks when it lets go.

use super::buffers::Buffers;
use super::phase::Phase;
use crate::base::limits::DoorLimits;
use crate::base::lock::lock;
use crate::gateway::http::client::Client;
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
    /// The client at the other end, or the proxy.
    pub peer: Client,
    /// That client's part of the budget.
    pub share: Arc<Share>,
    /// The client behind a proxy that this connection's bytes are counted for, if not for the peer.
    payer: Mutex<Option<Arc<Share>>>,
    /// Bytes counted for it.
    held: AtomicUsize,
    /// Of these, bytes that are about to be freed.
    leaving: AtomicUsize,
    /// Whether it waits for a worker, and whether that worker is to close it.
    line: AtomicU8,
    claimed: AtomicBool,
    marked: AtomicBool,
    /// The client has closed its side, or both: a read will find the end.
    hung_up: AtomicBool,
    /// Its present request comes with a token that may deploy.
    deploys: AtomicBool,
    phase: AtomicU8,
    /// When the present wait began and when it times out, in milliseconds of the door's clock.
    waiting_since_ms: AtomicU64,
    waits_until_ms: AtomicU64,
    /// Its buffers, for the thread that has claimed it.
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

    /// Claims it for the calling thread; false if another has it.
    ///
    /// One thread marks and then claims, another lets go and then checks for marks: one of the two must see the other, which
    /// only a total order (`SeqCst`) of these four operations guarantees.
    pub fn claim(&self) -> bool {
        !self.claimed.swap(true, Ordering::SeqCst)
    }

    /// Calls `act` with the share that its bytes are counted for.
    pub fn with_payer<T>(&self, act: impl FnOnce(&Share) -> T) -> T {
        // Only a proxy's connection ever has another one.
        let payer = self.peer.is_proxy.then(|| lock(&self.payer));
        act(payer.as_deref().and_then(Option::as_ref).unwrap_or(&self.share))
    }

    /// Counts its bytes for another share from now on.
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

    /// Sets the bytes counted for it. Returns those before, and how many of them were about to be freed.
    pub fn hold(&self, bytes: usize) -> (usize, usize) {
        (self.held.swap(bytes, Ordering::Relaxed), self.leaving.swap(0, Ordering::Relaxed))
    }

    /// Notes that what it holds is about to be freed. Returns the bytes that were not noted before.
    pub fn give_up(&self) -> usize {
        let held = self.held();
        held.saturating_sub(self.leaving.swap(held, Ordering::Relaxed))
    }

    /// Notes that it waits for a worker.
    pub fn enter_line(&self) {
        self.line.store(IN_LINE, Ordering::SeqCst);
    }

    /// Notes that a worker has taken it. True if that worker must close it.
    pub fn leave_line(&self) -> bool {
        self.line.swap(NOT_IN_LINE, Ordering::SeqCst) == CONDEMNED
    }

    /// Has the next worker close it. False if it does not wait for one, or is condemned already.
    pub fn condemn(&self) -> bool {
        self.line.compare_exchange(IN_LINE, CONDEMNED, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Whether it waits for a worker and is not condemned.
    pub fn is_in_line(&self) -> bool {
        self.line.load(Ordering::SeqCst) == IN_LINE
    }

    /// Notes an event for the thread that has claimed it.
    pub fn mark(&self) {
        self.marked.store(true, Ordering::SeqCst);
    }

    /// Notes that the client has closed its side; a mark must follow.
    pub fn hang_up(&self) {
        self.hung_up.store(true, Ordering::Release);
    }

    /// Whether the client has closed its side. No further event will announce it.
    pub fn is_hung_up(&self) -> bool {
        self.hung_up.load(Ordering::Acquire)
    }

    /// Notes whether its present request comes with a token that may deploy.
    pub fn set_deploys(&self, deploys: bool) {
        self.deploys.store(deploys, Ordering::Relaxed);
    }

    /// Whether it does.
    pub fn deploys(&self) -> bool {
        self.deploys.load(Ordering::Relaxed)
    }

    /// Forgets the events so far; call before reading the socket.
    pub fn unmark(&self) {
        self.marked.store(false, Ordering::SeqCst);
    }

    /// Ends the claim. False if an event came meanwhile: then the caller still has it and must read again.
    pub fn let_go(&self) -> bool {
        self.claimed.store(false, Ordering::SeqCst);
        !(self.marked.load(Ordering::SeqCst) && self.claim())
    }

    /// Begins or continues a wait in `phase`. The timeout counts from the first call with that phase, unless `anew`: a slow
    /// client gains nothing by sending a byte now and then.
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
