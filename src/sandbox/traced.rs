//! What is kept of a module whose runs are traced.

use crate::base::error::LoadProblem;
use crate::base::limits::{Limits, TRACE_GROWTH_MAX};
use crate::module::edit::Edit;
use crate::module::reader::ModuleInfo;
use crate::module::trace;
use crate::module::trace::names::Names;
use crate::sandbox::engine;
use std::borrow::Cow;
use wasmi::{CompilationMode, Engine, Module};

/// What runs of a module tell beside their reports.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tracing {
    /// Nothing.
    #[default]
    Off,
    /// Where they were stopped.
    Chain,
    /// That, and their fuel by function.
    Profile,
}

/// What is kept of a module that is traced.
pub struct Traced {
    /// Its bytes as they were given.
    pub wasm: Box<[u8]>,
    /// What was added to it.
    pub names: Names,
    /// Whether fuel is counted by function.
    pub has_profile: bool,
}

impl Traced {
    /// Instruments `wasm`, with `edits`, if its runs are to be traced. None if not, or if it has no code.
    ///
    /// # Errors
    /// It is not valid, or becomes too large.
    pub fn instrument(
        wasm: &mut Cow<'_, [u8]>,
        info: &ModuleInfo,
        edits: &[Edit],
        limits: &Limits,
        tracing: Tracing,
    ) -> Result<Option<Traced>, LoadProblem> {
        if tracing == Tracing::Off {
            return Ok(None);
        }
        // What is added could make another module valid.
        let engine = Engine::new(&engine::config(limits, CompilationMode::Lazy, false, false));
        Module::validate(&engine, wasm).map_err(|error| LoadProblem::Invalid(error.to_string()))?;
        let most = limits.module_bytes.saturating_mul(TRACE_GROWTH_MAX);
        let Some(instrumented) = trace::instrument(wasm, info, edits, most)? else { return Ok(None) };
        let given = std::mem::replace(wasm, Cow::Owned(instrumented.wasm)).into_owned().into();
        Ok(Some(Traced { wasm: given, names: instrumented.names, has_profile: tracing == Tracing::Profile }))
    }
}
