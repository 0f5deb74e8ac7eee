//! Every limit that is a constant, with its unit last in the name and the reason for its value. Relations
//! between the constants are asserted at compile time.

use std::time::Duration;

/// Bytes in one WebAssembly page (core specification, section 4.2.8).
pub const PAGE_BYTES: usize = 64 * 1024;

/// The most pages a 32-bit linear memory can have (4 GiB).
pub const MEMORY_PAGES_MAX: u32 = 65_536;

/// Fuel per run: the limit that does not depend on the machine. A desktop core burns 1 billion units a second
/// in simple loops. A jump table is charged for the whole loop around it, so language interpreters burn 30 to
/// 250 billion a second. With the default deadline, the deadline comes first for both.
pub const FUEL_DEFAULT: u64 = 1_000_000_000_000;

/// Wall-clock time per run, as in gowasmrunner.
pub const DEADLINE_DEFAULT: Duration = Duration::from_secs(5);

/// Linear memory per instance: 20 MiB. Zig programs reserve 16 MiB of it for their stack. Untouched pages take
/// no memory.
pub const MEMORY_PAGES_DEFAULT: u32 = 320;

/// Input per run, in bytes: 1 MiB.
pub const INPUT_BYTES_DEFAULT: usize = 1024 * 1024;

/// Output per run, in bytes, for each of result, standard output and standard error: 1 MiB.
pub const OUTPUT_BYTES_DEFAULT: usize = 1024 * 1024;

/// Size of a module, in bytes: 16 MiB. Compiled code takes about four times as much.
pub const MODULE_BYTES_DEFAULT: usize = 16 * 1024 * 1024;

/// The same for the command line, where there is memory for it: 64 MiB. clang has 31 MiB, yosys 22, ghc's `pandoc` 56.
#[cfg(feature = "cli")]
pub const MODULE_BYTES_DEFAULT_MAX: usize = 64 * 1024 * 1024;

/// The command line's default is one part in so many of the memory. With its compiled code, a compiled program of that size takes
/// about a tenth; code made for this purpose takes a quarter.
#[cfg(feature = "cli")]
pub const MODULE_MEMORY_PART: u64 = 64;

/// Depth of nested calls. Frames are on wasmi's own heap stack, never on the host's stack.
pub const RECURSION_DEFAULT: usize = 10_000;

/// Height of the interpreter's value stack, in bytes: 1 MiB.
pub const STACK_BYTES_DEFAULT: usize = 1024 * 1024;

/// Elements in all tables of an instance together. An element takes 8 bytes. Large Go and C++ programs have
/// about ten thousand functions in their tables.
pub const TABLE_ELEMENTS_DEFAULT: u32 = 100_000;

/// Fuel of one slice. The deadline is checked between slices. At the worst rate measured (a load that misses
/// every cache: about 30 ns for each fuel) a slice takes 3 ms. On a tight loop it takes 0.1 ms, of which
/// starting the next slice is 0.2 %.
pub const SLICE_FUEL: u64 = 100_000;

/// Fuel of a slice until `tail_calls.rs` has shown that guests leave nothing on the host's stack. What this
/// many instructions could leave there fits the stack of any thread.
pub const UNCHECKED_SLICE_FUEL: u64 = 1_000;

/// Fuel for a `memory.grow` or `table.grow`, in addition to that for the bytes. It is the most that wasmi
/// accepts.
///
/// It limits the host's stack: in wasmi 2.0.0, a denied growth leaves a frame of about 110 bytes there until
/// the slice ends (that path is not compiled to a tail call). At the usual cost of 1, a slice of growths would
/// take 11 MB, and a guest could end the process. At this cost it takes 43 KB.
pub const GROW_FUEL: u8 = u8::MAX;

/// Host stack that the growths of one slice can take, in bytes.
const GROW_STACK_BYTES: u64 = SLICE_FUEL / GROW_FUEL as u64 * 110;

