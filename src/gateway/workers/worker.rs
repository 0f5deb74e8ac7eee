//! A worker: reads from connections, has requests served, and sends the responses.

use super::lane::{Lane, READ_AHEAD, is_large};
use crate::abi::Hooks;
use crate::base::escape::cut;
use crate::base::limits::LOG_TARGET_BYTES_MAX;
use crate::base::lock::lock;
use crate::gateway::connection::conn::Conn;
use crate::gateway::connection::door::Door;
use crate::gateway::connection::pending::{PendingRequest, Work};
use crate::gateway::connection::read::{Advanced, advance, begin_wait, has_budget};
use crate::gateway::connection::stream::ClientStream;
use crate::gateway::connection::write::{Next, respond};
use crate::gateway::http::message::{Request, Response};
use crate::gateway::http::problem::INTERNAL;
use crate::gateway::http::route::Class;
use crate::gateway::http::service::Context;
use crate::gateway::http::stream::Stream;
use crate::gateway::scheduling::admission::Admitted;
use crate::gateway::scheduling::scheduler::WorkerState;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// After a response that took longer than this or was larger (in bytes), nothing is read ahead: a request that is read
/// ahead waits for all before it, of whatever client.
const LONG_RESPONSE: Duration = Duration::from_micros(500);
const LARGE_RESPONSE: usize = 64 * 1024;

/// A request thread: the owner of one lane.
pub struct Worker {
    door: Arc<Door>,
    lane: Option<Lane>,
    state: WorkerState,
    /// Requests in the lane, the oldest first.
    in_lane: VecDeque<Box<PendingRequest>>,
    /// Whether the last response took long.
    was_long: bool,
    /// The connection at hand: closed should its worker panic.
    conn: Option<Arc<Conn>>,
}

impl Worker {
    /// A worker with its lane.
    pub fn new(door: Arc<Door>, lane: Lane) -> Worker {
        Worker {
            door,
            lane: Some(lane),
            state: WorkerState::default(),
            in_lane: VecDeque::with_capacity(READ_AHEAD),
            was_long: false,
            conn: None,
        }
    }

