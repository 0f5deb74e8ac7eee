//! Checks that the system gives what `--workers` takes: threads, their stacks, descriptors.
//!
//! It is asked before the first lane is opened. tiny_http panics where it gets no thread, and std ends the process
//! where a new thread gets no page for its signal stack; neither is an answer to whoever wrote `--workers 5000`.

use crate::base::limits::check_workers;
use crate::base::memory::Memory;
use rustix::process::{Resource, getrlimit};
use std::hint::black_box;
use std::io;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::thread::{Builder, scope};

/// Threads of a lane while it is opened: four of tiny_http's pool and the one that accepts. All but one end after 5 s.
const LANE_THREADS: usize = 5;

/// Descriptors of a lane: tiny_http's listener and connection, and the worker's end of it.
const LANE_DESCRIPTORS: u64 = 3;

/// Descriptors needed beside: for the poll, and for one lane while it is opened. Client connections are not counted: the
/// gateway makes do with fewer.
const DOOR_DESCRIPTORS: u64 = 16;

/// The stack that a thread has unless told otherwise, with what goes with it, in bytes of address space.
const THREAD_BYTES: u64 = 2 * 1024 * 1024 + 64 * 1024;

/// Checks that `workers` guests at once can be had, for which there are so many `lanes` and, in other processes, guests'
/// `processes`.
///
/// # Errors
/// `InvalidInput` for a number that is none; otherwise what is missing. Each names `--workers`.
pub fn check(workers: usize, lanes: usize, processes: usize) -> io::Result<()> {
    check_workers(workers).map_err(|what| io::Error::new(io::ErrorKind::InvalidInput, what))?;
    check_descriptors(workers, lanes, processes)?;
    check_threads(workers, lanes)
}

/// The error of a worker or its lane that the system did not give, though it was asked before.
pub fn missing(workers: usize, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("--workers is {workers}, and one of them cannot be had: {error}"))
}

fn check_descriptors(workers: usize, lanes: usize, processes: usize) -> io::Result<()> {
    let Some(limit) = getrlimit(Resource::Nofile).current else { return Ok(()) };
    // Without procfs, as many as a gateway has before its first lane.
    let open = std::fs::read_dir("/proc/self/fd").map_or(9, |entries| entries.count() as u64);
    let needed = open + DOOR_DESCRIPTORS + LANE_DESCRIPTORS * lanes as u64 + processes as u64;
    if needed <= limit {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "--workers is {workers}, which takes {needed} descriptors, and the limit is {limit} (ulimit -n): lower the \
         one or raise the other"
    )))
}

/// Whether the address space has room for another thread. Asked for itself: a stack that fits, and the page for signals
/// that does not, would be the end of the process.
fn has_space() -> bool {
    let Some(limit) = getrlimit(Resource::As).current else { return true };
    Memory::own().is_none_or(|memory| memory.space + THREAD_BYTES <= limit)
}

/// Takes a little memory, with which glibc gives a thread an arena of its own, says that it runs, and waits until the gate
/// is open.
fn wait(gate: &Mutex<()>, runs: &Sender<()>) {
    drop(black_box(vec![0u8; 64]));
    // Nobody listens any more only when the check has failed.
    let _ = runs.send(());
    drop(gate.lock());
}

/// Has all the threads at once that the lanes and the workers will be.
fn check_threads(workers: usize, lanes: usize) -> io::Result<()> {
    let needed = lanes * (LANE_THREADS + 1);
    let gate = Mutex::new(());
    let (runs, running) = channel();
    scope(|scope| {
        let held = gate.lock();
        for given in 0..needed {
            let why = match has_space() {
                false => "the address space is used up (ulimit -v)".to_string(),
                true => match Builder::new().spawn_scoped(scope, || wait(&gate, &runs)) {
                    Ok(_) => {
                        // Only then does it have all that it takes, so that the next look at the space is true.
                        let _ = running.recv();
                        continue;
                    }
                    Err(error) => format!("{error} (ulimit -u, ulimit -v, or a control group's pids.max)"),
                },
            };
            // `held` goes with this, and the threads end.
            return Err(io::Error::other(format!(
                "--workers is {workers}, which takes {needed} threads while the gateway starts, and the system gives \
                 {given}: {why}"
            )));
        }
        drop(held);
        Ok(())
    })
}