/// Bytes that wasmi copies, fills or zeroes for one fuel (`CustomFuelCosts`; its default).
pub const BULK_BYTES_PER_FUEL: u32 = 64;

/// The lowest rate at which a machine is expected to copy or fill memory, in bytes per millisecond. A bulk
/// instruction cannot be interrupted, so one that would pass the deadline at this rate does not start.
pub const BULK_BYTES_PER_MS: u64 = 1_000_000;

/// The lowest rate at which a machine is expected to provide fresh, zeroed memory, in bytes per millisecond.
/// Each page is also a page fault. It limits `memory.grow` and instantiation in the same way.
pub const FRESH_BYTES_PER_MS: u64 = 500_000;

/// Milliseconds by which a bulk instruction may pass the deadline, by the estimates above. A lower value would
/// stop guests early on faster machines. The promised tolerance is 20 ms.
pub const BULK_OVERRUN_MS: u64 = 10;

/// Fuel for each host call, so that a guest that only calls the host has short slices.
pub const HOST_CALL_FUEL: u64 = 200;

/// Fuel for each value of a component that the host takes out of a guest, or stores into one: about 60 ns on a desktop core.
pub const COMPONENT_VALUE_FUEL: u64 = 60;

/// iovecs in one WASI call; POSIX's IOV_MAX on Linux.
pub const IOVECS_MAX: u32 = 1024;

/// Bytes of a path in a WASI call; one less than POSIX's PATH_MAX on Linux, which counts the NUL.
pub const PATH_BYTES_MAX: usize = 4095;

/// Fuel for each directory entry that `fd_readdir` skips.
pub const ENTRY_FUEL: u64 = 20;

/// Directory entries kept from the last `fd_readdir`, for a guest that asks again for those that did not fit
/// its buffer. Each has a name of at most 255 bytes.
pub const LISTING_KEPT: usize = 64;

/// Directory entries that a deterministic run sorts. Sorting them takes about 30 ms and is not interrupted.
pub const LISTING_SORTED_MAX: usize = 65_536;

/// Bytes for an entry of a sorted directory beside its name, which is stored twice during the sort. The same on
/// every machine, because the guest sees where the limit is.
pub const LISTING_ENTRY_BYTES: usize = 64;

/// Bytes of all sorted directories that a deterministic run has open: 16 MiB. A guest can make long names, and
/// read the same directory through each of its descriptors.
pub const LISTING_SORTED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Entries that `fd_readdir` skips between two checks of the deadline; about 1 ms.
pub const LISTING_STEP: u64 = 4096;

/// Bytes that a new file, directory or link takes from the quota: the block that most file systems use for it.
pub const NEW_ENTRY_BYTES: u64 = 4096;

/// Bytes that a run may write to files in its directories: 64 MiB.
pub const DIR_QUOTA_DEFAULT: u64 = 64 * 1024 * 1024;

/// Descriptors that a run may have open at once, including its standard streams and directories. A directory
/// that it reads counts twice, because the host needs a second descriptor for it. A gateway with eight busy
/// workers stays below 1,024, the usual limit of a process.
pub const DESCRIPTORS_DEFAULT: usize = 100;

/// The least that a warm instance counts for beside its memory, in bytes. An instance of a module with many
/// functions or segments counts by these ([`FUNCTION_BYTES`](super::FUNCTION_BYTES) and the others).
pub const INSTANCE_BYTES: usize = 64 * 1024;

/// The least that an instance takes of its store, in bytes.
pub const INSTANCE_BYTES_MIN: usize = 512;

/// What a store takes beside its instances, page tables of its memory included, in bytes: 16 KiB.
pub const SLOT_BYTES_MIN: usize = 16 * 1024;

/// Bytes that the instances of one store may take together, where their memory is small: 256 KiB. A store frees nothing of an
/// instance before it is dropped, so it has a limited number of them. To drop more at once would delay other calls.
pub const SLOT_BYTES_MAX: usize = 256 * 1024;

