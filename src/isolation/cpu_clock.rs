//! The processor time of another process, which /proc does not tell where it hides processes (systemd's `ProtectProc`).
#![allow(unsafe_code)]

use std::time::Duration;

/// The processor time that the process `id` has used, if there is one.
pub fn of(id: u32) -> Option<Duration> {
    let id = libc::pid_t::try_from(id).ok()?;
    let mut clock = 0;
    // SAFETY: the C library writes a number of this type to `clock`, which lives here, and keeps nothing.
    if unsafe { libc::clock_getcpuclockid(id, &raw mut clock) } != 0 {
        return None;
    }
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: as above, with `time`. A clock of a process that has ended is an error.
    if unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
        return None;
    }
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?);
    Some(Duration::new(seconds, nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_with_work_and_ends_with_the_process() {
        let own = || of(std::process::id()).unwrap();
        let before = own();
        let begin = std::time::Instant::now();
        while own() <= before {
            assert!(begin.elapsed() < Duration::from_secs(10), "it stands still");
        }
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let id = child.id();
        assert!(of(id).is_some());
        let _ = child.kill();
        let _ = child.wait();
        assert_eq!(of(id), None);
    }
}
