//! What a run has left: fuel, handed out in slices, and time, looked at between them.

use super::instance::Sandbox;
use crate::base::cancel::Cancel;
use crate::base::limits::{
    BULK_BYTES_PER_FUEL, BULK_BYTES_PER_MS, BULK_OVERRUN_MS, FRESH_BYTES_PER_MS, SLICE_FUEL,
    UNCHECKED_SLICE_FUEL,
};
use crate::base::outcome::Stop;
use crate::host::reply::{Moment, Taken};
use crate::sandbox::tail_calls;
use std::time::{Duration, Instant};

impl Sandbox<'_> {
    pub(super) fn next_slice(&mut self, required: u64) -> Result<(), Stop> {
        tail_calls::check().map_err(|error| Stop::Trap(error.to_string()))?;
        self.let_output_through();
        if let Some(when_long) = self.when_long {
            when_long();
        }
        self.pass_on(Moment::Slice)?;
        self.issue(required)
    }

    /// Passes on what is there of a response, if it is due. Waits for whoever takes it, until the deadline at the latest.
    pub(super) fn pass_on(&mut self, at: Moment) -> Result<(), Stop> {
        if !self.slot.data_mut().wasi.files.stdout.is_due(at) {
            return Ok(());
        }
        if let Some(when_long) = self.when_long {
            when_long();
        }
        let until = self.latest_end();
        match (self.slot.data_mut().wasi.files.stdout.pass_on(until)?, self.deadline) {
            (Taken::Late, Some(limit)) => Err(Stop::Deadline { limit, why: None }),
            _ => Ok(()),
        }
    }

    /// When the run has to end.
    pub(super) fn latest_end(&self) -> Option<Instant> {
        self.deadline.and_then(|limit| self.started.checked_add(limit))
    }

    fn fuel_left(&self) -> u64 {
        self.slot.fuel()
    }

    pub(super) fn fuel_used(&self) -> u64 {
        let spent = self.fuel_limit - self.fuel_unissued - self.fuel_left();
        let used = spent.saturating_add(self.slot.data().fuel_owed);
        used.min(self.fuel_limit)
    }

    /// Fuel of a slice.
    fn slice(&self) -> u64 {
        let fuel = self.program.slice_fuel;
        if tail_calls::is_known_good() { fuel } else { fuel.min(UNCHECKED_SLICE_FUEL) }
    }

    /// Starts the next slice, with at least `required` and what host calls owe, and checks the deadline.
    pub(super) fn issue(&mut self, required: u64) -> Result<(), Stop> {
        self.check_deadline(required)?;
        self.hand_out(required)
    }

    pub(super) fn hand_out(&mut self, required: u64) -> Result<(), Stop> {
        let host = self.slot.data_mut();
        host.limiter.growth_unpaid = 0;
        let owed = std::mem::take(&mut host.fuel_owed);
        let left = self.fuel_left();
        let needed = required.saturating_add(owed);
        let slice = needed.saturating_sub(left).max(self.slice()).min(self.fuel_unissued);
        let available = left + slice;
        if available < needed || slice == 0 {
            // All remaining fuel counts as used: it did not suffice for the next step.
            self.fuel_unissued = 0;
            self.slot.set_fuel(0);
            return Err(Stop::OutOfFuel { limit: self.fuel_limit });
        }
        self.fuel_unissued -= slice;
        self.slot.data_mut().fuel_issued += slice;
        self.slot.set_fuel(available - owed);
        Ok(())
    }

    /// Pays what host calls of the last slice owe, and checks the deadline once more: a result is never on
    /// credit, nor late.
    pub(super) fn settle(&mut self) -> Result<(), Stop> {
        if self.slot.data().fuel_owed == 0 { self.check_deadline(0) } else { self.next_slice(0) }
    }

    /// Checks that the run is not cancelled, that its deadline has not passed, and that the next step will not pass it.
    pub(super) fn check_deadline(&self, required: u64) -> Result<(), Stop> {
        if self.slot.data().wasi.cancel.as_ref().is_some_and(Cancel::is_cancelled) {
            return Err(Stop::Cancelled);
        }
        if self.deadline.is_none() {
            return Ok(());
        }
        self.check_elapsed(self.started.elapsed())?;
        // Only a bulk memory instruction needs more than a slice at once, and it is not interrupted.
        if required > SLICE_FUEL {
            let growth = self.slot.data().limiter.growth_unpaid;
            if growth > 0 {
                self.check_bulk(growth, FRESH_BYTES_PER_MS)?;
            } else {
                self.check_bulk(required.saturating_mul(u64::from(BULK_BYTES_PER_FUEL)), BULK_BYTES_PER_MS)?;
            }
        }
        Ok(())
    }

    pub(super) fn check_elapsed(&self, elapsed: Duration) -> Result<(), Stop> {
        match self.deadline {
            Some(limit) if elapsed >= limit => Err(Stop::Deadline { limit, why: None }),
            _ => Ok(()),
        }
    }

    /// When an uninterruptible operation has to end at the latest.
    #[cfg(feature = "component")]
    pub(super) fn latest(&self) -> Option<Instant> {
        let limit = self.deadline?;
        self.started.checked_add(limit.saturating_add(Duration::from_millis(BULK_OVERRUN_MS)))
    }

    /// Refuses an uninterruptible operation on `bytes` that would pass the deadline.
    pub(super) fn check_bulk(&self, bytes: u64, bytes_per_ms: u64) -> Result<(), Stop> {
        let Some(limit) = self.deadline else { return Ok(()) };
        let estimate = Duration::from_millis(bytes / bytes_per_ms);
        let latest = limit.saturating_add(Duration::from_millis(BULK_OVERRUN_MS));
        if self.started.elapsed().saturating_add(estimate) <= latest {
            return Ok(());
        }
        let why = format!("the next step moves {bytes} bytes");
        Err(Stop::Deadline { limit, why: Some(why) })
    }
}
