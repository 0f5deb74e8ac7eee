//! Every cap that is no field of its own, unit last in the name, with the reason for its value. The relations between
//! them are asserted at compile time.

use std::time::Duration;

/// Bytes in one WebAssembly page (core specification, section 4.2.8).
pub const PAGE_BYTES: usize = 64 * 1024;

/// The most pages a 32-bit linear memory can have (4 GiB).
pub const MEMORY_PAGES_MAX: u32 = 65_536;

/// Fuel per run: the bound that does not depend on the machine. A desktop core burns 1 billion a second in
/// simple loops; but a jump table is charged the whole loop around it, and language interpreters, which are
/// one, 30 to 250 billion. With the default deadline, that comes first for both.
pub const FUEL_DEFAULT: u64 = 1_000_000_000_000;

/// Wall-clock time per run: gowasmrunner's promise, kept.
pub const DEADLINE_DEFAULT: Duration = Duration::from_secs(5);

/// Linear memory per instance: 20 MiB, of which programs in Zig set 16 aside for their stack. Only what a
/// guest touches takes memory.
pub const MEMORY_PAGES_DEFAULT: u32 = 320;

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
/// that misses every cache: about 30 ns for each fuel) a slice takes 3 ms; on a tight loop 0.1 ms, of
/// which handing out the next slice is 0.2 %.
pub const SLICE_FUEL: u64 = 100_000;

/// Fuel of a slice as long as it is not known that guests leave nothing on the host's stack (`tail_calls.rs`): what
/// so many instructions could leave there fits any thread.
pub const UNCHECKED_SLICE_FUEL: u64 = 1_000;

/// Fuel for a `memory.grow` or `table.grow`, beside that for the bytes; the most that wasmi takes.
///
/// It bounds the host's stack: in wasmi 2.0.0 a denied growth leaves a frame of about 110 bytes there until
/// the slice ends (that path is not compiled to a tail call). At the usual cost of 1 a slice of them would
/// take 11 MB and a guest could end the process; at this cost it takes 43 KB.
pub const GROW_FUEL: u8 = u8::MAX;

/// Stack that a slice can leave behind by growths, in bytes.
const GROW_STACK_BYTES: u64 = SLICE_FUEL / GROW_FUEL as u64 * 110;

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

/// iovecs in one WASI call; POSIX's IOV_MAX on Linux.
pub const IOVECS_MAX: u32 = 1024;

/// Bytes of a path in a WASI call; one less than POSIX's PATH_MAX on Linux, which counts the NUL.
pub const PATH_BYTES_MAX: usize = 4095;

/// Fuel for each entry of a directory that `fd_readdir` has to pass over.
pub const ENTRY_FUEL: u64 = 20;

/// Entries of a directory kept from the last `fd_readdir`, for a guest that asks again for those that its
/// buffer cut off. Each holds a name of at most 255 bytes.
pub const LISTING_KEPT: usize = 64;

/// Entries of a directory that a reproducible run sorts; it takes some 30 ms, which nothing interrupts.
pub const LISTING_SORTED_MAX: usize = 65_536;

/// What an entry of a sorted directory takes beside its name, which is there twice while it is sorted; the same on every
/// machine, as the guest sees where the cap is.
pub const LISTING_ENTRY_BYTES: usize = 64;

/// Bytes that a reproducible run keeps of all the directories that it has sorted and not closed: 16 MiB. A
/// guest can make long names, and read the same directory through each of its descriptors.
pub const LISTING_SORTED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Entries that `fd_readdir` passes over before the deadline is looked at; about 1 ms.
pub const LISTING_STEP: u64 = 4096;

/// What a new file, directory or link takes off the quota for writes, in bytes: the block that most file
/// systems use for it.
pub const NEW_ENTRY_BYTES: u64 = 4096;

/// Bytes that a run may write to files in its directories: 64 MiB.
pub const DIR_QUOTA_DEFAULT: u64 = 64 * 1024 * 1024;