    /// Works until the gateway stops. Should anything here panic, the connection at hand is closed; the worker goes on, and
    /// another may lead.
    pub fn work(mut self) {
        let door = Arc::clone(&self.door);
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.turn(&door))) {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => {
                    self.lane_broke(&io::Error::other("its worker panicked"));
                    if let Some(conn) = self.conn.take() {
                        door.close(&conn);
                    }
                    door.scheduler.resign(&mut self.state);
                }
            }
        }
    }

    /// Does the next tasks; false once the gateway has stopped.
    fn turn(&mut self, door: &Door) -> bool {
        door.poll_if_due();
        let Some(work) = door.next(&mut self.state) else { return false };
        self.begin(work);
        // A bounded number: tasks that put nothing into the lane must not delay what is in it.
        for _ in 0..READ_AHEAD {
            if !self.may_read_ahead() {
                break;
            }
            let Some(work) = door.try_next(&mut self.state) else { break };
            self.begin(work);
            door.poll_if_due();
        }
        while let Some(oldest) = self.in_lane.pop_front() {
            self.serve(oldest);
            door.poll_if_due();
        }
        true
    }

    fn may_read_ahead(&self) -> bool {
        let last = self.in_lane.back();
        !self.was_long
            && self.in_lane.len() < READ_AHEAD
            && last.is_some_and(|pending| pending.uses_lane && !is_large(&pending.request))
    }

    fn begin(&mut self, work: Work) {
        let (conn, next) = match work {
            Work::Advance(conn) => {
                if conn.leave_line() {
                    return self.door.close(&conn);
                }
                self.conn = Some(Arc::clone(&conn));
                let advanced = advance(&self.door, &conn, &mut lock(&conn.buffers));
                let next = match advanced {
                    Advanced::Request(pending) => self.accept(pending),
                    Advanced::Next(next) => next,
                };
                (conn, next)
            }
            Work::Serve(pending) => (Arc::clone(&pending.conn), self.send(pending)),
            Work::Refuse(pending) => (Arc::clone(&pending.conn), self.refuse(pending)),
            Work::Answer(pending, Some(response)) => {
                (Arc::clone(&pending.conn), self.respond(&pending, *response))
            }
            // Nobody has taken it: it waits for a worker after all.
            Work::Answer(pending, None) => (Arc::clone(&pending.conn), self.queue(pending)),
            // The one that asked may have stopped waiting.
            Work::Heartbeat(asked) => {
                let _ = asked.try_send(());
                return;
            }
        };
        self.go_on(conn, next);
    }

    /// Goes on with a connection. Events that came meanwhile are handled after others had their turn.
    fn go_on(&mut self, conn: Arc<Conn>, next: Next) {
        self.conn = None;
        match next {
            Next::Wait if begin_wait(&self.door, &conn) => {
                if !conn.let_go() {
                    self.door.push(Work::Advance(conn));
                }
            }
            Next::Wait | Next::Close => self.door.close(&conn),
            Next::Taken => {}
        }
    }

    /// Takes a whole request: into the lane, into the queue, or refused.
    fn accept(&mut self, pending: Box<PendingRequest>) -> Next {
        if !has_budget(&self.door, &pending) {
            return self.respond(&pending, self.door.busy(&pending));
        }
        let is_guest = pending.request.class() == Some(Class::Guest);
        pending.conn.share.set_runs_guests(is_guest);
        if !is_guest || !self.door.is_taken_for(pending.request.client) {
            return self.send(pending);
        }
        match self.door.offer(pending, false) {
            Some(pending) => self.queue(pending),
            None => Next::Taken,
        }
    }

    /// Queues a request that must wait for a worker: now, rather than after the lane.
    fn queue(&mut self, pending: Box<PendingRequest>) -> Next {
        match self.door.enter(pending) {
            Admitted::Run(pending) => self.send(pending),
            Admitted::Queued(_) => Next::Taken,
            Admitted::Full(pending) => self.refuse(pending),
        }
    }

    /// Hands a request to the lane, which is empty or may have one more (`may_read_ahead`).
    fn send(&mut self, mut pending: Box<PendingRequest>) -> Next {
        pending.uses_lane = self.door.service.uses_lane(&pending.request);
        if !pending.uses_lane {
            self.in_lane.push_back(pending);
            return Next::Taken;
        }
        if self.lane.is_none() {
            self.lane = Lane::reopen();
        }
        let Some(lane) = &mut self.lane else {
            return self.lose(pending, &io::ErrorKind::NotConnected.into());
        };
        lane.send(&pending.request);
        self.in_lane.push_back(pending);
        Next::Taken
    }

    /// Serves the oldest request in the lane.
    fn serve(&mut self, mut pending: Box<PendingRequest>) {
        let conn = Arc::clone(&pending.conn);
        self.conn = Some(Arc::clone(&conn));
        let taken = match &mut self.lane {
            _ if !pending.uses_lane => Ok(()),
            Some(lane) => lane.take(&mut pending.request),
            None => Err(io::ErrorKind::NotConnected.into()),
        };
        let next = match taken {
            Err(error) => self.lose(pending, &error),
            Ok(()) => match self.door.enter(pending) {
                Admitted::Run(mut pending) => {
                    let response = self.handle(&mut pending);
                    self.respond(&pending, response)
                }
                Admitted::Queued(_) => Next::Taken,
                Admitted::Full(pending) => self.refuse(pending),
            },
        };
        self.go_on(conn, next);
    }

    /// Has a request handled. Requests queued for its worker may run as soon as its guest has ended.
    fn handle(&mut self, pending: &mut Box<PendingRequest>) -> Response {
        let door = Arc::clone(&self.door);
        let client = pending.request.client;
        let is_long = Cell::new(false);
        let abandoned = Cell::new(0);
        let own = RefCell::new((&mut self.state, &mut self.in_lane));
        // Requests behind this one in the lane must not wait for it.
        let abandon = |in_lane: &mut VecDeque<Box<PendingRequest>>| {
            for next in in_lane.drain(..) {
                let is_in_lane = next.uses_lane && !is_large(&next.request);
                abandoned.set(abandoned.get() + usize::from(is_in_lane));
                door.push(Work::Serve(next));
            }
        };
        let when_long = || {
            if is_long.replace(true) {
                // A long guest must not keep the processor from the leader.
                return std::thread::yield_now();
            }
            let (state, in_lane) = &mut *own.borrow_mut();
            door.begin_long(state, client);
            abandon(in_lane);
        };
        let begin = Instant::now();
        // The worker waits for a moment: another one may lead and have what is behind.
        let when_waiting = || {
            let (state, in_lane) = &mut *own.borrow_mut();
            door.scheduler.resign(state);
            abandon(in_lane);
        };
        let hooks = Hooks { when_long: Some(&when_long), when_waiting: Some(&when_waiting) };
        let conn = Arc::clone(&pending.conn);
        let stream =
            |request: &Request| -> Box<dyn Stream> { Box::new(ClientStream::new(&door, &conn, request)) };
        let context = Context { begin: pending.begin, hooks, stream: &stream, status: &|| door.status() };
        let handled = catch_unwind(AssertUnwindSafe(|| door.service.handle(&mut pending.request, &context)));
        let response = handled.unwrap_or_else(|_| {
            let target = cut(&pending.request.target, LOG_TARGET_BYTES_MAX);
            log::error!("answering {} {} panicked", pending.request.method, target.escape_debug());
            Response::problem(INTERNAL, "the gateway failed on this request")
        });
        self.was_long = begin.elapsed() > LONG_RESPONSE || response.body.len() > LARGE_RESPONSE;
        if let Some(lane) = &mut self.lane {
            lane.abandon(abandoned.get());
        }
        if is_long.get() {
            door.scheduler.end_long(client);
        }
        door.leave(pending);
        response
    }

    fn respond(&self, pending: &PendingRequest, response: Response) -> Next {
        respond(&self.door, pending, response, &mut lock(&pending.conn.buffers))
    }

    /// Responds to a request that is not to be served here.
    fn refuse(&self, pending: Box<PendingRequest>) -> Next {
        match self.door.offer(pending, true) {
            Some(pending) => self.respond(&pending, self.door.busy(&pending)),
            None => Next::Taken,
        }
    }

    /// Responds to a request with which the lane broke.
    fn lose(&mut self, mut pending: Box<PendingRequest>, error: &io::Error) -> Next {
        self.lane_broke(error);
        self.door.leave(&mut pending);
        self.respond(&pending, self.door.service.lost(&pending.request))
    }

    /// Drops the lane. Requests in it become tasks again.
    fn lane_broke(&mut self, error: &io::Error) {
        log::error!("a lane broke: {error}");
        self.lane = None;
        for left in self.in_lane.drain(..) {
            self.door.push(Work::Serve(left));
        }
    }
}
