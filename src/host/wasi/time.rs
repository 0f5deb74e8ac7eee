//! The clocks behind `clock_time_get`, `clock_res_get` and `poll_oneoff`.

use super::abi::{Errno, clock_id};
use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};
use std::time::{Duration, Instant, SystemTime};

/// 2025-01-01T00:00:00Z in seconds since 1970: when every reproducible run begins.
const REPRODUCIBLE_EPOCH_S: u64 = 1_735_689_600;

/// Where a guest's time comes from.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// The system's clocks; all but the real-time one count from the start of the run.
    System {
        /// The start.
        started: Instant,
        /// CPU time then, if it is to be told.
        cpu: Option<CpuTime>,
    },
    /// All clocks stand at this many nanoseconds.
    Fixed(u64),
    /// One nanosecond for each fuel unit, the same on every machine.
    Fuel {
        /// Fuel used so far.
        used: u64,
        /// Nanoseconds slept, which pass at once.
        slept: u64,
    },
}

/// CPU time of the thread that runs the guest, at some moment.
#[derive(Debug, Clone, Copy)]
pub struct CpuTime(Duration);

impl CpuTime {
    /// Now.
    pub fn now() -> CpuTime {
        CpuTime(duration(clock_gettime(ClockId::ThreadCPUTime)))
    }
}

fn duration(time: Timespec) -> Duration {
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Clock {
    /// The system's clocks, from now on.
    pub fn system() -> Clock {
        Clock::System { started: Instant::now(), cpu: None }
    }

    /// The clock of a reproducible run.
    pub fn fuel() -> Clock {
        Clock::Fuel { used: 0, slept: 0 }
    }

    /// The time of the clock `id` in nanoseconds. EINVAL for an unknown clock.
    pub fn now(&self, id: u32) -> Result<u64, Errno> {
        if id > clock_id::THREAD_CPUTIME {
            return Err(Errno::Inval);
        }
        Ok(match (*self, id) {
            (Clock::Fixed(ns), _) => ns,
            (Clock::Fuel { used, slept }, clock_id::REALTIME) => {
                (REPRODUCIBLE_EPOCH_S * 1_000_000_000).saturating_add(used).saturating_add(slept)
            }
            (Clock::Fuel { used, slept }, clock_id::MONOTONIC) => used.saturating_add(slept),
            // Sleeping takes no CPU time.
            (Clock::Fuel { used, .. }, _) => used,
            (Clock::System { .. }, clock_id::REALTIME) => {
                nanoseconds(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
            }
            (Clock::System { started, .. }, clock_id::MONOTONIC) => nanoseconds(started.elapsed()),
            // A guest is one thread, and its process is nothing else.
            (Clock::System { cpu, .. }, _) => {
                let CpuTime(then) = cpu.ok_or(Errno::Notsup)?;
                nanoseconds(CpuTime::now().0.saturating_sub(then))
            }
        })
    }

    /// The resolution of the clock `id` in nanoseconds. EINVAL for an unknown clock.
    pub fn resolution(&self, id: u32) -> Result<u64, Errno> {
        let host = match id {
            clock_id::REALTIME => ClockId::Realtime,
            clock_id::MONOTONIC => ClockId::Monotonic,
            clock_id::PROCESS_CPUTIME | clock_id::THREAD_CPUTIME => ClockId::ThreadCPUTime,
            _ => return Err(Errno::Inval),
        };
        match self {
            Clock::System { .. } => Ok(nanoseconds(duration(clock_getres(host))).max(1)),
            _ => Ok(1),
        }
    }

    /// Sleeps for `ns` if that takes no time.
    pub fn skip(&mut self, ns: u64) -> bool {
        match self {
            Clock::Fuel { slept, .. } => {
                *slept = slept.saturating_add(ns);
                true
            }
            _ => false,
        }
    }
}