/// Descriptors that a run may have open at once, its standard streams and directories among them; a directory
/// that it has begun to read counts twice, as the host needs a second one for it. A gateway with eight guests
/// at work stays below the 1,024 that systems allow a process.
pub const DESCRIPTORS_DEFAULT: usize = 100;

/// What a warm instance takes beside its memory at least, in bytes, as far as it is counted. One of a module with many
/// functions or segments is counted by these ([`FUNCTION_BYTES`](super::FUNCTION_BYTES) and its like).
pub const INSTANCE_BYTES: usize = 64 * 1024;

/// What a block of an Extism plug-in's memory takes beside its bytes, in bytes: its place in the map of blocks
/// and the allocator's own. Counted, so that many tiny blocks come to no more than the memory cap.
pub const BLOCK_OVERHEAD_BYTES: usize = 128;

/// Blocks of an Extism plug-in at a time. Letting go of them when the call ends takes some 50 ns each, which
/// nothing interrupts; the default memory cap is reached by fewer.
pub const BLOCKS_MAX: usize = 262_144;

/// Bytes of all variables of an Extism plug-in, names and overhead counted: 1 MiB, as in Extism's own host.
pub const VARS_BYTES_MAX: usize = 1024 * 1024;

/// What a variable takes beside its name and value, in bytes.
pub const VAR_OVERHEAD_BYTES: usize = 128;

/// Bytes of the description of an HTTP request that are looked at; beyond it is refused. What parsing makes of
/// them takes some 30 times as much.
pub const HTTP_REQUEST_BYTES_MAX: usize = 64 * 1024;

/// What the system must have left beyond what a guest or client is given, in bytes, where it can say no at all: the many
/// small things that are made for a run or a request cannot fail without ending the process.
/// Less than what the allocator of static binaries gives back to the system at once, so that asking costs no system call.
pub const HEAP_SPARE_BYTES: usize = 1536 * 1024;

/// Memory from this size on is asked for only if the above is left.
pub const HEAP_CHECKED_BYTES: usize = 4 * 1024;

/// Bytes of a text in a JSON array that is to be a number.
pub const NUMBER_TEXT_BYTES_MAX: usize = 1024;

/// Subscriptions in one `poll_oneoff`.
pub const SUBSCRIPTIONS_MAX: u32 = 1024;

/// Bytes that one WASI call moves: a read or write beyond it is short, as POSIX allows.
pub const HOST_CALL_BYTES_MAX: usize = 1024 * 1024;

/// One line of a guest's standard error in the log, in bytes; a longer one is split.
pub const LOG_LINE_BYTES_MAX: usize = 4096;

/// Bytes of a guest-given text (an abort message) that an error repeats.
pub const MESSAGE_BYTES_MAX: usize = 1024;

/// Functions of one plug-in that a listing names (`/plugins`, `/openapi.json`, the console, `fuelbox list`); it says
/// how many more there are. Plug-ins made by hand have some ten, those of binding generators some hundred.
pub const LISTED_FUNCTIONS_MAX: usize = 200;

/// Bytes of their names and types in a listing; in JSON, escapes can make six of one.
pub const LISTED_BYTES_MAX: usize = 32 * 1024;

/// Files that do not load that `/plugins` names; it says how many more there are.
pub const LISTED_REFUSED_MAX: usize = 200;

/// Names of functions or plug-ins that an error lists, and bytes of each that it shows.
pub const NAMES_IN_ERROR_MAX: usize = 20;
/// See [`NAMES_IN_ERROR_MAX`].
pub const NAME_IN_ERROR_BYTES_MAX: usize = 128;

/// Lines of one run's standard error (or output) in the log; further ones are only counted.
pub const LOG_LINES_MAX: u32 = 1_000;

/// Bytes that one call writes to the log; beyond that the write is short, as POSIX allows. A byte that has to be
/// escaped takes some 40 ns.
pub const LOG_CALL_BYTES_MAX: u32 = 64 * 1024;

