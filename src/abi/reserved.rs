//! Functions that belong to a calling convention or to a language's runtime, and not to a plug-in's users.
//!
//! Hosts and runtimes call these around a plug-in's own functions: allocators, initialisers, what linkers make. Who
//! could call them alone would choose what the memory of a warm instance holds, and where: by a `deallocate` of a
//! pointer of its own, a stranger reads what other clients sent. So they are never offered: not in a listing, not over
//! HTTP, not by `fuelbox call`. `fuelbox run` calls any function, in an instance that nobody else has.
//!
//! The rule goes by names, whatever the type and whatever other functions the module has: one that is left open because
//! an `allocate` is of an unusual type would be the hole again. A function that has one of these names is meant by all
//! its names. Only names that are common words elsewhere (`free`, `abort`) count by their type too, or where the module
//! is passed bytes at all.
//!
//! Names do not tell of every function that moves memory. So where instances are kept, functions of numbers need more
//! than this ([`crate::plugins::registry::Plugin`]).

use super::exports::{ALLOCATE, CONSTRUCTORS, DEALLOCATE, HASKELL, REACTOR, START, is_command, is_packed};
use crate::base::error::Error;
use crate::host::extism::is_imported;
use crate::module::reader::{ModuleInfo, Signature, Ty};

/// Names of the conventions that fuelbox speaks. `_start` is here too: only a program's, by the command convention, is
/// what its users call.
const NAMES: [&str; 7] = [ALLOCATE, DEALLOCATE, REACTOR, CONSTRUCTORS, HASKELL, START, "hs_exit"];

/// Names that runtimes and C libraries give to what handles memory: linkers export them all when they are told to.
const RUNTIMES: [&str; 13] = [
    "memcpy",
    "memmove",
    "memset",
    "memcmp",
    "_malloc",
    "_free",
    "wasm_malloc",
    "wasm_free",
    "memalign",
    "sbrk",
    "setThrew",
    "stackSave",
    "go_scheduler",
];

/// Names of allocators that may well be a plug-in's own words, where it deals in numbers alone.
const WITH_BYTES: [&str; 6] = ["alloc", "dealloc", "malloc", "calloc", "realloc", "free"];

/// How names begin that compilers, linkers and binding generators keep for themselves: `__wasm_…`, `__wbindgen_…` and
/// AssemblyScript's `__new` (C reserves two underscores); Extism's own; the component model's; Emscripten's and
/// Binaryen's, which move the stack; mangled names of C++, with its `operator delete`; Haskell's.
const PREFIXES: [&str; 13] = [
    "__",
    "extism_",
    "cabi_",
    "canonical_abi_",
    "asyncify_",
    "emscripten_",
    "_emscripten_",
    "stackAlloc",
    "stackRestore",
    "dynCall_",
    "_Z",
    "hs_",
    "rts_",
];

/// Parameters and results, all of them integers, of C's allocator, which TinyGo and others export.
const ALLOCATORS: [(&str, usize, usize); 6] = [
    ("malloc", 1, 1),
    ("calloc", 2, 1),
    ("realloc", 2, 1),
    ("free", 1, 0),
    ("aligned_alloc", 2, 1),
    ("posix_memalign", 3, 1),
];

/// Whether the function `name` of a module is never offered. `_start` of a program is to its own convention alone.
pub fn is_reserved(info: &ModuleInfo, name: &str) -> bool {
    info.is_reserved(name, |name, signature| {
        // The memory of a component is out of reach of its callers, whatever its functions are called.
        if signature.wit.is_some() {
            return false;
        }
        is_reserved_as(name, signature) || (WITH_BYTES.contains(&name) && passes_bytes(info))
    })
}

/// Whether clients' bytes come into the memory of the module's instances.
pub fn passes_bytes(info: &ModuleInfo) -> bool {
    is_imported(info) || is_packed(info)
}

fn is_reserved_as(name: &str, signature: &Signature) -> bool {
    let is_allocator = |(known, params, results): &(&str, usize, usize)| {
        *known == name
            && (signature.params.len(), signature.results.len()) == (*params, *results)
            && signature.params.iter().chain(&signature.results).all(|ty| matches!(ty, Ty::I32 | Ty::I64))
    };
    NAMES.contains(&name)
        || RUNTIMES.contains(&name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || ALLOCATORS.iter().any(is_allocator)
        // AssemblyScript's: it reads texts from wherever it is told.
        || (name == "abort" && signature.params == [Ty::I32; 4] && signature.results.is_empty())
}

/// The exported functions that are offered: those of a module's own, and a program's `_start`.
pub fn offered(info: &ModuleInfo) -> impl Iterator<Item = (&str, &Signature)> {
    let is_program = is_command(info);
    info.functions().filter(move |(name, _)| (is_program && *name == START) || !is_reserved(info, name))
}

/// The error for a function that is not there.
pub fn no_function(info: &ModuleInfo, name: &str) -> Error {
    Error::NoFunction {
        name: name.into(),
        known: offered(info).map(|(name, _)| name).collect(),
        command: is_command(info),
    }
}
