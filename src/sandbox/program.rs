//! Compiles modules: wasmi's configuration and [`Program`], a module ready for instantiation.

use crate::base::error::{Error, LoadProblem};
use crate::base::limits::{Limits, PAGE_BYTES, SHORT_TRANSLATION_NS, TRACE_SLICE_FUEL};
use crate::base::share::Share;
use crate::host::store::Host;
use crate::host::wasi::ctx::WasiCtx;
use crate::module::reader::ModuleInfo;
use crate::sandbox::compile::{self, Code, Compiled, CoreModule, Translated};
pub use crate::sandbox::compile::{CompileOptions, Tracing, Translation};
#[cfg(feature = "component")]
use crate::sandbox::component::compile::Component;
use crate::sandbox::slot::Slot;
use crate::sandbox::spares::Spares;
use crate::sandbox::{region, tail_calls};
use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use wasmi::{Engine, Store};

/// A compiled module with its declarations. `Send + Sync`; any number of runs may share it.
///
/// Each program has its own engine. wasmi's code store only grows, so with a shared engine, a plug-in that is
/// replaced every hour would never be freed.
///
/// ```
/// use fuelbox::{Call, Limits, Program, Runner, RunnerConfig};
///
/// let limits = Limits { memory_pages: 16, ..Limits::default() };
/// let wasm = std::fs::read("guests/prebuilt/add.wasm").unwrap();
/// let program = Program::compile("add", &wasm, &limits)?;
/// let runner = Runner::new(RunnerConfig { limits, ..RunnerConfig::default() })?;
/// for n in 0..3 {
///     let report = runner.run(&program, Call::values("add", &[n.into(), 1.into()]))?;
///     assert_eq!(report.result?, [(n + 1).into()]);
/// }
/// # Ok::<(), fuelbox::Error>(())
/// ```
pub struct Program {
    pub(crate) engine: Engine,
    pub(crate) code: Code,
    pub(crate) spares: Spares,
    /// Whether it imports clocks, some of which have to be read when a run starts.
    pub(crate) reads_clocks: bool,
    /// Fuel handed out at a time.
    pub(crate) slice_fuel: u64,
    name: String,
    is_lazy: bool,
    _translated: Option<Share>,
    translation_ns: u64,
    info: ModuleInfo,
    size: usize,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("size", &self.size).finish_non_exhaustive()
    }
}

impl Program {
    /// Checks and compiles `bytes`, a binary module or (with the feature `wat`) its text format.
    /// `name` is what errors and the log call it.
    ///
    /// # Errors
    /// [`Error::Load`] with the reason: too large, no module, invalid, too much memory or too large tables
    /// for `limits`, or an import that is not provided.
    ///
    /// ```
    /// use fuelbox::{Limits, LoadProblem, Program, Error};
    ///
    /// // `(module (memory 65536))`
    /// let wasm = b"\0asm\x01\0\0\0\x05\x05\x01\0\x80\x80\x04";
    /// let refused = Program::compile("greedy", wasm, &Limits::default());
    /// let Err(Error::Load { problem, .. }) = refused else { panic!() };
    /// assert_eq!(problem, LoadProblem::Memory { pages: 65_536, limit: 320 });
    /// ```
    pub fn compile(name: &str, bytes: &[u8], limits: &Limits) -> Result<Program, Error> {
        Program::compile_with(name, bytes, limits, &CompileOptions::default())
    }

    /// As [`Program::compile`], in another way.
    ///
    /// # Errors
    /// As there.
    #[doc(hidden)]
    pub fn compile_with(
        name: &str,
        bytes: &[u8],
        limits: &Limits,
        options: &CompileOptions,
    ) -> Result<Program, Error> {
        Program::compile_bytes(name, bytes.into(), limits, options)
    }

