//! What a module may hold, and what its code may cost before it runs.

use super::constants::BULK_BYTES_PER_FUEL;

/// Bytes that a module's code may take once it is translated, for each byte that a module may have. Compiled programs
/// take 5 to 8 for each byte of their code, and hold data as well; code made for it takes 30.
pub const TRANSLATED_PER_BYTE: u64 = 6;

/// Nanoseconds of a desktop core, as `operators.rs` estimates them: code that takes no longer to translate is translated
/// function by function, when each is first called; other code whole, when the module is loaded. Translation is
/// not on the guest's fuel (it would be charged to whichever run comes first) and is not interrupted, so all that is left
/// to a run must fit the tolerance of a deadline, 20 ms.
pub const LAZY_TRANSLATION_NS: u64 = 12_000_000;

/// The same for a process that is there for one run, and ends at the deadline whatever the run does (`cli/watchdog.rs`).
pub const LAZY_TRANSLATION_ONCE_NS: u64 = 20_000_000;

/// Code that takes no longer needs nobody to look after it.
pub const SHORT_TRANSLATION_NS: u64 = 2_000_000;

/// Growth instructions in one function. wasmi pays for a straight run of code at once, so a slice of them is
/// not bounded by its fuel; a compiler emits one for each copy of its allocator.
pub const GROWS_MAX: u64 = 64;

/// Local variables of one function, without parameters.
pub const LOCALS_MAX: u64 = 4_096;

/// Stack cells of 8 bytes for local variables that a call zeroes at no fuel of their own.
pub const LOCALS_FREE: u64 = 32;

/// Further cells that a call zeroes for one [`NOP_FUEL`]: a `nop` is inserted for each, as the interpreter
/// charges nothing for them.
pub const LOCALS_PER_NOP: u64 = 32;

/// Fuel for a `nop`: zeroing costs what copying and filling do. Compilers emit none.
pub const NOP_FUEL: u8 = (LOCALS_PER_NOP * 8 / BULK_BYTES_PER_FUEL as u64) as u8;

/// `select` instructions in one function beyond one for every three bytes of its code. No code that is reached has
/// as many; each becomes three bytes longer (`rewrite.rs`).
pub const GUARDS_SPARE: u64 = 1_024;

/// Blocks nested in one function. A large `switch` nests as many as it has cases.
pub const CONTROL_DEPTH_MAX: u64 = 4_096;

/// Values that a function's branches may copy beyond one for each byte of its code. Each becomes an
/// instruction of 8 to 16 bytes; with labels of 32 values a module could become 280 times as large.
pub const BRANCH_COPIES_SPARE: u64 = 1_024;

/// Bytes of one name of an import or export.
pub const NAME_BYTES_MAX: usize = 1_024;

/// Bytes of all names of imports and exports; every listing repeats them.
pub const NAMES_BYTES_MAX: usize = 256 * 1024;

/// Bytes of a module in the text format, whose translation takes some 60 times as much.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// Types in a module. Large programs have some hundreds.
pub const TYPES_MAX: u32 = 10_000;

/// Parameters of a type, and results of a type.
pub const TYPE_VALUES_MAX: usize = 32;

/// Functions defined in a module; every instance pays for each. CPython has 11,400.
pub const FUNCTIONS_MAX: u32 = 20_000;

/// Global variables of a module; every instance pays for each. Linkers make some ten.
pub const GLOBALS_MAX: u32 = 1_000;

/// Tables of a module. Linkers make one.
pub const TABLES_MAX: u32 = 100;

/// Element segments of a module. Linkers make one.
pub const ELEMENT_SEGMENTS_MAX: u32 = 1_000;

/// Data segments of a module; every instance pays for each. Go's linker makes one wherever it finds some
/// zeroes: 43,000 for a program that prints JSON, 54,000 with `net/http`. Engines agree on this maximum.
pub const DATA_SEGMENTS_MAX: u32 = 100_000;

/// Imports of a module. There are some fifty things to import; the same one may be imported twice, and
/// every instance pays for each.
pub const IMPORTS_MAX: u32 = 1_000;

/// Exports of a module; every instance pays for each.
pub const EXPORTS_MAX: u32 = 10_000;

/// What a function takes of each instance, in bytes, as far as it is counted.
pub const FUNCTION_BYTES: u64 = 96;

/// What a segment, a global variable or an export takes of each instance.
pub const SEGMENT_BYTES: u64 = 64;

/// What an element of a table, or of a segment, takes of each instance.
pub const TABLE_ELEMENT_BYTES: u64 = 16;

const _: () =
    assert!(LOCALS_MAX * 2 <= (u8::MAX as u64) * LOCALS_PER_NOP + LOCALS_FREE, "`Insert::Nops` is a byte");
