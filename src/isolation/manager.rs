//! Loads modules and runs guests in processes.

use super::callout::Callout;
use super::census::ProcessUsage;
use super::channel::{Ask, Lost};
use super::child::Kind;
use super::config::Isolation;
use super::ends::{NO_PROCESS, died, no_process, stopped};
use super::image::Image;
use super::pool::{KEPT, NoProcess, Order, Pool, Sealed};
use super::process::{END, Process};
use super::relay::Relay;
use super::spare::bound;
use super::spec::{Spec, binding};
use super::wire::{Binding, Frame, Ran, Request, write_head};
use super::{sane, supervisor};
use crate::abi::given::Given;
use crate::abi::{FromPolicy, Hooks};
use crate::base::error::{Error, LoadProblem};
use crate::base::limits::Limits;
use crate::base::lock::lock;
use crate::base::outcome::Stop;
use crate::host::wasi::ctx::GuestEnv;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Time beyond the deadline after which a process is killed.
pub const GRACE: Duration = Duration::from_millis(20);

/// Time that loading a module may take.
pub const LOAD_TIME: Duration = Duration::from_secs(30);

/// Time that a process for a run may take to load a module: this many times what it took to load and try it, and more.
const LOAD_TIMES: u32 = 4;
const LOAD_SPARE: Duration = Duration::from_secs(1);

/// Time that a spare process may take to be ready.
const BIND_TIME: Duration = Duration::from_secs(5);

/// Processes in a row that may die while they load a module.
pub const LOAD_DEATHS_MAX: u32 = 3;

/// Directories of a plug-in, at most: they are passed in one message.
pub const DIRS_MAX: usize = super::child::DESCRIPTORS_MAX - 1;

/// Bytes of a run's answer beside what the guest gave: its head.
const ANSWER_BYTES: usize = 64 * 1024;

/// What a process ends with that says what no process of ours does.
pub const BROKEN: Stop = Stop::Died { how: "protocol", signal: None };

/// Loads and runs in processes, the first of which is started when it is needed.
#[derive(Debug)]
pub struct Manager {
    config: Isolation,
    pool: Mutex<Option<Arc<Pool>>>,
    /// The most memory of its own that a process had after it loaded a module, in bytes.
    process_bytes: AtomicU64,
}

impl Manager {
    /// Without processes yet.
    pub fn new(config: Isolation) -> Manager {
        Manager { config, pool: Mutex::default(), process_bytes: AtomicU64::new(0) }
    }

    /// Whether every plug-in runs in a process.
    pub fn has_all(&self) -> bool {
        self.config.all
    }

    /// The most processes at a time: bound ones, spares of both kinds, one that loads or tries a module, and one that is
    /// being ended.
    pub fn processes(&self) -> usize {
        KEPT * self.places() + 2 * self.spares() + 2
    }

    /// The memory that one of them has for itself without a guest's, in bytes, as far as it was measured.
    pub fn process_bytes(&self) -> u64 {
        self.process_bytes.load(Relaxed)
    }

    /// What they use now.
    pub fn usage(&self) -> ProcessUsage {
        let pool = lock(&self.pool).clone();
        pool.map_or(ProcessUsage::default(), |pool| pool.census.usage())
    }

    fn places(&self) -> usize {
        self.config.processes.max(1)
    }

    fn spares(&self) -> usize {
        if self.config.per_call { self.places().min(SPARES_PER_CALL) } else { 1 }
    }

    /// Checks that processes can be started and confined here, by one that loads an empty module.
    ///
    /// # Errors
    /// They cannot.
    pub fn check(&self) -> Result<(), Error> {
        let pool = self.pool()?;
        let no_process = |NoProcess(why)| Error::Internal(format!("no process for guests can be had: {why}"));
        let spare = pool.take_spare(Kind::Closed).map_err(no_process)?;
        pool.add(Kind::Closed, Ok(spare));
        self.load("the empty module", b"\0asm\x01\0\0\0", (&Limits::default(), false)).map(|_| ())
    }

