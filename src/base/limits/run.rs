//! The limits of one run.

use super::constants::*;
use super::http::{HTTP_CALLS_DEFAULT, HTTP_CALLS_MAX};
#[cfg(feature = "plugins")]
use std::borrow::Cow;
use std::time::Duration;

/// The limits of one run. Every field is also a flag of the command line.
///
/// ```
/// use fuelbox::Limits;
/// use std::time::Duration;
///
/// let limits = Limits { fuel: 1_000_000, deadline: Some(Duration::from_millis(50)), ..Limits::default() };
/// assert_eq!(limits.memory_pages, 320);
/// assert!(limits.check().is_ok());
/// ```
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Fuel units (`--fuel`). A simple instruction takes one; jumps through tables take more.
    pub fuel: u64,
    /// Wall-clock time from the start of instantiation (`--timeout`). With `None`, only fuel limits a run.
    pub deadline: Option<Duration>,
    /// Pages of 64 KiB of linear memory, together with the host's memory for an Extism plug-in
    /// (`--memory-pages`).
    pub memory_pages: u32,
    /// Bytes of input (`--max-input`).
    pub input_bytes: usize,
    /// Bytes of the result, stdout and stderr, each (`--max-output`).
    pub output_bytes: usize,
    /// Bytes of a module (`--max-module`).
    pub module_bytes: usize,
    /// Depth of nested calls (`--max-recursion`).
    pub recursion: usize,
    /// Bytes of the interpreter's value stack (`--max-stack`).
    pub stack_bytes: usize,
    /// Elements of all tables together (`--max-table-elements`).
    pub table_elements: u32,
    /// Bytes written to files; a new entry counts as 4 KiB (`--dir-quota`).
    pub dir_quota: u64,
    /// Open descriptors (`--max-descriptors`).
    pub descriptors: usize,
    /// HTTP calls that the guest makes, each redirect counted (`--http-calls`). Without
    /// [`GuestEnv::http`](crate::GuestEnv::http), it can make none.
    pub http_calls: u32,
}

/// Descriptors that every run has: the standard streams.
pub const DESCRIPTORS_MIN: usize = 3;

/// The largest descriptor limit. A guest's descriptor table costs 200 bytes for each.
pub const DESCRIPTORS_MAX: usize = 65_536;

impl Default for Limits {
    fn default() -> Self {
        Limits {
            fuel: FUEL_DEFAULT,
            deadline: Some(DEADLINE_DEFAULT),
            memory_pages: MEMORY_PAGES_DEFAULT,
            input_bytes: INPUT_BYTES_DEFAULT,
            output_bytes: OUTPUT_BYTES_DEFAULT,
            module_bytes: MODULE_BYTES_DEFAULT,
            recursion: RECURSION_DEFAULT,
            stack_bytes: STACK_BYTES_DEFAULT,
            table_elements: TABLE_ELEMENTS_DEFAULT,
            dir_quota: DIR_QUOTA_DEFAULT,
            descriptors: DESCRIPTORS_DEFAULT,
            http_calls: HTTP_CALLS_DEFAULT,
        }
    }
}

/// The smallest value stack that can hold a frame, in bytes.
pub const STACK_BYTES_MIN: usize = 4096;

/// Initial size of a value stack, in bytes.
pub const STACK_BYTES_INITIAL: usize = 1024;

const _: () =
    assert!(STACK_BYTES_INITIAL <= STACK_BYTES_MIN, "wasmi panics if a stack begins above its maximum");

impl Limits {
    /// Checks for values with which no run can work.
    ///
    /// # Errors
    /// A sentence that names the flag, its value and the bound it breaks.
    pub fn check(&self) -> Result<(), String> {
        if self.fuel == 0 {
            return Err("--fuel is 0: no instruction could run".into());
        }
        if self.deadline == Some(Duration::ZERO) {
            return Err("--timeout is 0: use `--timeout none` to run without a deadline".into());
        }
        if self.memory_pages > MEMORY_PAGES_MAX {
            return Err(format!(
                "--memory-pages is {}, but a 32-bit memory has at most {MEMORY_PAGES_MAX} pages of 64 KiB",
                self.memory_pages
            ));
        }
        if self.recursion == 0 {
            return Err("--max-recursion is 0: no function could be called".into());
        }
        if !(DESCRIPTORS_MIN..=DESCRIPTORS_MAX).contains(&self.descriptors) {
            return Err(format!(
                "--max-descriptors is {}, not between {DESCRIPTORS_MIN} (the standard streams) and {DESCRIPTORS_MAX}",
                self.descriptors
            ));
        }
        if self.http_calls > HTTP_CALLS_MAX {
            return Err(format!("--http-calls is {}, more than {HTTP_CALLS_MAX}", self.http_calls));
        }
        if self.stack_bytes < STACK_BYTES_MIN {
            return Err(format!(
                "--max-stack is {} bytes, less than the {STACK_BYTES_MIN} that any call needs",
                self.stack_bytes
            ));
        }
        Ok(())
    }

    /// These limits with an earlier deadline, if `deadline` is one.
    #[cfg(feature = "plugins")]
    pub(crate) fn within(&self, deadline: Option<Duration>) -> Cow<'_, Limits> {
        let is_earlier = |deadline: &Duration| self.deadline.is_none_or(|usual| *deadline < usual);
        match deadline.filter(is_earlier) {
            Some(deadline) => Cow::Owned(Limits { deadline: Some(deadline), ..self.clone() }),
            None => Cow::Borrowed(self),
        }
    }

    /// The memory limit in bytes, at most the host's address width.
    pub(crate) fn memory_bytes(&self) -> usize {
        (self.memory_pages as usize).saturating_mul(PAGE_BYTES)
    }
}
