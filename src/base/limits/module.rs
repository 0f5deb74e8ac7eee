//! Limits on the contents of a module, and on the cost of its code before it runs.

use super::constants::BULK_BYTES_PER_FUEL;

/// Bytes of translated code for each byte of a module that has the default `--max-module` or more, or else of what that or a
/// lower `--max-module` allows. Compiled programs take 5 to 8 for each byte of code, and contain data too. Code made for this
/// purpose takes 30.
pub const TRANSLATED_PER_BYTE: u64 = 6;

/// Nanoseconds on a desktop core, as `operators.rs` estimates them. Code that takes longer to translate is translated when it
/// is loaded. Other code may be translated function by function at the first call.
/// Translation takes no fuel of the guest (it would be charged to the run that comes first) and is not
/// interrupted, so what is left to a run must fit the tolerance of the deadline, 20 ms.
pub const LAZY_TRANSLATION_NS: u64 = 12_000_000;

/// The same for a process that serves one run, and ends at the deadline whatever the run does
/// (`cli/watchdog.rs`).
pub const LAZY_TRANSLATION_ONCE_NS: u64 = 20_000_000;

/// Code that takes at most one part of so many of a run's deadline is translated at first calls in a process that can be
/// ended.
pub const KNOWN_TRANSLATION_PART: u32 = 8;

/// Bytes of translated code that are kept of a module from the time when it was loaded, so that its first call takes as long
/// as others: 1 MiB. Of larger code, programs use a fraction, and the rest would only take memory. As `operators.rs`
/// estimates them, which is half as much again as it is.
pub const TRANSLATED_KEPT_BYTES: u64 = 1024 * 1024;

/// The same of all modules of a process: 16 MiB.
pub const TRANSLATED_KEPT_BYTES_ALL: usize = 16 * 1024 * 1024;

/// Code that takes at most this long needs no watchdog.
pub const SHORT_TRANSLATION_NS: u64 = 2_000_000;

/// Growth instructions in one function. wasmi charges a straight run of code at once, so its fuel does not
/// limit a slice of growths. A compiler emits one for each copy of its allocator.
pub const GROWS_MAX: u64 = 64;

/// Local variables of one function, without parameters.
pub const LOCALS_MAX: u64 = 4_096;

/// Stack cells of 8 bytes for local variables that a call zeroes without fuel.
pub const LOCALS_FREE: u64 = 32;

/// Further cells that a call zeroes for one [`NOP_FUEL`]. A `nop` is inserted for each group, because the
/// interpreter charges nothing for zeroing.
pub const LOCALS_PER_NOP: u64 = 32;

/// Fuel for a `nop`: zeroing costs as much as copying and filling. Compilers emit no `nop`.
pub const NOP_FUEL: u8 = (LOCALS_PER_NOP * 8 / BULK_BYTES_PER_FUEL as u64) as u8;

/// `select` instructions in one function, beyond one for every three bytes of its code. Reachable code never
/// has as many. Each becomes three bytes longer (`rewrite.rs`).
pub const GUARDS_SPARE: u64 = 1_024;

/// Nesting depth of blocks in one function. A large `switch` nests as deep as it has cases.
pub const CONTROL_DEPTH_MAX: u64 = 4_096;

/// Values that the branches of a function may copy, beyond one for each byte of its code. Each becomes an
/// instruction of 8 to 16 bytes. With labels of 32 values, a module could become 280 times as large.
pub const BRANCH_COPIES_SPARE: u64 = 1_024;

/// Bytes of one name of an import or export.
pub const NAME_BYTES_MAX: usize = 1_024;

/// Bytes of all names of imports and exports. Every listing repeats them.
pub const NAMES_BYTES_MAX: usize = 256 * 1024;

/// Bytes of a module in the text format. Its translation takes about 60 times as much.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// Types in a module. Large programs have some hundreds.
pub const TYPES_MAX: u32 = 10_000;

/// Parameters of a type. Engines agree on this maximum. Each takes a byte of code, so no few bytes become many.
pub const TYPE_PARAMS_MAX: usize = 1_000;

/// Parameters of a type that messages and listings show.
pub const TYPE_VALUES_SHOWN: usize = 32;

/// Results of a type. A call without parameters makes them all from two bytes of code.
pub const TYPE_RESULTS_MAX: usize = 32;

/// Parameters of all functions defined in a module together. Validating a function takes time for each.
pub const PARAMS_ALL_MAX: u64 = 4_000_000;

/// Parameters and results of all imports and exports together. Whoever lists them copies them.
pub const LISTED_VALUES_MAX: usize = 200_000;

/// Functions defined in a module. Engines agree on this maximum. Each counts to the memory of every instance
/// ([`FUNCTION_BYTES`]). CPython has 11,400, Yosys 46,500, clang 54,300.
pub const FUNCTIONS_MAX: u32 = 1_000_000;

/// Bytes of an instance, beside its memory, that are free. What its functions, segments, exports and tables take beyond counts
/// to the memory of the guest (`--memory-pages`).
pub const INSTANCE_BYTES_FREE: u64 = 8 * 1024 * 1024;

/// Global variables of a module. Each costs memory in every instance. Linkers make about ten.
pub const GLOBALS_MAX: u32 = 1_000;

/// Tables of a module. Linkers make one.
pub const TABLES_MAX: u32 = 100;

/// Element segments of a module. Linkers make one.
pub const ELEMENT_SEGMENTS_MAX: u32 = 1_000;

/// Data segments of a module. Each costs memory in every instance. Go's linker makes one wherever it finds some
/// zeroes: 43,000 for a program that prints JSON, 54,000 with `net/http`. Engines agree on this maximum.
pub const DATA_SEGMENTS_MAX: u32 = 100_000;

/// Imports of a module. About fifty different imports exist, but a module can repeat one, and each costs memory
/// in every instance.
pub const IMPORTS_MAX: u32 = 1_000;

/// Exports of a module. Each costs memory in every instance.
pub const EXPORTS_MAX: u32 = 10_000;

/// Bytes that a function counts for in each instance.
pub const FUNCTION_BYTES: u64 = 96;

/// Bytes that a segment, a global variable or an export, beside its name, counts for in each instance.
pub const SEGMENT_BYTES: u64 = 64;

/// Bytes that an import counts for in each instance.
pub const IMPORT_BYTES: u64 = 32;

/// Bytes that an element of a table or a segment counts for in each instance.
pub const TABLE_ELEMENT_BYTES: u64 = 16;

const _: () =
    assert!(LOCALS_MAX * 2 <= (u8::MAX as u64) * LOCALS_PER_NOP + LOCALS_FREE, "`Insert::Nops` is a byte");
