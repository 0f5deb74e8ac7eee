//! Whether the interpreter was built so that guests cannot fill the host's stack.
//!
//! The interpreter's instruction handlers call each other and rely on the compiler to make these tail calls. It
//! picks them by `opt-level` alone, but with debug assertions the same code is not compiled to tail calls: each
//! instruction that a guest runs then leaves a frame behind, and a loop ends the process. A common profile for
//! development, `[profile.dev.package."*"] opt-level = 3`, is such a build. No profile can be seen from here, so it is
//! measured, once for a process: how far the stack grows while a guest goes around a loop. Where fuelbox itself has
//! debug assertions, that is done before anything is loaded; otherwise when a run first needs more than a small slice
//! of fuel, as it takes longer than a short run.

use crate::base::error::Error;
use std::sync::OnceLock;
use wasmi::{Caller, Engine, Func, Linker, Module, Store};

/// A loop over instructions of all kinds that calls the host each time around; its source lies beside it.
const LOOP: &[u8] = include_bytes!("tail_calls.wasm");

/// Times around.
const ROUNDS: i32 = 64;

/// What the stack may grow by, in bytes: a frame left in each round is more.
const SLACK_BYTES: usize = 512;

static GROWTH: OnceLock<Option<usize>> = OnceLock::new();

/// Checks that guests leave nothing on the host's stack.
///
/// # Errors
/// [`Error::Build`] if they do, with what to change; nothing can be run safely then.
pub fn check() -> Result<(), Error> {
    match GROWTH.get_or_init(|| growth().ok()) {
        Some(0..=SLACK_BYTES) => Ok(()),
        Some(_) => Err(Error::Build(
            "the interpreter was built so that a guest's loop would overflow this program's stack (optimised, with \
             debug assertions). Add to Cargo.toml: `[profile.dev.package.wasmi]` with `debug-assertions = false`; or \
             enable fuelbox's feature `portable-dispatch`, which is slower"
                .into(),
        )),
        None => Err(Error::Internal("the interpreter does not run the module that checks its stack".into())),
    }
}

/// As [`check`], where it is likely that this is such a build.
///
/// # Errors
/// As there.
pub fn check_early() -> Result<(), Error> {
    if cfg!(debug_assertions) { check() } else { Ok(()) }
}

/// Whether [`check`] has been done, and found nothing.
pub fn is_known_good() -> bool {
    matches!(GROWTH.get(), Some(Some(0..=SLACK_BYTES)))
}

/// Bytes by which the stack grows in `ROUNDS` rounds.
fn growth() -> Result<usize, wasmi::Error> {
    let engine = Engine::default();
    let module = Module::new(&engine, LOOP)?;
    let mut store = Store::new(&engine, (usize::MAX, 0));
    let here = Func::wrap(&mut store, |mut caller: Caller<'_, (usize, usize)>| {
        let marker = std::hint::black_box(0_u8);
        let at = &raw const marker as usize;
        let (lowest, highest) = caller.data_mut();
        (*lowest, *highest) = ((*lowest).min(at), (*highest).max(at));
    });
    let mut linker = Linker::new(&engine);
    linker.define("", "", here)?;
    let instance = linker.instantiate_and_start(&mut store, &module)?;
    instance.get_typed_func::<i32, ()>(&store, "")?.call(&mut store, ROUNDS)?;
    let (lowest, highest) = store.data();
    Ok(highest.saturating_sub(*lowest))
}
