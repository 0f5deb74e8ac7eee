//! Checks whether the interpreter was built so that guests cannot fill the host's stack.
//!
//! The interpreter's instruction handlers call each other and rely on the compiler to make these tail calls.
//! The interpreter selects them by `opt-level` alone. With debug assertions, the same code is not compiled to
//! tail calls: each instruction of a guest leaves a frame, and a loop ends the process. A common development
//! profile, `[profile.dev.package."*"] opt-level = 3`, is such a build. A library cannot see the profile, so
//! this is measured once for each process: the growth of the stack while a guest runs a loop. If fuelbox itself
//! has debug assertions, the measurement is made before anything is loaded. Otherwise it is made when a run
//! first needs more than a small slice of fuel, because it takes longer than a short run.

use crate::base::error::Error;
use std::sync::OnceLock;
use wasmi::{Caller, Engine, Func, Linker, Module, Store};

/// A loop over instructions of all kinds that calls the host in each iteration; its source is beside it.
const LOOP: &[u8] = include_bytes!("tail_calls.wasm");

/// Iterations.
const ROUNDS: i32 = 64;

/// Allowed growth of the stack, in bytes; one frame for each iteration is more.
const SLACK_BYTES: usize = 512;

static GROWTH: OnceLock<Option<usize>> = OnceLock::new();

/// Checks that guests leave nothing on the host's stack.
///
/// # Errors
/// [`Error::Build`] if they do, with the remedy. Then nothing can run safely.
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

/// As [`check`], but only if such a build is likely.
///
/// # Errors
/// As there.
pub fn check_early() -> Result<(), Error> {
    if cfg!(debug_assertions) { check() } else { Ok(()) }
}

/// Whether [`check`] ran and found nothing.
pub fn is_known_good() -> bool {
    matches!(GROWTH.get(), Some(Some(0..=SLACK_BYTES)))
}

/// Bytes by which the stack grows in `ROUNDS` iterations.
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
