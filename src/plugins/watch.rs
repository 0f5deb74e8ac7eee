//! Keeps plug-ins in step with their folder.
//!
//! It polls. That works on every file system (inotify does not see network mounts), needs no descriptor, and
//! costs one `stat` for each module and scan.

use crate::base::error::Error;
use crate::base::heap;
use crate::plugins::catalog::Catalog;
use crate::plugins::folder::Changes;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Time between two scans. Two scans that are far enough apart must agree ([`crate::plugins::folder::SETTLE`]), so a change appears
/// within 2 s.
pub const INTERVAL: Duration = Duration::from_millis(500);

/// After one of this many scans, free memory is given back to the system.
const LOOKS_PER_TRIM: u32 = 4;

/// One of this many scans reads the policies, because a mapped file can change without a new stamp.
const LOOKS_PER_COMPARISON: u32 = 10;

const STACK_BYTES: usize = 1024 * 1024;

/// Called after a requested scan.
type Then = Box<dyn FnOnce() + Send>;

/// A thread that scans until this is dropped.
#[derive(Debug)]
pub struct Watch {
    ask: Option<Sender<Then>>,
}

impl Watch {
    /// Starts watching.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(catalog: Arc<Catalog>) -> std::io::Result<Watch> {
        let (ask, asked) = channel::<Then>();

        std::thread::Builder::new().name("watch".into()).stack_size(STACK_BYTES).spawn(move || {
            let mut readable = true;
            let mut looks = 0_u32;
            loop {
                let then = match asked.recv_timeout(INTERVAL) {
                    Ok(then) => Some(then),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => return,
                };
                catalog.expire_idle();
                catalog.say_dropped_lines();
                looks = looks.wrapping_add(1);
                if looks.is_multiple_of(LOOKS_PER_TRIM) {
                    heap::trim();
                }
                if then.is_some() || looks.is_multiple_of(LOOKS_PER_COMPARISON) {
                    catalog.compare_contents(then.is_some());
                }
                match look(&catalog, then.is_some()) {
                    Ok(changes) => {
                        readable = true;
                        log_changes(&changes);
                    }
                    Err(error) if readable || then.is_some() => {
                        readable = false;
                        log::error!("{error}; the plug-ins are unchanged");
                    }
                    Err(_) => {}
                }
                if let Some(then) = then {
                    then();
                }
            }
        })?;
        Ok(Watch { ask: Some(ask) })
    }

    /// Requests a scan, then calls `then`; does not wait.
    pub fn look(&self, then: impl FnOnce() + Send + 'static) {
        if let Some(ask) = &self.ask {
            // Only a panic ends the thread. Without it, nothing scans.
            let _ = ask.send(Box::new(then));
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // The thread ends by itself. A module that it is compiling must not delay the caller.
        drop(self.ask.take());
    }
}

/// Scans once; or, if somebody waits, until the changes have settled.
fn look(catalog: &Catalog, is_awaited: bool) -> Result<Changes, Error> {
    if is_awaited { catalog.settle() } else { catalog.reload() }
}

/// Logs the changes of a scan.
pub fn log_changes(changes: &Changes) {
    for name in &changes.loaded {
        log::info!("plug-in {name} loaded");
    }
    for name in &changes.replaced {
        log::info!("plug-in {name} replaced");
    }
    for name in &changes.removed {
        log::info!("plug-in {name} removed");
    }
    for error in &changes.failed {
        log::warn!("not loaded: {error}");
    }
}