    /// The processes.
    fn pool(&self) -> Result<Arc<Pool>, Error> {
        let mut pool = lock(&self.pool);
        if let Some(pool) = &*pool {
            return Ok(Arc::clone(pool));
        }
        let started = self.start();
        let started = started.map_err(|source| Error::Io { path: self.config.program.clone(), source })?;
        Ok(Arc::clone(pool.insert(started)))
    }

    fn start(&self) -> io::Result<Arc<Pool>> {
        let Isolation { program, per_call, .. } = self.config.clone();
        let (send, receive) = channel();
        let pool = Arc::new(Pool::new(send.clone(), (self.places(), self.spares()), per_call));
        let weak_pool = Arc::downgrade(&pool);
        let thread = std::thread::Builder::new().name("processes".into());
        thread.spawn(move || supervisor::supervise(&receive, &weak_pool, &program))?;
        // The thread waits for orders until there is no pool.
        let _ = send.send(Order::Spares);
        Ok(pool)
    }

    /// Loads a module in a process: one that does harm there harms nothing else.
    ///
    /// # Errors
    /// As [`Program::compile`](crate::Program::compile).
    pub fn load(
        &self,
        name: &str,
        bytes: &[u8],
        (limits, is_traced): (&Limits, bool),
    ) -> Result<Sealed, Error> {
        let problem = |problem| Error::Load { name: name.into(), problem };
        if bytes.len() > limits.module_bytes {
            let (size, limit) = (bytes.len() as u64, limits.module_bytes);
            return Err(problem(LoadProblem::TooLarge { size, limit }));
        }
        let image = Image::of(bytes).map_err(|_| NO_PROCESS)?;
        let file = image.seal().map_err(|source| Error::Io { path: name.into(), source })?;
        let environment = GuestEnv::default();
        let policy = FromPolicy { convention: None, guest_env: &environment, args: &[], is_traced };
        let binding = binding(&self.config, (name, limits), (&policy, None), image.size());
        let binding = Binding { tries_all: true, ..binding };
        let pool = self.pool()?;
        let begin = Instant::now();
        let until = || Instant::now() + BIND_TIME;
        let take = || pool.take_spare(Kind::Closed).map(|spare| (spare, false));
        let bind = |spare: &mut Process| spare.bind(&binding, &[file.as_fd()], (until(), Hooks::default()));
        let (mut process, _) = bound(take, bind, |spare| pool.give_up(spare)).map_err(no_process)?;
        let loaded = match process.load(begin + LOAD_TIME, Hooks::default()) {
            Ok(Ok(facts)) => {
                self.process_bytes.fetch_max(process.own_bytes().unwrap_or(UNKNOWN_BYTES), Relaxed);
                let facts = facts.and_then(|facts| sane::facts(facts, limits));
                let nonsense = || LoadProblem::Invalid("the process that loaded it gave nonsense".into());
                facts.ok_or_else(|| problem(nonsense())).map(|facts| {
                    let (load_time, deaths) = (begin.elapsed(), AtomicU32::new(0));
                    Sealed { image, facts, load_time, deaths }
                })
            }
            Ok(Err(mut failure)) => {
                sane::failure(&mut failure);
                Err(failure.into_error(name))
            }
            Err(Lost::Late) => {
                let what = format!("loading it takes more than {} s", LOAD_TIME.as_secs());
                Err(problem(LoadProblem::Invalid(what)))
            }
            Err(_) => {
                let what = format!("the process that loaded it died: {}", process.death(END).how);
                Err(problem(LoadProblem::Invalid(what)))
            }
        };
        pool.give_up(process);
        loaded
    }

    /// Makes an instance, its start function included, and calls nothing.
    ///
    /// # Errors
    /// As a run.
    pub fn try_instance(&self, spec: &Spec<'_>) -> Result<Result<(), Stop>, Error> {
        let mut relay = Relay::silent();
        let (ran, _) = self.answer(spec, Request::Try, ([&[], &[]], Hooks::default()), &mut relay)?;
        Ok(ran.result.map(|_| ()))
    }

