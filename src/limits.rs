//! Every cap in one place, unit last in the name, with the reason for its value.
//!
//! Nothing here knows wasm, HTTP or flags; the relations between the caps are asserted at compile time.

use std::time::Duration;

/// Bytes in one WebAssembly page (core specification, section 4.2.8).
pub const PAGE_BYTES: usize = 64 * 1024;

/// The most pages a 32-bit linear memory can have (4 GiB).
pub const MEMORY_PAGES_MAX: u32 = 65_536;

/// Fuel per run. wasmi burns 0.5 to 1.5 billion a second on a desktop core, a tenth of it on a small ARM
/// core, so the deadline comes first and fuel is the bound that does not depend on the machine.
pub const FUEL_DEFAULT: u64 = 10_000_000_000;

/// Wall-clock time per run: gowasmrunner's promise, kept.
pub const DEADLINE_DEFAULT: Duration = Duration::from_secs(5);

/// Linear memory per instance: 16 MiB. A gateway with eight guests at work stays below 128 MiB.
pub const MEMORY_PAGES_DEFAULT: u32 = 256;

/// Input per run, in bytes: 1 MiB.
pub const INPUT_BYTES_DEFAULT: usize = 1024 * 1024;

/// Output per run, in bytes, for each of result, standard output and standard error: 1 MiB.
pub const OUTPUT_BYTES_DEFAULT: usize = 1024 * 1024;

/// Size of a module, in bytes: 16 MiB. Compiled code takes about four times as much.
pub const MODULE_BYTES_DEFAULT: usize = 16 * 1024 * 1024;

/// Calls nested in each other. Frames live on wasmi's own heap stack, never on the host's.
pub const RECURSION_DEFAULT: usize = 10_000;

/// Height of the interpreter's value stack, in bytes: 1 MiB.
pub const STACK_BYTES_DEFAULT: usize = 1024 * 1024;

/// Elements in all tables of an instance together; one takes 8 bytes. Large Go and C++ programs have
/// some ten thousand functions in their tables.
pub const TABLE_ELEMENTS_DEFAULT: u32 = 100_000;

/// Fuel handed out at a time; the deadline is checked between two slices. At the worst rate seen (a load
/// that misses every cache: about 30 ns for each fuel) a slice takes 0.3 ms.
///
/// It also bounds the host's stack: in wasmi 2.0.0 a denied `memory.grow` or `table.grow` leaves a frame of
/// about 110 bytes there until the slice ends (it is not compiled to a tail call), so a slice of these takes
/// 1.1 MB. With 100,000 a guest could end the process. A slice of this size costs about 3 %.
pub const SLICE_FUEL: u64 = 10_000;

/// What wasmi copies, fills or zeroes for one fuel, in bytes (`CustomFuelCosts`; its default).
pub const BULK_BYTES_PER_FUEL: u32 = 64;

/// The slowest rate at which a machine is expected to copy or fill memory, in bytes per millisecond. One
/// bulk instruction cannot be interrupted, so one that would pass the deadline at this rate is not begun.
pub const BULK_BYTES_PER_MS: u64 = 1_000_000;

/// The slowest rate at which a machine is expected to hand out fresh, zeroed memory, in bytes per
/// millisecond: each page of it is also a page fault. Bounds `memory.grow` and instantiation like the above.
pub const FRESH_BYTES_PER_MS: u64 = 500_000;

/// How far a bulk instruction may pass the deadline by the estimates above, in milliseconds. Less would
/// stop guests early on machines that are faster than the slowest; the tolerance promised is 20 ms.
pub const BULK_OVERRUN_MS: u64 = 10;

/// Fuel for each call into the host, so that a guest that does nothing else keeps slices short.
pub const HOST_CALL_FUEL: u64 = 200;

