//! What the program `differential` does: seeds to modules, over threads, until time, modules or executions
//! are used up or a difference is found.

use crate::choices::Choices;
use crate::compare::{Counts, Difference, Roads, module};
use crate::generate::{Fault, Made, Shape, make};
use crate::smith;
use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Faults that fuelbox's rewriting keeps away, so that modules for its road run into them. It refuses block
/// parameters.
pub const REWRITTEN: &[Fault] = &[Fault::Selects, Fault::FarStores];

/// What to run.
#[derive(Debug, Clone)]
pub struct Session {
    /// The first seed.
    pub seed: u64,
    /// How long.
    pub time: Option<Duration>,
    /// How many modules.
    pub modules: Option<u64>,
    /// How many executions.
    pub executions: Option<u64>,
    /// How many threads.
    pub threads: usize,
    /// Whether it goes on after a difference.
    pub keep_going: bool,
    /// Where modules come from and which way they take.
    pub source: Source,
}

/// Where modules come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The generator for fuelbox's road, for both roads, and wasm-smith, in turn.
    Mixed,
    /// wasm-smith alone.
    Smith,
    /// The generator, on wasmi alone, with one of its faults.
    Fault(Fault),
    /// The generator on fuelbox's road with these faults.
    With(Shape),
}

/// A module with a difference.
pub struct Found {
    /// Its seed.
    pub seed: u64,
    /// It.
    pub made: Made,
    /// The roads on which it differs.
    pub roads: Roads,
    /// The difference.
    pub difference: Difference,
}

thread_local! {
    /// The seed that this thread works on: for the panic hook, as not every panic can be caught.
    pub static SEED: Cell<u64> = const { Cell::new(0) };
}

/// The module of a seed, and the roads that it takes.
pub fn module_of(seed: u64, source: Source) -> Option<(Made, Roads)> {
    let fuelbox = Roads { fuelbox: true, work_arounds: true, plain: false };
    let make = |shape| make(&mut Choices::seeded(seed), shape);
    Some(match source {
        Source::Mixed if seed.is_multiple_of(8) => (smith::make(seed)?, fuelbox),
        Source::Mixed if seed.is_multiple_of(2) => (make(Shape::default()), Roads { plain: true, ..fuelbox }),
        Source::Mixed => (make(Shape::with(REWRITTEN)), fuelbox),
        Source::Smith => (smith::make(seed)?, fuelbox),
        Source::Fault(fault) => {
            (make(Shape::with(&[fault])), Roads { fuelbox: false, work_arounds: false, plain: true })
        }
        Source::With(shape) => (make(shape), fuelbox),
    })
}

/// Runs; gives the counts and, unless it keeps going, at most one difference.
pub fn run(session: &Session, tell: &(dyn Fn(&Found) + Sync)) -> Counts {
    let (next, executions, stop) = (AtomicU64::new(session.seed), AtomicU64::new(0), AtomicBool::new(false));
    let all = Mutex::new(Counts::default());
    let started = Instant::now();
    let work = || {
        let mut counts = Counts::default();
        while !stop.load(Relaxed) {
            let seed = next.fetch_add(1, Relaxed);
            let is_over = session.time.is_some_and(|time| started.elapsed() >= time)
                || session.modules.is_some_and(|modules| seed - session.seed >= modules)
                || session.executions.is_some_and(|most| executions.load(Relaxed) >= most);
            if is_over {
                break;
            }
            SEED.set(seed);
            let Some((made, roads)) = module_of(seed, session.source) else { continue };
            let before = counts.executions;
            let difference = module(&made, roads, &mut counts);
            executions.fetch_add(counts.executions - before, Relaxed);
            if let Some(difference) = difference {
                let is_first = !stop.swap(!session.keep_going, Relaxed);
                if is_first {
                    tell(&Found { seed, made, roads, difference });
                }
            }
        }
        *all.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) += counts;
    };
    std::thread::scope(|scope| (0..session.threads).for_each(|_| drop(scope.spawn(work))));
    all.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())
}
