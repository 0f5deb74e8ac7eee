//! Ends a run from another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// A run that waits looks this often whether it is cancelled.
pub const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A handle that cancels runs. All that were given a clone of it as [`GuestEnv::cancel`](crate::GuestEnv::cancel) end with
/// [`Stop::Cancelled`](crate::Stop::Cancelled): within about 10 ms, or when the function of the embedding program returns that a
/// guest is in. It stays cancelled.
///
/// ```
/// use fuelbox::{Call, Cancel, GuestEnv, Runner, RunnerConfig, Stop};
/// use std::path::Path;
///
/// let runner = Runner::new(RunnerConfig::default())?;
/// let cancel = Cancel::default();
/// let guest_env = GuestEnv { cancel: Some(cancel.clone()), ..GuestEnv::default() };
/// let report = std::thread::scope(|scope| {
///     scope.spawn(|| cancel.cancel());
///     runner.run(Path::new("guests/prebuilt/infinite-loop.wasm"), Call::values("spin", &[]).guest_env(guest_env))
/// })?;
/// assert_eq!(report.result, Err(Stop::Cancelled));
/// # Ok::<(), fuelbox::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Cancels.
    pub fn cancel(&self) {
        self.0.store(true, Relaxed);
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Relaxed)
    }
}