/// Function bodies up to this total are translated when first called; a module with more is translated
/// whole when it is loaded. Translation is not on the guest's fuel (it would be charged to whichever run
/// comes first), so what is left to it must fit a deadline's tolerance: 9 ms for each MiB.
pub const LAZY_CODE_BYTES: u64 = 2 * 1024 * 1024;

/// iovecs in one WASI call; POSIX's IOV_MAX on Linux.
pub const IOVECS_MAX: u32 = 1024;

/// Bytes that one WASI call moves: a read or write beyond it is short, as POSIX allows.
pub const HOST_CALL_BYTES_MAX: usize = 1024 * 1024;

/// One line of a guest's standard error in the log, in bytes; a longer one is split.
pub const LOG_LINE_BYTES_MAX: usize = 4096;

/// Bytes of a guest-given text (an abort message) that an error repeats.
pub const MESSAGE_BYTES_MAX: usize = 1024;

/// Types in a module; as many as the interpreter's strict limits allow functions.
pub const TYPES_MAX: u32 = 10_000;

/// Functions defined in a module: wasmi's strict limit, checked here before anything is set aside for them.
pub const FUNCTIONS_MAX: u32 = 10_000;

/// Imports of a module. There are some fifty things to import; the same one may be imported twice, and
/// every instance pays for each.
pub const IMPORTS_MAX: u32 = 1_000;

/// Exports of a module; every instance pays for each.
pub const EXPORTS_MAX: u32 = 10_000;

const _: () = assert!(MEMORY_PAGES_DEFAULT <= MEMORY_PAGES_MAX);
const _: () = assert!(HOST_CALL_FUEL * 50 <= SLICE_FUEL, "a slice must hold many host calls");
const _: () = assert!(SLICE_FUEL <= FUEL_DEFAULT);
const _: () = assert!(
    SLICE_FUEL * BULK_BYTES_PER_FUEL as u64 <= 10 * BULK_BYTES_PER_MS,
    "a bulk instruction paid from one slice must end within 10 ms"
);
const _: () = assert!(LOG_LINE_BYTES_MAX <= OUTPUT_BYTES_DEFAULT);

/// What one run may use. Every field is also a flag of the command line.
///
/// ```
/// use fuelbox::Limits;
/// use std::time::Duration;
///
/// let limits = Limits { fuel: 1_000_000, deadline: Some(Duration::from_millis(50)), ..Limits::default() };
/// assert_eq!(limits.memory_pages, 256);
/// assert!(limits.check().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Fuel units, about one for each simple instruction (`--fuel`).
    pub fuel: u64,
    /// Wall-clock time from the start of instantiation; `None` leaves fuel as the only bound (`--timeout`).
    pub deadline: Option<Duration>,
    /// Pages of 64 KiB that linear memory may reach (`--memory-pages`).
    pub memory_pages: u32,
    /// Bytes of input (`--max-input`).
    pub input_bytes: usize,
    /// Bytes of result, of standard output and of standard error, each (`--max-output`).
    pub output_bytes: usize,
    /// Bytes of a module (`--max-module`).
    pub module_bytes: usize,
    /// Nested calls (`--max-recursion`).
    pub recursion: usize,
    /// Bytes of the interpreter's value stack (`--max-stack`).
    pub stack_bytes: usize,
    /// Elements of all tables together (`--max-table-elements`).
    pub table_elements: u32,
}

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
        }
    }
}

/// Smallest value stack that can hold a frame, in bytes.
pub const STACK_BYTES_MIN: usize = 4096;

impl Limits {
    /// Checks the values that no run could work with.
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
        if self.stack_bytes < STACK_BYTES_MIN {
            return Err(format!(
                "--max-stack is {} bytes, less than the {STACK_BYTES_MIN} that any call needs",
                self.stack_bytes
            ));
        }
        Ok(())
    }

    /// The memory cap in bytes, as far as the host's address width goes.
    pub(crate) fn memory_bytes(&self) -> usize {
        (self.memory_pages as usize).saturating_mul(PAGE_BYTES)
    }
}
