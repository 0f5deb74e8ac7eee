//! What a worker does with a connection: read, hand the request to its lane, write the response.

use super::admission::{Admission, Waiting};
use super::lane::{Lane, Message};
use super::lines::Work;
use super::scheduler::{Member, lock};
use crate::base::escape::cut;
use crate::base::limits::LOG_TARGET_BYTES_MAX;
use crate::gateway::connection::conn::Conn;
use crate::gateway::connection::event_loop::Door;
use crate::gateway::connection::pending::{Place, Ready};
use crate::gateway::connection::reply::{Noted, busy, identified, note};
use crate::gateway::connection::state::State;
use crate::gateway::http::message::{Request, Response};
use crate::gateway::http::problem;
use crate::gateway::http::problem::INTERNAL;
use crate::gateway::routes::status;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Requests that a worker has in its lane at a time: tiny_http reads ahead while one is answered.
const PIPELINE: usize = 8;

/// Where the last answer took longer than this or was larger, in bytes, the next request is taken only when there is none
/// in the lane: what is in it waits for all before it, whoever they are of.
const LONG_ANSWER: Duration = Duration::from_micros(500);
const LARGE_ANSWER: usize = 64 * 1024;

/// Clients whose requests a worker takes before it lets its lane run empty: only then are they anyone's again.
const CLIENTS_IN_HAND: usize = 16;

/// A request thread: the owner of one lane.
pub struct Worker {
    pub(crate) door: Arc<Door>,
    lane: Option<Lane>,
    member: Member,
    /// Requests in the lane, the oldest first.
    pipeline: VecDeque<InLane>,
    /// Whether the last one took long.
    was_long: bool,
}

struct InLane {
    waiting: Waiting,
    /// Whether it has its place among the running guests already.
    has_place: bool,
    /// Whether another worker has taken it over, and only the lane still has to be rid of it.
    given_back: bool,
}

/// How far a connection got.
#[expect(
    clippy::large_enum_variant,
    reason = "it is handed on at once, and a box would be an allocation for each request"
)]
pub(crate) enum Over {
    /// It waits for its client.
    Wait,
    /// It ends.
    Close,
    /// It is in other hands: in the queue, or among the work to do.
    Taken,
    /// It has a request.
    Request(Ready),
}

impl Worker {
    /// A worker with its lane.
    pub fn new(door: Arc<Door>, lane: Lane) -> Worker {
        Worker {
            door,
            lane: Some(lane),
            member: Member::default(),
            pipeline: VecDeque::with_capacity(PIPELINE),
            was_long: false,
        }
    }