/// The same where a memory is large, at most: 4 MiB. It is half of the memory's declared size, because a new store takes the
/// longer the larger its memory is.
pub const SLOT_BYTES_LARGE_MAX: usize = 4 * 1024 * 1024;

/// Bytes of a memory that stay with the process after a guest that had it grow: 8 MiB. It is zeroed for the next one.
pub const REGION_KEPT_BYTES: usize = 8 * 1024 * 1024;

/// Bytes of what runs leave for the next ones, in the whole process: 16 MiB.
pub const SPARE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Of a limited address space, the part that memories may reserve, those of spares among them: a quarter. The others are
/// allocated as they grow.
pub const RESERVED_PART: u64 = 4;

/// Time that spares are kept.
pub const SPARE_IDLE: Duration = Duration::from_secs(1);

/// Overhead of a block of an Extism plug-in, in bytes: its entry in the map of blocks, and the allocator's own.
/// It counts, so that many tiny blocks stay within the memory limit.
pub const BLOCK_OVERHEAD_BYTES: usize = 128;

/// Blocks of an Extism plug-in at a time. Freeing one at the end of a call takes about 50 ns, and is not
/// interrupted. Fewer blocks reach the default memory limit.
pub const BLOCKS_MAX: usize = 262_144;

/// Bytes of all variables of an Extism plug-in, including names and overhead: 1 MiB, as in Extism's own host.
pub const VARS_BYTES_MAX: usize = 1024 * 1024;

/// Overhead of a variable, in bytes.
pub const VAR_OVERHEAD_BYTES: usize = 128;

/// Bytes that are parsed of the description of an HTTP request. A longer one is refused. The parsed form takes
/// about 30 times as much.
pub const HTTP_REQUEST_BYTES_MAX: usize = 64 * 1024;

/// Bytes that the system must have left after an allocation for a guest or client, where the system can refuse
/// memory. The many small allocations of a run or a request cannot fail without ending the process. The value
/// is less than what the allocator of static binaries returns to the system at once, so the check costs no
/// system call.
pub const HEAP_SPARE_BYTES: usize = 1536 * 1024;

/// Allocations from this size on are made only if that much is left.
pub const HEAP_CHECKED_BYTES: usize = 4 * 1024;

/// Bytes of a string in a JSON array that stands for a number.
pub const NUMBER_TEXT_BYTES_MAX: usize = 1024;

/// Subscriptions in one `poll_oneoff`.
pub const SUBSCRIPTIONS_MAX: u32 = 1024;

/// Bytes that one WASI call transfers. A longer read or write is short, as POSIX allows.
pub const HOST_CALL_BYTES_MAX: usize = 1024 * 1024;

/// Bytes that one read of a component gives, from a stream or a file. A longer read is short, as WASI 0.2 allows: the host
/// has the bytes in memory of its own before the component gets them.
pub const STREAM_READ_BYTES_MAX: usize = 64 * 1024;

/// Bytes that a component writes and flushes in one call (`wasi:io/streams`).
pub const BLOCKING_WRITE_BYTES_MAX: u64 = 4096;

/// Bytes of a response that gather before they are passed on while the guest runs, and bytes that are passed on at once.
pub const REPLY_PIECE_BYTES: usize = 64 * 1024;

/// Bytes of the head of a response as a program prints it.
pub const REPLY_HEAD_BYTES_MAX: usize = 16 * 1024;

/// Time between two pieces of a response, unless one is full. A guest that writes a byte and waits for a moment, again and
/// again, so sends no flood of small ones.
pub const REPLY_INTERVAL: Duration = Duration::from_millis(5);

/// One line of a guest's standard error in the log, in bytes; a longer one is split.
pub const LOG_LINE_BYTES_MAX: usize = 4096;

/// Bytes of a text from a guest (an abort message) that an error shows.
pub const MESSAGE_BYTES_MAX: usize = 1024;

/// Functions of a plug-in in a listing (`/plugins`, `/openapi.json`, the console, `fuelbox list`). The listing
/// has the number of the others. Hand-written plug-ins have about ten functions, those of binding generators
/// some hundreds.
pub const LISTED_FUNCTIONS_MAX: usize = 200;