    /// As [`Program::compile_with`]. Owned bytes are rewritten in place.
    pub(crate) fn compile_bytes(
        name: &str,
        bytes: Cow<'_, [u8]>,
        limits: &Limits,
        options: &CompileOptions,
    ) -> Result<Program, Error> {
        tail_calls::check_early()?;
        region::prepare();
        limits.check().map_err(Error::Limits)?;
        // A module that panics the interpreter's compiler is refused like any other.
        let compiled = catch_unwind(AssertUnwindSafe(|| compile::compile(bytes, limits, options)))
            .unwrap_or_else(|_| Err(LoadProblem::Invalid("the interpreter panicked on it".into())));
        let compiled = compiled.map_err(|problem| Error::Load { name: name.into(), problem })?;
        let Compiled { code, info, translated, reads_clocks, size } = compiled;
        let Translated { engine, is_lazy, share, ns: translation_ns } = translated;
        Ok(Program {
            engine,
            code,
            spares: Spares::default(),
            reads_clocks,
            slice_fuel: match options.tracing {
                Tracing::Off => options.slice_fuel,
                _ => options.slice_fuel.min(TRACE_SLICE_FUEL),
            },
            name: name.into(),
            is_lazy,
            _translated: share,
            translation_ns,
            info,
            size,
        })
    }

    /// The module's declarations.
    #[doc(hidden)]
    pub fn info(&self) -> &ModuleInfo {
        &self.info
    }

    /// Whether all of its code was translated at compile time. Otherwise each function is translated at its
    /// first call.
    #[doc(hidden)]
    pub fn is_translated(&self) -> bool {
        !self.is_lazy
    }

    /// Whether translation of functions may delay a run by more than a moment.
    pub(crate) fn is_slow_to_translate(&self) -> bool {
        self.is_lazy && self.has_much_code()
    }

    /// Whether all of its code takes more than a moment to translate.
    pub(crate) fn has_much_code(&self) -> bool {
        self.translation_ns > SHORT_TRANSLATION_NS
    }

    /// A slot for its instances.
    pub(crate) fn slot(&self, wasi: WasiCtx, limits: &Limits) -> Box<Slot> {
        Box::new(Slot::new(Store::new(&self.engine, Host::new(wasi, limits))))
    }

    /// Bytes of its memory at the start.
    pub(crate) fn declared_bytes(&self) -> usize {
        // No more than the limits allow (`check_declared`).
        self.info.memory.map_or(0, |memory| memory.min_pages as usize * PAGE_BYTES)
    }

    /// Bytes that its memory can grow to under `limits`; 0 without a memory. None if already its start is too much.
    pub(crate) fn capacity(&self, limits: &Limits) -> Option<usize> {
        let imports_memory = self.module().is_some_and(|module| module.memory.is_some());
        let Some(memory) = self.info.memory.filter(|_| imports_memory) else { return Some(0) };
        let declared = memory.max_pages.map_or(u32::MAX, |pages| u32::try_from(pages).unwrap_or(u32::MAX));
        let most = limits.memory_pages.min(declared);
        (memory.min_pages <= u64::from(most)).then(|| (most as usize).saturating_mul(PAGE_BYTES))
    }

    /// Whether memory is kept for later calls.
    #[doc(hidden)]
    pub fn has_spares(&self) -> bool {
        !self.spares.is_empty()
    }

    /// Gives back the memory that is kept for later calls, unless it was used within the last second.
    pub fn trim(&self) {
        self.spares.expire(Instant::now());
    }

    /// The core module that it is, if it is no component.
    pub(crate) fn module(&self) -> Option<&CoreModule> {
        match &self.code {
            Code::Module(module) => Some(module),
            #[cfg(feature = "component")]
            Code::Component(_) => None,
        }
    }

    /// The component that it is, if it is no core module.
    #[cfg(feature = "component")]
    pub(crate) fn component(&self) -> Option<&Component> {
        match &self.code {
            Code::Module(_) => None,
            Code::Component(component) => Some(component),
        }
    }

    /// Its name in errors and the log.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of the binary module.
    pub fn size(&self) -> usize {
        self.size
    }
}