    /// Runs a guest with `given` and `bytes`. The second part of the result are the bytes that it gave.
    ///
    /// # Errors
    /// What does not fit; no process.
    pub fn run(
        &self,
        spec: &Spec<'_>,
        given: &Given,
        bytes: &[u8],
        (relay, hooks): (&mut Relay, Hooks<'_>),
    ) -> Result<(Ran, Vec<u8>), Error> {
        let mut head = Vec::new();
        write_head(&mut head, given).map_err(|error| Error::Internal(format!("a request: {error}")))?;
        self.answer(spec, Request::Run, ([&head, bytes], hooks), relay)
    }

    /// Ends the processes of plug-ins that are gone.
    pub fn retire(&self) {
        let pool = lock(&self.pool).clone();
        pool.iter().for_each(|pool| pool.retire());
    }

    fn answer(
        &self,
        spec: &Spec<'_>,
        request: Request,
        (message, hooks): ([&[u8]; 2], Hooks<'_>),
        relay: &mut Relay,
    ) -> Result<(Ran, Vec<u8>), Error> {
        let pool = self.pool()?;
        let when_long = || {
            pool.settle();
            hooks.long();
        };
        let hooks = Hooks { when_long: Some(&when_long), ..hooks };
        let result = self.answer_by(&pool, spec, request, (message, hooks), relay);
        pool.settle();
        result
    }

    fn answer_by(
        &self,
        pool: &Pool,
        spec: &Spec<'_>,
        request: Request,
        (message, hooks): ([&[u8]; 2], Hooks<'_>),
        relay: &mut Relay,
    ) -> Result<(Ran, Vec<u8>), Error> {
        let mut process = match self.ready(pool, spec, request, hooks)? {
            Ok(process) => process,
            Err(stop) => return Ok((stopped(stop, Duration::ZERO), Vec::new())),
        };
        let begin = Instant::now();
        let until = spec.limits.deadline.map(|deadline| begin + deadline.saturating_add(GRACE));
        let most = spec.limits.output_bytes.saturating_add(ANSWER_BYTES);
        let calls = Callout::of(spec);
        let most_of_call = calls.as_ref().map_or(0, Callout::most);
        relay.calls(calls);
        let ask = Ask { request, message, most, most_of_call, until, cancel: spec.cancel, hooks };
        relay
            .begin(spec.limits.output_bytes, spec.limits.deadline.and_then(|limit| begin.checked_add(limit)));
        let answered = process.channel.ask(&ask, &mut |kind, bytes| {
            if matches!(kind, Frame::Piece | Frame::Call) {
                // Whoever takes it may have to wait: for its client, or for a server.
                hooks.long();
            }
            relay.take(kind, bytes)
        });
        relay.finish();
        process.busy += begin.elapsed();
        let stop = match answered {
            Ok(mut answer) => match sane::answer(&mut answer, spec.limits, begin.elapsed())
                .and_then(|said| relay.end(said, answer.len()))
            {
                Some(Ok(ran)) => {
                    pool.give_back(process, spec.sealed);
                    return Ok((ran, answer));
                }
                Some(Err(error)) => {
                    // An interpreter that panicked is not asked again.
                    match error {
                        Error::Internal(_) => pool.give_up(process),
                        _ => pool.give_back(process, spec.sealed),
                    }
                    return Err(error);
                }
                None => BROKEN,
            },
            Err(Lost::Late) => match spec.limits.deadline {
                Some(limit) => Stop::Deadline { limit, why: None },
                None => BROKEN,
            },
            Err(Lost::Gone) => {
                // Others need not wait until it is known how it died.
                hooks.long();
                let left = until.map_or(END, |until| until.saturating_duration_since(Instant::now()));
                died(&mut process, left)
            }
            Err(Lost::Cancelled) => Stop::Cancelled,
            Err(Lost::Broken) => BROKEN,
            Err(Lost::NoMemory) => Stop::NoMemory { what: "the output" },
        };
        pool.give_up(process);
        Ok((stopped(stop, begin.elapsed()), Vec::new()))
    }

    /// A process that has loaded the plug-in.
    fn ready(
        &self,
        pool: &Pool,
        spec: &Spec<'_>,
        request: Request,
        hooks: Hooks<'_>,
    ) -> Result<Result<Process, Stop>, Error> {
        let dirs = &spec.policy.guest_env.dirs;
        if dirs.len() > DIRS_MAX {
            let dirs = dirs.len();
            let what = format!("{dirs} directories are more than the {DIRS_MAX} that a process can have");
            return Err(Error::Input(what));
        }
        let sealed = spec.sealed;
        if sealed.deaths.load(Relaxed) >= LOAD_DEATHS_MAX {
            return Ok(Err(Stop::Died { how: "loading", signal: None }));
        }
        let kind = if dirs.is_empty() { Kind::Closed } else { Kind::WithFiles };
        let take = || match request {
            // A change of plug-ins takes no guest's place, and waits for none.
            Request::Try => pool.take_spare(kind).map(|spare| (spare, false)),
            _ => pool.take(sealed, kind, hooks),
        };
        let bind = |spare: &mut Process| {
            let given = (&spec.policy, spec.warm);
            let binding = binding(&self.config, (spec.name, spec.limits), given, sealed.image.size());
            let file = sealed.image.seal().map_err(|error| {
                log::error!("{}: its module cannot be passed on: {error}", spec.name);
                Lost::NoMemory
            })?;
            let mut descriptors: Vec<BorrowedFd<'_>> = vec![file.as_fd()];
            descriptors.extend(dirs.iter().map(|dir| dir.dir.as_fd()));
            spare.bind(&binding, &descriptors, (Instant::now() + BIND_TIME, hooks))
        };
        match bound(take, bind, |spare| pool.give_up(spare)).map_err(no_process)? {
            (process, true) => Ok(Ok(process)),
            (process, false) => self.loaded(pool, spec, process, hooks),
        }
    }

    /// The process, once it has loaded the module of the plug-in.
    fn loaded(
        &self,
        pool: &Pool,
        spec: &Spec<'_>,
        mut process: Process,
        hooks: Hooks<'_>,
    ) -> Result<Result<Process, Stop>, Error> {
        let sealed = spec.sealed;
        let limit = sealed.load_time.saturating_mul(LOAD_TIMES).saturating_add(LOAD_SPARE).min(LOAD_TIME);
        let stop = match process.load(Instant::now() + limit, hooks) {
            Ok(Ok(_)) => {
                sealed.deaths.store(0, Relaxed);
                return Ok(Ok(process));
            }
            Ok(Err(mut failure)) => {
                sane::failure(&mut failure);
                pool.give_up(process);
                return Err(failure.into_error(spec.name));
            }
            Err(Lost::Late) => Stop::Deadline { limit, why: Some("loading the module".into()) },
            Err(Lost::Gone) => died(&mut process, END),
            Err(Lost::Broken | Lost::NoMemory | Lost::Cancelled) => BROKEN,
        };
        // The system, or an operator, kills whatever the module is. One that is late has not died.
        if !matches!(stop, Stop::Died { how: "killed", .. } | Stop::Deadline { .. }) {
            sealed.deaths.fetch_add(1, Relaxed);
        }
        pool.give_up(process);
        Ok(Err(stop))
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        if let Some(pool) = lock(&self.pool).take() {
            pool.stop();
        }
    }
}

/// The memory that a process has for itself where /proc does not tell: about twice what a small plug-in's has.
const UNKNOWN_BYTES: u64 = 2 << 20;

/// Spares of one kind where each call takes one, at most.
const SPARES_PER_CALL: usize = 8;