/// Lines into which one message of an Extism plug-in is divided; what is beyond is left out. Nothing interrupts a call.
pub const LOG_MESSAGE_LINES_MAX: u32 = 16;

/// Lines that all runs of a plug-in may log at once: what a single one may, so that one that explains a failure at
/// length is read whole.
pub const LOG_BURST_LINES: u64 = 1_000;

/// Lines that they may log each second from then on. A line for each of a hundred requests is a log that somebody
/// reads; at 35,000 requests a second a guest could otherwise write gigabytes a minute.
pub const LOG_LINES_PER_S: u64 = 100;

/// Bytes of text that the lines of a plug-in may have at once: 1 MiB, what a run may write to standard error by default.
pub const LOG_BURST_BYTES: u64 = 1024 * 1024;

/// Bytes that they may have each second from then on: 64 KiB. A hundred lines of 4 KiB each second would fill the card of a
/// small device in a night.
pub const LOG_BYTES_PER_S: u64 = 64 * 1024;

/// How many plug-ins' worth of lines and bytes all plug-ins together may log. There can be thousands.
pub const LOG_SHARES: u64 = 20;

/// Bytes of a request's target in the access log, and of its method. A head may have 16 KiB.
pub const LOG_TARGET_BYTES_MAX: usize = 1024;
/// See [`LOG_TARGET_BYTES_MAX`].
pub const LOG_METHOD_BYTES_MAX: usize = 32;

/// Time between two words about lines that were dropped.
pub const LOG_DROPS_SAID_EVERY: Duration = Duration::from_secs(10);

/// Bytes of the log that wait to be written to standard error: 1 MiB, about what one run may write there by default.
pub const LOG_BUFFER_BYTES: usize = 1024 * 1024;

/// How long the program waits for a reader of standard error who takes nothing, when it ends.
pub const LOG_STALL: Duration = Duration::from_millis(500);

/// How long it waits at its end for one who takes little.
pub const LOG_END_WAIT: Duration = Duration::from_secs(5);

/// Guests at once: two for each core of a machine with 256. Each has two threads, three descriptors and, at the default
/// limits, up to 20 MiB of memory; a system's limits on these are some thousands, and more guests than cores end no sooner.
pub const WORKERS_MAX: usize = 512;

/// Checks a number of guests at once.
///
/// # Errors
/// A sentence that names the flag, its value and the bound it breaks.
pub fn check_workers(workers: usize) -> Result<(), String> {
    match workers {
        0 => Err("--workers is 0: no guest could run".into()),
        1..=WORKERS_MAX => Ok(()),
        _ => Err(format!("--workers is {workers}, more than the {WORKERS_MAX} that a gateway can have")),
    }
}

const _: () = assert!(MEMORY_PAGES_DEFAULT <= MEMORY_PAGES_MAX);
const _: () = assert!(HOST_CALL_FUEL * 100 <= SLICE_FUEL, "a slice must hold many host calls");
const _: () = assert!(SLICE_FUEL <= FUEL_DEFAULT);
const _: () = assert!(GROW_STACK_BYTES < 64 * 1024, "growths must fit the smallest thread stack in use");
const _: () = assert!(
    SLICE_FUEL * BULK_BYTES_PER_FUEL as u64 <= 10 * BULK_BYTES_PER_MS,
    "a bulk instruction paid from one slice must end within 10 ms"
);
const _: () = assert!(LOG_LINE_BYTES_MAX <= OUTPUT_BYTES_DEFAULT);
const _: () = assert!(LOG_LINES_MAX as u64 <= LOG_BURST_LINES, "one run in quiet times is logged whole");
const _: () = assert!(MEMORY_PAGES_DEFAULT as usize * PAGE_BYTES / BLOCK_OVERHEAD_BYTES <= BLOCKS_MAX);