    /// Works until the door is closed. Should anything here panic, the connection at hand is lost, and
    /// neither the worker nor the lead.
    pub fn work(mut self) {
        let door = Arc::clone(&self.door);
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.turn(&door))) {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => {
                    self.lane_broke(&std::io::Error::other("its worker panicked"));
                    door.crew.resign(&mut self.member);
                }
            }
        }
    }

    /// Does what is next; false if there is nothing, ever.
    fn turn(&mut self, door: &Door) -> bool {
        door.look_if_due();
        if self.pipeline.is_empty() {
            let Some(work) = door.next(&mut self.member) else { return false };
            self.begin(work);
        }
        // Not while there is room: work that never gets into the lane would keep what is in it from being answered.
        for _ in 0..PIPELINE {
            if !self.has_room() {
                break;
            }
            let Some(work) = door.one_more(&mut self.member) else { break };
            self.begin(work);
            door.look_if_due();
        }
        if let Some(oldest) = self.pipeline.pop_front() {
            self.finish(oldest);
        }
        true
    }

    fn has_room(&self) -> bool {
        !self.pipeline.is_empty()
            && self.pipeline.len() < PIPELINE
            && !self.was_long
            && !self.is_closed_off()
            && self.member.clients() < CLIENTS_IN_HAND
    }

    /// Whether the last request in the lane still has its body to come: what is sent now would be taken
    /// for that body, and so one client's bytes for another's.
    fn is_closed_off(&self) -> bool {
        self.pipeline.back().is_some_and(|last| last.waiting.message.is_alone())
    }

    fn begin(&mut self, work: Work) {
        match work {
            Work::Look(conn) => {
                if conn.leave_line() {
                    return self.door.close(&conn);
                }
                let over = self.advance(&conn, &mut lock(&conn.state));
                self.settle(conn, over);
            }
            Work::Run(waiting) => self.send_in(*waiting, true),
            Work::Again(waiting) => self.send_in(*waiting, false),
            Work::Refuse(waiting) => {
                let response = busy(&self.door, &waiting.ready);
                self.turn_away(*waiting, response);
            }
            // Whoever asked may have stopped waiting.
            Work::Pulse(asked) => drop(asked.try_send(())),
        }
    }

    /// Hands a request to the lane.
    fn send_in(&mut self, waiting: Waiting, has_place: bool) {
        if self.is_closed_off() {
            return self.door.give_back(waiting, has_place);
        }
        if self.lane.is_none() {
            self.lane = Lane::reopen();
        }
        let sent = match &mut self.lane {
            Some(lane) => lane.send(&waiting.message),
            None => Err(ErrorKind::NotConnected.into()),
        };
        let Err(error) = sent else {
            return self.pipeline.push_back(InLane { waiting, has_place, given_back: false });
        };
        self.lane_broke(&error);
        if has_place {
            self.door.leave(&waiting.ready);
        }
        let response = status::without_lane(&waiting.ready.target);
        self.turn_away(waiting, response);
    }

    /// Answers a request that is not to be run.
    fn turn_away(&mut self, waiting: Waiting, response: Response) {
        let Waiting { conn, ready, begin, .. } = waiting;
        let over = self.refuse(&conn, &mut lock(&conn.state), &ready, response, begin);
        self.settle(conn, over);
    }

    /// Forgets the lane. What is in it and not begun is begun again elsewhere.
    fn lane_broke(&mut self, error: &std::io::Error) {
        log::error!("a lane broke: {error}");
        self.lane = None;
        for left in self.pipeline.drain(..).filter(|left| !left.given_back) {
            self.door.give_back(left.waiting, left.has_place);
        }
    }

    /// Answers the oldest request in the lane, and goes on with its connection.
    fn finish(&mut self, oldest: InLane) {
        let InLane { waiting, has_place, given_back } = oldest;
        if given_back {
            return self.rid(&waiting.message);
        }
        let waiting = if waiting.ready.place().is_some() && !has_place {
            match self.door.enter(waiting) {
                Admission::Run(waiting) => *waiting,
                Admission::Queued { message, .. } => return self.rid(&message),
                Admission::Full(waiting) => {
                    self.rid(&waiting.message);
                    let response = busy(&self.door, &waiting.ready);
                    return self.turn_away(*waiting, response);
                }
            }
        } else {
            waiting
        };
        let conn = Arc::clone(&waiting.conn);
        let over = self.answer(waiting, &mut lock(&conn.state));
        self.settle(conn, over);
    }

    /// Takes a request out of the lane that is answered elsewhere.
    fn rid(&mut self, message: &Message) {
        if let Some(Err(error)) = self.lane.as_mut().map(|lane| lane.discard(message)) {
            self.lane_broke(&error);
        }
    }

    /// Does what `over` says; looks again if something happened meanwhile.
    fn settle(&mut self, mut conn: Arc<Conn>, mut over: Over) {
        loop {
            match over {
                Over::Taken => return,
                Over::Request(ready) if !self.has_budget(&conn, &ready) => {
                    let response = busy(&self.door, &ready);
                    over = self.refuse(&conn, &mut lock(&conn.state), &ready, response, Instant::now());
                }
                Over::Request(mut ready) => {
                    conn.share.set_runs_guests(ready.place() == Some(Place::Guest));
                    let message = ready.message();
                    let waiting = Waiting { conn, ready, message, begin: Instant::now() };
                    let client = waiting.ready.client;
                    if waiting.ready.place() != Some(Place::Guest) || !self.door.is_taken_for(client) {
                        return self.send_in(waiting, false);
                    }
                    // It has to wait; through the lane, it would only come to that later.
                    let waiting = match self.door.enter(waiting) {
                        Admission::Run(waiting) => return self.send_in(*waiting, true),
                        Admission::Queued { .. } => return,
                        Admission::Full(waiting) => *waiting,
                    };
                    let Waiting { ready, begin, .. } = waiting;
                    conn = waiting.conn;
                    over =
                        self.refuse(&conn, &mut lock(&conn.state), &ready, busy(&self.door, &ready), begin);
                }
                Over::Close => return self.door.close(&conn),
                Over::Wait if !self.begin_wait(&conn) => over = Over::Close,
                Over::Wait if conn.let_go() => return,
                Over::Wait => over = self.advance(&conn, &mut lock(&conn.state)),
            }
        }
    }

    /// Has the request, which is in the lane, answered there, and sends the response. The place among the
    /// running guests is given back as soon as the guest has ended.
    fn answer(&mut self, waiting: Waiting, state: &mut State) -> Over {
        let Waiting { conn, mut ready, message, begin } = waiting;
        let mut head = std::mem::take(&mut ready.head);
        let door = Arc::clone(&self.door);
        let is_long = Cell::new(false);
        let own = RefCell::new((&mut self.member, &mut self.pipeline));
        let when_long = || {
            if is_long.replace(true) {
                // Guests that take long must not take the processor from the door.
                return std::thread::yield_now();
            }
            let (member, pipeline) = &mut *own.borrow_mut();
            door.go_long(member, ready.client);
            // What is behind this request in the lane must not wait for it.
            for next in pipeline.iter_mut().filter(|next| !next.given_back) {
                next.given_back = true;
                door.give_back(next.waiting.clone(), next.has_place);
            }
        };
        let mut seen = Noted::default();
        let mut was_long = false;
        let handle = |request: Option<Request>| {
            let begin = Instant::now();
            let made = catch_unwind(AssertUnwindSafe(|| {
                let Some(request) = request else { return problem::no_memory() };
                let (head, id) = (std::mem::take(&mut head), ready.request_id.clone());
                let request =
                    Request { client: Some(ready.client.address), head, id, role: ready.role, ..request };
                status::answer(&door, &request, &when_long)
                    .unwrap_or_else(|| (door.handler)(request, &when_long))
            }));
            let response = made.unwrap_or_else(|_| {
                let target = cut(&ready.target, LOG_TARGET_BYTES_MAX);
                log::error!("answering {} {} panicked", ready.method, target.escape_debug());
                problem::response(INTERNAL, "the gateway failed on this request")
            });
            seen = Noted::of(&response);
            was_long = begin.elapsed() > LONG_ANSWER || response.body.len() > LARGE_ANSWER;
            identified(response, &ready.request_id)
        };
        let finished = match &mut self.lane {
            Some(lane) => lane.finish(&message, handle, &mut state.output),
            None => Err(ErrorKind::NotConnected.into()),
        };
        self.was_long = was_long;
        if is_long.get() {
            door.crew.come_back(ready.client);
        }
        door.leave(&ready);
        if let Err(error) = finished {
            self.lane_broke(&error);
            state.output.clear();
            let response = status::without_lane(&ready.target);
            return self.refuse(&conn, state, &ready, response, begin);
        }
        self.end_if_asked(state, &ready);
        note(&door, &ready, seen, begin);
        self.send(&conn, state)
    }
}
