//! The thread that starts processes and waits for their ends. Only it may start any: a process is told to die with the
//! thread that started it (`PR_SET_PDEATHSIG`).

use super::pool::{Order, Pool};
use super::process::Process;
use std::path::Path;
use std::process::Child;
use std::sync::Weak;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often ends of killed processes are looked for. One that hangs in a system call may take long.
const LOOK: Duration = Duration::from_millis(10);

/// How long what is not urgent waits, so that a response goes out first.
const MOMENT: Duration = Duration::from_millis(3);

/// How many times they are looked for at the end.
const LAST_LOOKS: u32 = 100;

/// How often it is looked whether there is still somebody to work for.
const IDLE: Duration = Duration::from_secs(1);

/// Works until the pool is gone.
pub fn supervise(orders: &Receiver<Order>, pool: &Weak<Pool>, program: &Path) {
    let mut dying: Vec<Child> = Vec::new();
    let mut looked = Instant::now();
    let (mut displaced, mut settles) = (Vec::new(), None);
    loop {
        let longest = if dying.is_empty() { IDLE } else { LOOK };
        let left = settles.map_or(longest, |at: Instant| at.saturating_duration_since(Instant::now()));
        match orders.recv_timeout(left.min(longest)) {
            Ok(Order::Spares) => start(pool, program),
            Ok(Order::Settle(mut more)) => {
                displaced.append(&mut more);
                settles.get_or_insert_with(|| Instant::now() + MOMENT);
            }
            Ok(Order::Bury(child)) => dying.push(child),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if settles.take_if(|at| Instant::now() >= *at).is_some() {
            dying.extend(displaced.drain(..).filter_map(Process::kill));
            start(pool, program);
        }
        dying.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        if looked.elapsed() >= IDLE
            && let Some(pool) = pool.upgrade()
        {
            looked = Instant::now();
            pool.end_busy_idlers();
        }
    }
    dying.extend(displaced.into_iter().filter_map(Process::kill));
    // They have been killed. One that hangs in a system call is left to the system.
    for _ in 0..LAST_LOOKS {
        dying.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        if dying.is_empty() {
            return;
        }
        std::thread::sleep(LOOK);
    }
}

fn start(pool: &Weak<Pool>, program: &Path) {
    while let Some((pool, kind)) =
        pool.upgrade().and_then(|pool| pool.missing().map(|kind| (pool.clone(), kind)))
    {
        let started = Process::start(program, kind);
        let has_failed = started.is_err();
        pool.add(kind, started.map_err(|error| format!("{}: {error}", program.display())));
        if has_failed {
            return;
        }
    }
}
