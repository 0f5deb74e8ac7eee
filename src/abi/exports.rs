//! What a module exports for its calling convention and for the runtime of its language, beside its own functions.

use crate::host::extism::is_imported;
use crate::module::reader::{ModuleInfo, Signature, Ty};

/// The function that a command exports.
pub const START: &str = "_start";

/// The allocator of the packed convention.
pub(super) const ALLOCATE: &str = "allocate";
/// Its counterpart, which a module may have.
pub(super) const DEALLOCATE: &str = "deallocate";

/// Functions that make the runtime of a plug-in's language ready. They are called before any other.
pub(super) const REACTOR: &str = "_initialize";
pub(super) const CONSTRUCTORS: &str = "__wasm_call_ctors";
pub(super) const HASKELL: &str = "hs_init";

/// Whether the module can be run as a command.
pub fn can_run(info: &ModuleInfo) -> bool {
    info.function(START) == Some(&Signature::default())
}

/// Whether the module is a command. A plug-in for Extism is none, though some compilers give it a `_start`
/// beside its functions.
pub fn is_command(info: &ModuleInfo) -> bool {
    can_run(info) && !is_imported(info)
}

/// Whether a run ends with the instance: a program's does. A component that answers HTTP requests is called once for each.
pub fn ends_with_run(info: &ModuleInfo) -> bool {
    is_command(info) && !info.answers_http
}

/// Whether `types` are `count` integers.
pub(super) fn are_integers(types: &[Ty], count: usize) -> bool {
    types.len() == count && types.iter().all(|ty| matches!(ty, Ty::I32 | Ty::I64))
}

/// Whether the module has what the packed convention needs, beside functions to call.
pub(super) fn is_packed(info: &ModuleInfo) -> bool {
    info.exports_memory()
        && info.function(ALLOCATE).is_some_and(|s| are_integers(&s.params, 1) && are_integers(&s.results, 1))
}

/// What is called when an instance of a module stands, before any other function: of a program nothing (WASI
/// application ABI), of others `_initialize` or what Extism calls.
pub(super) fn initializers(info: &ModuleInfo) -> Vec<&'static str> {
    if is_command(info) {
        return Vec::new();
    }
    if is_imported(info) {
        return extism_initializers(info);
    }
    // By its type too: one that takes values is no initializer, and could not be called like one.
    Some(REACTOR).filter(|name| info.function(name) == Some(&Signature::default())).into_iter().collect()
}

/// What Extism's host calls when it has made an instance: for Haskell, `_initialize` and `hs_init`, for others
/// the constructors or, where these are not exported, `_initialize`.
fn extism_initializers(info: &ModuleInfo) -> Vec<&'static str> {
    let is_plain = |name: &&str| info.function(name) == Some(&Signature::default());
    if info.function(HASKELL).is_some_and(|s| s.params == [Ty::I32; 2]) {
        return [REACTOR].into_iter().filter(is_plain).chain([HASKELL]).collect();
    }
    let first = if info.function(CONSTRUCTORS).is_some() { CONSTRUCTORS } else { REACTOR };
    Some(first).filter(is_plain).into_iter().collect()
}