/// Bytes of their names and types in a listing. In JSON, escapes can make six bytes of one.
pub const LISTED_BYTES_MAX: usize = 32 * 1024;

/// Files that do not load in `/plugins`, which has the number of the others.
pub const LISTED_REFUSED_MAX: usize = 200;

/// Names of functions or plug-ins in an error, and the bytes of each that it shows.
pub const NAMES_IN_ERROR_MAX: usize = 20;
/// See [`NAMES_IN_ERROR_MAX`].
pub const NAME_IN_ERROR_BYTES_MAX: usize = 128;

/// Lines of one run's stderr (or stdout) in the log. Further lines are only counted.
pub const LOG_LINES_MAX: u32 = 1_000;

/// Bytes that one call writes to the log. A longer write is short, as POSIX allows. A byte that needs escaping
/// takes about 40 ns.
pub const LOG_CALL_BYTES_MAX: u32 = 64 * 1024;

/// Log lines of one message of an Extism plug-in. The rest is dropped, because a host call is not interrupted.
pub const LOG_MESSAGE_LINES_MAX: u32 = 16;

/// Lines that all runs of a plug-in may log in a burst: the limit of a single run, so that a long explanation
/// of a failure is logged completely.
pub const LOG_BURST_LINES: u64 = 1_000;

/// Lines for each second after the burst. People can still read a log with a line for each of a hundred
/// requests. At 35,000 requests a second, a guest could otherwise write gigabytes a minute.
pub const LOG_LINES_PER_S: u64 = 100;

/// Bytes that the lines of a plug-in may have in a burst: 1 MiB, the default limit of a run's stderr.
pub const LOG_BURST_BYTES: u64 = 1024 * 1024;

/// Bytes for each second after the burst: 64 KiB. A hundred lines of 4 KiB each second would fill the card of a
/// small device in a night.
pub const LOG_BYTES_PER_S: u64 = 64 * 1024;

/// All plug-ins together may log this many times the limit of one. There can be thousands of plug-ins.
pub const LOG_SHARES: u64 = 20;

/// Bytes of a request's target in the access log, and of its method. A head may have 16 KiB.
pub const LOG_TARGET_BYTES_MAX: usize = 1024;
/// See [`LOG_TARGET_BYTES_MAX`].
pub const LOG_METHOD_BYTES_MAX: usize = 32;

/// Time between two reports of dropped lines.
pub const LOG_DROPS_SAID_EVERY: Duration = Duration::from_secs(10);

/// Bytes of the log that wait for stderr: 1 MiB, about what one run may write there by default.
pub const LOG_BUFFER_BYTES: usize = 1024 * 1024;

/// Time that the program waits at its end for a reader of stderr that takes nothing.
pub const LOG_STALL: Duration = Duration::from_millis(500);

/// Time that it waits at its end for a reader that takes little.
pub const LOG_END_WAIT: Duration = Duration::from_secs(5);

/// Workers: two for each core of a machine with 256. Each has two threads, three descriptors and, at the
/// default limits, up to 20 MiB of memory. Systems limit these to some thousands, and more workers than cores
/// finish no sooner.
pub const WORKERS_MAX: usize = 512;

/// Checks a number of workers.
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

/// Types that a component may have, resolved; also those of the interfaces that it imports.
pub const COMPONENT_TYPES_MAX: usize = 10_000;

/// Types within one type, each counted as often as it occurs: a value of it takes at least so many steps.
pub const COMPONENT_TYPE_NODES_MAX: u32 = 10_000;

/// Types nested in each other. Values are passed by recursion, on the host's stack.
pub const COMPONENT_TYPE_DEPTH_MAX: u32 = 100;

/// Types and instances of a component that refer to one another in a chain. Validation follows it on the host's stack, with up to
/// 250 bytes for each, before the limits above are looked at. Linkers make chains of about 20.
pub const COMPONENT_DEPTH_MAX: u32 = 500;

/// Types within the types of all functions that a component lifts and lowers. Validation takes about 15 ns for each. A program in
/// Python has 629.
pub const COMPONENT_LIFTED_NODES_MAX: u64 = 20_000_000;

/// Bytes of the JSON Schemas of all functions of a component: 32 KiB. Those that do not fit are left out. The OpenAPI document has
/// them of all plug-ins.
pub const SCHEMAS_BYTES_MAX: usize = 32 * 1024;

/// Resources that a component instance has handles of at once, and that the host keeps for a component.
pub const COMPONENT_HANDLES_MAX: usize = 10_000;

/// Definitions of a component and of those within it: types, aliases, instances, imports and exports.
pub const COMPONENT_DEFINITIONS_MAX: usize = 200_000;

/// Components within each other.
pub const COMPONENT_NESTING_MAX: usize = 100;

/// Instances of components, and of core modules, that a component consists of. It may make the same instance again and again,
/// so its size does not limit them.
pub const COMPONENT_INSTANCES_MAX: usize = 1_000;

/// Steps of a component's instantiation: each definition counts as often as the component that has it is instantiated.
pub const COMPONENT_STEPS_MAX: usize = 1_000_000;

/// Calls between component instances within each other. Each takes a part of the host's stack, and has a value stack of its own.
pub const COMPONENT_CALLS_MAX: usize = 32;

/// Instructions of an initial value or place in a core module of a component. Linkers make three.
pub const INITIALISER_OPERATORS_MAX: usize = 8;

/// Calls that a traced run keeps from its outermost one on, and the innermost ones that it keeps beyond them.
pub const TRACE_FRAMES_MAX: usize = 65_536;
/// See [`TRACE_FRAMES_MAX`].
pub const TRACE_FRAMES_INNER: usize = 64;

/// Calls that are shown of a chain: the innermost ones, and the outermost ones.
pub const TRACE_SHOWN_INNER: usize = 24;
/// See [`TRACE_SHOWN_INNER`].
pub const TRACE_SHOWN_OUTER: usize = 8;
/// See [`TRACE_SHOWN_INNER`].
#[cfg(feature = "isolation")]
pub const TRACE_SHOWN_MAX: usize = TRACE_SHOWN_INNER + TRACE_SHOWN_OUTER;

/// Bytes of a function's name that are shown.
pub const FUNCTION_NAME_BYTES_MAX: usize = 200;

/// Fuel of a slice of a traced run: each call and each end of one is a call of the host, which takes fifty times as long as
/// other instructions.
pub const TRACE_SLICE_FUEL: u64 = SLICE_FUEL / 20;

/// Estimated bytes of translated code for each byte that tracing adds to a module, and nanoseconds that its translation takes.
pub const TRACE_BYTES_PER_BYTE: u64 = 3;
/// See [`TRACE_BYTES_PER_BYTE`].
pub const TRACE_NS_PER_BYTE: u64 = 7;

/// How many times `--max-module` a module may take when it is traced.
pub const TRACE_GROWTH_MAX: usize = 8;

/// Calls, each with all that led to it, that a profile tells apart.
pub const PROFILE_NODES_MAX: usize = 10_000;

/// Last lines of a failed request's output that are kept, and bytes of each.
pub const TAIL_LINES_MAX: usize = 8;
/// See [`TAIL_LINES_MAX`].
pub const TAIL_LINE_BYTES_MAX: usize = 256;

/// Failed requests that are kept for `GET /failures`.
pub const FAILURES_KEPT: usize = 20;

/// Bytes of a source file's path that are shown.
#[cfg(feature = "dwarf")]
pub const SOURCE_PATH_BYTES_MAX: usize = 200;

/// Bytes of the line tables of a module (`.debug_line`). Those of CPython take 3 MB.
#[cfg(feature = "dwarf")]
pub const DEBUG_LINE_BYTES_MAX: usize = 8 * 1024 * 1024;
